"""The field's words as enums, in order of gravity where they have one.

Values are what Atlassian Statuspage's public API uses, so that existing clients understand them
(https://developer.statuspage.io/ and the public ``/api/v2`` documents).  Labels are message ids:
whoever shows them to a person translates them first.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Self


class Term(StrEnum):
    """A word of the field; its members stand in order, mildest or earliest first."""

    @property
    def label(self) -> str:
        """The word as people read it, in English: ``Degraded performance``."""
        return _LABELS.get((type(self), self.value), self.value.replace("_", " ").capitalize())

    @property
    def gravity(self) -> int:
        """Place in the order of its kind, 0 first."""
        return _places(type(self))[self]

    @classmethod
    def worst(cls, words: Iterable[Self], default: Self) -> Self:
        """The gravest of ``words``; ``default`` where there are none."""
        return max(words, key=lambda word: word.gravity, default=default)


@cache
def _places(kind: type[Term]) -> dict[Term, int]:
    return {word: place for place, word in enumerate(kind)}


class Kind(Term):
    """What an incident is."""

    INCIDENT = "incident"
    MAINTENANCE = "maintenance"


class IncidentStatus(Term):
    """The steps of an incident."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"


class MaintenanceStatus(Term):
    """The steps of a maintenance; a cancelled one is completed with ``cancelled_at`` set."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"
    COMPLETED = "completed"


Status = IncidentStatus | MaintenanceStatus

CLOSED: frozenset[str] = frozenset({"resolved", "postmortem", "completed"})
"""Statuses after which an incident is over."""

RUNNING = frozenset({MaintenanceStatus.IN_PROGRESS, MaintenanceStatus.VERIFYING})
"""Statuses of a maintenance that has begun and is not over."""


def status_of(kind: Kind, value: str) -> Status:
    """The status of that name for an incident of that kind; ``ValueError`` where there is none."""
    return IncidentStatus(value) if kind is Kind.INCIDENT else MaintenanceStatus(value)


class ComponentStatus(Term):
    """The state of a component; maintenance ranks below trouble, as on Statuspage."""

    OPERATIONAL = "operational"
    UNDER_MAINTENANCE = "under_maintenance"
    DEGRADED_PERFORMANCE = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"


class Impact(Term):
    """What customers feel; public."""

    NONE = "none"
    MAINTENANCE = "maintenance"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Visibility(Term):
    """Who may see an incident at all."""

    PUBLIC = "public"
    INTERNAL = "internal"


class Audience(Term):
    """Whom a text is for."""

    PUBLIC = "public"
    CUSTOMER = "customer"
    SUBSCRIBER = "subscriber"
    INTERNAL = "internal"
    # Texts to copy: they are sent nowhere.
    EXECUTIVE = "executive"
    SUPPORT = "support"

    @property
    def is_inside(self) -> bool:
        """Whether internal facts exist in its texts."""
        return self in {Audience.INTERNAL, Audience.EXECUTIVE}

    @property
    def reads_plain(self) -> bool:
        """Whether its texts are plain and no Markdown."""
        return self.is_inside or self is Audience.SUPPORT


class Channel(Term):
    """How a text reaches its audience."""

    PAGE = "page"
    FEED = "feed"
    EMAIL = "email"
    CHAT = "chat"
    WEBHOOK = "webhook"


class DeliveryState(Term):
    """Where one message to one recipient over one channel stands."""

    PENDING = "pending"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


OUTBOX: frozenset[DeliveryState] = frozenset(
    {DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.UNCERTAIN}
)
"""States of deliveries that are not yet done."""


class CustomerMail(Term):
    """When the customers of the affected components are written to, by severity level."""

    NEVER = "never"
    RESOLVED = "resolved"
    EVERY_UPDATE = "every_update"


class Step(Term):
    """What a message reports: the status that a post set, or one of the steps around it."""

    DECLARED = "declared"
    UPDATE = "update"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    NO_CHANGE = "no_change"
    RESOLVED = "resolved"
    FALSE_ALARM = "false_alarm"
    REOPENED = "reopened"
    POSTMORTEM = "postmortem"
    CLOSED = "closed"
    UPDATE_DUE = "update_due"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    NOTE_DUE = "note_due"
    APPROVAL = "approval"
    NOT_POSTED = "not_posted"
    NOTE = "note"
    SUGGESTED = "suggested"
    SCHEDULED = "scheduled"
    REMINDER = "reminder"
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"
    COMPLETED = "completed"
    CONFIRM = "confirm"
    SUBSCRIBED = "subscribed"
    TEST = "test"
    ACCOUNT = "account"
    REVIEW = "review"
    REVIEW_DUE = "review_due"
    ACTION_DUE = "action_due"
    NOTICE = "notice"


class SubscriberState(Term):
    """Whether a subscriber is written to."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


