"""The review of an incident: what is known of it, the document, its export and its reminders."""
