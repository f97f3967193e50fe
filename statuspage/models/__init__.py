"""The tables, and facts that a row knows about itself.

Five rooms: the page and what it shows (:mod:`.page`), people (:mod:`.people`) and those who asked
to hear (:mod:`.subscribers`), what goes out (:mod:`.mail`), and what keeps the house in order
(:mod:`.house`).
"""

from statuspage.models.message import (
    Attempt,
    Breaker,
    ChatThread,
    Delivery,
    DeliveryEvent,
    Hold,
    Message,
    WebhookEvent,
    Wording,
)
from statuspage.models.operations import Alarm, AuditEntry, Counter, Revision, Throttle, Worker
from statuspage.models.page import (
    Approval,
    Component,
    ComponentChange,
    ComponentGroup,
    Incident,
    IncidentComponent,
    IncidentTemplate,
    IncidentUpdate,
    MaintenanceSeries,
    Page,
    SeverityLevel,
    UpdateRevision,
)
from statuspage.models.recipient import (
    Account,
    ApiKey,
    Contact,
    Customer,
    CustomerComponent,
    Invitation,
    SignIn,
    Suppression,
)
from statuspage.models.subscriber import FollowedIncident, Subscriber, SubscriberComponent

__all__ = [
    "Account",
    "Alarm",
    "ApiKey",
    "Approval",
    "Attempt",
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
    "Delivery",
    "DeliveryEvent",
    "FollowedIncident",
    "Hold",
    "Incident",
    "IncidentComponent",
    "IncidentTemplate",
    "IncidentUpdate",
    "Invitation",
    "MaintenanceSeries",
    "Message",
    "Page",
    "Revision",
    "SeverityLevel",
    "SignIn",
    "Subscriber",
    "SubscriberComponent",
    "Suppression",
    "Throttle",
    "UpdateRevision",
    "WebhookEvent",
    "Wording",
    "Worker",
]
