"""Stand-ins for what lies outside this machine: real servers on loopback, scripted and counted."""