class SuggestionState(Term):
    """What became of an incident that alerts propose; ``over`` where they resolved before that."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    OVER = "over"


class KeyScope(Term):
    """What an API key may do; each stands for itself, and ``admin`` for all of them."""

    READ = "read"
    DRAFT = "draft"
    PUBLISH = "publish"
    CUSTOMERS = "customers"
    SUBSCRIBERS = "subscribers"
    COMPONENTS = "components"
    ALERTS = "alerts"
    METRICS = "metrics"
    ADMIN = "admin"


class AccountRole(Term):
    """What an account is for, the least first; what each may do is in :mod:`statuspage.access`."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    COMMS_LEAD = "comms_lead"
    ADMIN = "admin"


class SubscribedUpdates(Term):
    """Which updates of an incident a subscriber is emailed."""

    EVERY = "every"
    FIRST_AND_LAST = "first_and_last"
    LAST = "last"


class NoteKind(Term):
    """What a note for colleagues records."""

    PROGRESS = "progress"
    DECISION = "decision"
    HYPOTHESIS = "hypothesis"
    OBSERVATION = "observation"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"


class ReviewState(Term):
    """How far the review of an incident is."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"


class ActionState(Term):
    """Whether what a review asks for is done."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class ActionPriority(Term):
    """How soon what a review asks for matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Milestone(Term):
    """What an entry of a review's timeline marks, in the order in which it should come."""

    DETECTED = "detected"
    DECLARED = "declared"
    ACKNOWLEDGED = "acknowledged"
    FIRST_WORD = "first_word"
    CAUSE_KNOWN = "cause_known"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class IncidentRole(Term):
    """A colleague's part in an incident."""

    COMMANDER = "commander"
    TECHNICAL_LEAD = "technical_lead"
    COMMS_LEAD = "comms_lead"
    SCRIBE = "scribe"


# By kind too: as strings, the "resolved" of an incident and of a setting are equal.
_LABELS: dict[tuple[type[Term], str], str] = {
    (CustomerMail, CustomerMail.RESOLVED): "When it is resolved",
    (CustomerMail, CustomerMail.EVERY_UPDATE): "With every public update",
    (Impact, Impact.NONE): "No impact",
    (IncidentRole, IncidentRole.COMMANDER): "Incident commander",
    (IncidentRole, IncidentRole.COMMS_LEAD): "Communications lead",
    (Step, Step.ACTION_DUE): "Action item due",
    (Milestone, Milestone.FIRST_WORD): "First public update",
    (Milestone, Milestone.MITIGATED): "Fix in place",
    (Step, Step.ACCOUNT): "About an account",
    (Step, Step.CONFIRM): "Confirm a subscription",
    (Step, Step.SUBSCRIBED): "Subscribed already",
    (Step, Step.REVIEW): "Post-incident review",
    (Step, Step.UPDATE): "Update",
    (Step, Step.OVERDUE): "Update overdue",
    (Step, Step.APPROVAL): "Approval requested",
    (Step, Step.NOT_POSTED): "Scheduled update not posted",
    (Step, Step.SUGGESTED): "Suggestions from alerts",
    (SuggestionState, SuggestionState.OVER): "Resolved",
    (SubscribedUpdates, SubscribedUpdates.EVERY): "Every update",
    (SubscribedUpdates, SubscribedUpdates.LAST): "Only the end",
    (SubscriberState, SubscriberState.PENDING): "Not confirmed yet",
}


def indicator_of(status: ComponentStatus) -> Impact:
    """What one component's state counts as in the page's overall state."""
    return _INDICATOR[status]


def overall_indicator(components: Iterable[ComponentStatus], impacts: Iterable[Impact]) -> Impact:
    """The page's overall state: the gravest of what components and open incidents say.

    The rule, as visitors can read it in the docs: a major outage counts critical where it is any
    component's state, a partial outage major, degraded performance minor, maintenance none (the
    page says so in words); an open incident counts its own impact.
    """
    felt = [_INDICATOR[status] for status in components]
    open_impacts = [impact for impact in impacts if impact is not Impact.MAINTENANCE]
    return Impact.worst([*felt, *open_impacts], Impact.NONE)


_INDICATOR: dict[ComponentStatus, Impact] = {
    ComponentStatus.OPERATIONAL: Impact.NONE,
    ComponentStatus.UNDER_MAINTENANCE: Impact.NONE,
    ComponentStatus.DEGRADED_PERFORMANCE: Impact.MINOR,
    ComponentStatus.PARTIAL_OUTAGE: Impact.MAJOR,
    ComponentStatus.MAJOR_OUTAGE: Impact.CRITICAL,
}

OVERALL: dict[Impact, str] = {
    Impact.NONE: "All Systems Operational",
    Impact.MAINTENANCE: "Service Under Maintenance",
    Impact.MINOR: "Partially Degraded Service",
    Impact.MAJOR: "Partial System Outage",
    Impact.CRITICAL: "Major System Outage",
}
"""Statuspage's own descriptions for ``status.indicator``, which clients compare with."""
