"""The last step of an incident: the gate, approval, a test mail, and the window to cancel."""
