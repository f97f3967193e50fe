"""What was promised to the public: whether it was kept, and who hears when it may not be."""

from statuspage.promises.clocks import Rung, escalation
from statuspage.promises.notices import notify_due
from statuspage.promises.record import Promise, Record, record_of

__all__ = ["Promise", "Record", "Rung", "escalation", "notify_due", "record_of"]
