"""What somebody who can no longer sign in leaves to colleagues: roles, drafts, reviews, keys."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from statuspage.access import api_keys
from statuspage.core import address as addresses
from statuspage.core import clock
from statuspage.core.enums import CLOSED, ActionState, IncidentRole, ReviewState
from statuspage.models import (
    Account,
    ActionItem,
    ApiKey,
    Contact,
    DeclarationDraft,
    Incident,
    Review,
    SavedDraft,
    ScheduledUpdate,
)


@dataclass(frozen=True, slots=True)
class Handover:
    """What an account leaves open."""

    roles: list[tuple[Incident, list[IncidentRole]]]
    scheduled: list[Incident]
    drafts: list[Incident]
    declarations: list[DeclarationDraft]
    reviews: list[Incident]
    actions: list[ActionItem]
    # They go on working, whoever owns them.
    keys: list[ApiKey]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to anybody."""
        return not any(getattr(self, kind.name) for kind in fields(self))


def of_account(session: Session, account: Account) -> Handover:
    """What an account has taken on that is not over."""
    theirs = [contact.id for contact in session.scalars(select(Contact)) if _is(contact, account)]
    open_ones = select(Incident).where(Incident.status.not_in(CLOSED)).order_by(Incident.id)
    holding = open_ones.where(or_(*(_column(role).in_(theirs) for role in IncidentRole)))
    scheduled = open_ones.join(ScheduledUpdate, ScheduledUpdate.incident_id == Incident.id)
    drafted = open_ones.join(SavedDraft, SavedDraft.incident_id == Incident.id)
    owned = or_(
        ApiKey.owner_id == account.id,
        and_(ApiKey.owner_id.is_(None), ApiKey.created_by_id == account.id),
    )
    keys = session.scalars(select(ApiKey).where(owned, ApiKey.withdrawn_at.is_(None)))
    reviewed = (
        select(Incident)
        .join(Review, Review.incident_id == Incident.id)
        .where(Review.state != ReviewState.APPROVED, Incident.review_owner_id.in_(theirs))
    )
    actions = select(ActionItem).where(
        ActionItem.state == ActionState.OPEN, ActionItem.owner_id.in_(theirs)
    )
    declarations = select(DeclarationDraft).where(DeclarationDraft.account_id == account.id)
    return Handover(
        roles=[
            (one, [role for role in IncidentRole if getattr(one, _column(role).key) in theirs])
            for one in session.scalars(holding)
        ],
        scheduled=list(session.scalars(scheduled.where(ScheduledUpdate.account_id == account.id))),
        drafts=list(session.scalars(drafted.where(SavedDraft.account_id == account.id))),
        declarations=list(session.scalars(declarations.order_by(DeclarationDraft.id))),
        reviews=list(session.scalars(reviewed.order_by(Incident.review_due_at, Incident.id))),
        actions=list(session.scalars(actions.order_by(ActionItem.due_on, ActionItem.id))),
        keys=[key for key in keys if not api_keys.has_expired(key, clock.now())],
    )


def absent(session: Session, incident: Incident) -> list[tuple[IncidentRole, Contact]]:
    """The roles of an open incident that are held by somebody who can no longer sign in."""
    held = [(role, incident.person(role)) for role in IncidentRole] if incident.is_open else []
    taken = [(role, contact) for role, contact in held if contact is not None]
    if not taken:
        return []
    disabled = session.scalars(select(Account).where(Account.disabled_at.is_not(None))).all()
    return [
        (role, contact)
        for role, contact in taken
        if any(_is(contact, account) for account in disabled)
    ]


def _is(contact: Contact, account: Account) -> bool:
    """Whether a contact is the owner of an account."""
    if account.contact_id is not None:
        return contact.id == account.contact_id
    return bool(contact.email) and addresses.identity_of(contact.email) == account.email


def _column(role: IncidentRole) -> InstrumentedAttribute[int | None]:
    column: InstrumentedAttribute[int | None] = getattr(Incident, f"{role.value}_id")
    return column
