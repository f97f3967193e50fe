"""Who may do what, and who did it: accounts, API keys, throttles, the audit trail and alarms."""
