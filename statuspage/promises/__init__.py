"""What was promised to the public: whether it was kept, and who hears when it may not be."""

from statuspage.promises.clocks import Rung, escalation
from statuspage.promises.notices import notify_due
from statuspage.promises.record import Promise, Record, record_of
from statuspage.promises.score import Score, score_of

__all__ = [
    "Promise",
    "Record",
    "Rung",
    "Score",
    "escalation",
    "notify_due",
    "record_of",
    "score_of",
]
