"""What happens to the mail when things die: real processes, real sockets, counted by acceptances.

``make chaos`` runs all of it; ``tests/journeys`` runs a small cut of the same code.
"""
