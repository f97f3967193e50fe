"""What knows nothing of incidents.

Settings, database, enums, clock, languages, links, rich text, addresses, colours, errors, logs.
"""
