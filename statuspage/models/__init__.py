"""The tables, one file for each noun of the field, and facts that a row knows about itself."""

from statuspage.models.account import (
    Account,
    ApiKey,
    Invitation,
    LinkedIdentity,
    Passkey,
    RecoveryCode,
    SignIn,
)
from statuspage.models.alert import (
    Alert,
    AlertSource,
    FollowedComponent,
    ProviderPage,
    StateRule,
    Suggestion,
    VisitorReport,
)
from statuspage.models.component import Component, ComponentChange, ComponentGroup
from statuspage.models.contact import Contact
from statuspage.models.customer import Customer, CustomerComponent, Suppression
from statuspage.models.delivery import (
    Attempt,
    Breaker,
    ChatThread,
    Delivery,
    DeliveryEvent,
    Hold,
    WebhookEvent,
)
from statuspage.models.draft import DeclarationDraft, SavedDraft, ScheduledUpdate, ToolDraft
from statuspage.models.incident import (
    Approval,
    Incident,
    IncidentComponent,
    IncidentTag,
    IncidentTemplate,
    IncidentUpdate,
    MaintenanceSeries,
    UpdateRevision,
)
from statuspage.models.message import Message, Wording
from statuspage.models.metric import Metric, MetricBucket
from statuspage.models.note import IncidentNote
from statuspage.models.notice import PublicNotice
from statuspage.models.on_call_week import OnCallSwap, OnCallWeek
from statuspage.models.operations import (
    Alarm,
    AuditCheckpoint,
    AuditEntry,
    Counter,
    DeliveryTest,
    Revision,
    Throttle,
    Worker,
)
from statuspage.models.page import Page
from statuspage.models.presence import Presence
from statuspage.models.review import ActionItem, Review, ReviewMeeting, ReviewVersion
from statuspage.models.severity_level import SeverityLevel
from statuspage.models.subscriber import FollowedIncident, Subscriber, SubscriberComponent

__all__ = [
    "Account",
    "ActionItem",
    "Alarm",
    "Alert",
    "AlertSource",
    "ApiKey",
    "Approval",
    "Attempt",
    "AuditCheckpoint",
    "AuditEntry",
    "Breaker",
    "ChatThread",
    "Component",
    "ComponentChange",
    "ComponentGroup",
    "Contact",
    "Counter",
    "Customer",
    "CustomerComponent",
    "DeclarationDraft",
    "Delivery",
    "DeliveryEvent",
    "DeliveryTest",
    "FollowedComponent",
    "FollowedIncident",
    "Hold",
    "Incident",
    "IncidentComponent",
    "IncidentNote",
    "IncidentTag",
    "IncidentTemplate",
    "IncidentUpdate",
    "Invitation",
    "LinkedIdentity",
    "MaintenanceSeries",
    "Message",
    "Metric",
    "MetricBucket",
    "OnCallSwap",
    "OnCallWeek",
    "Page",
    "Passkey",
    "Presence",
    "ProviderPage",
    "PublicNotice",
    "RecoveryCode",
    "Review",
    "ReviewMeeting",
    "ReviewVersion",
    "Revision",
    "SavedDraft",
    "ScheduledUpdate",
    "SeverityLevel",
    "SignIn",
    "StateRule",
    "Subscriber",
    "SubscriberComponent",
    "Suggestion",
    "Suppression",
    "Throttle",
    "ToolDraft",
    "UpdateRevision",
    "VisitorReport",
    "WebhookEvent",
    "Wording",
    "Worker",
]
