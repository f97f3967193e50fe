"""Action items: what is done so that an incident does not happen again, by whom and by when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Final

from sqlalchemy import case, select
from sqlalchemy.orm import Session, joinedload

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.conflict import check_unchanged, fingerprint
from statuspage.core.db import writing
from statuspage.core.enums import ActionPriority, ActionState
from statuspage.core.errors import Invalid
from statuspage.messages.facts import Facts
from statuspage.messages.markup import markdown_address, markdown_line
from statuspage.models import ActionItem, Contact, Incident

_PARTS: Final = (joinedload(ActionItem.owner), joinedload(ActionItem.incident))


@dataclass(frozen=True, slots=True)
class ActionDetails:
    """An action item as people edit it."""

    text: str
    owner_id: int | None = None
    due_on: date | None = None
    priority: ActionPriority = ActionPriority.MEDIUM
    link: str = ""


def details_of(item: ActionItem) -> ActionDetails:
    """The editable fields of an item."""
    return ActionDetails(**{part.name: getattr(item, part.name) for part in fields(ActionDetails)})


def items_of(session: Session, incident: Incident) -> list[ActionItem]:
    """The action items of an incident, in the order in which they were added."""
    chosen = select(ActionItem).filter_by(incident_id=incident.id).order_by(ActionItem.id)
    return list(session.scalars(chosen.options(joinedload(ActionItem.owner))))


def open_items(session: Session) -> list[ActionItem]:
    """What is open across incidents: what is due first, the gravest of a day first."""
    grave = case({one: one.gravity for one in ActionPriority}, value=ActionItem.priority)
    chosen = (
        select(ActionItem)
        .where(ActionItem.state == ActionState.OPEN)
        .order_by(ActionItem.due_on.is_(None), ActionItem.due_on, grave.desc(), ActionItem.id)
    )
    return list(session.scalars(chosen.options(*_PARTS)))


def settled_items(session: Session, *, most: int) -> list[ActionItem]:
    """What is done or dropped, the latest first."""
    chosen = (
        select(ActionItem)
        .where(ActionItem.state != ActionState.OPEN)
        .order_by(ActionItem.settled_at.desc(), ActionItem.id.desc())
        .limit(most)
    )
    return list(session.scalars(chosen.options(*_PARTS)))


@needs(Permission.DRAFT)
def add_action(
    code: str, details: ActionDetails, *, actor: Actor, form_key: str | None = None
) -> ActionItem:
    """Add an item to an incident, open or over; the one that the form with this key made already.

    Raises :class:`Invalid`.
    """
    with writing() as session:
        if form_key and (earlier := _made_with(session, form_key)):
            return earlier
        incident = session.scalars(select(Incident).filter_by(code=code)).one_or_none()
        if incident is None:
            raise Invalid("incident", "This incident does not exist.")
        _check(session, details)
        item = ActionItem(incident_id=incident.id, form_key=form_key, **asdict(details))
        session.add(item)
        session.flush()
        _record(session, actor, item, "action.add", asdict(details))
        return item


@needs(Permission.DRAFT)
def change_action(
    item_id: int, details: ActionDetails, *, actor: Actor, seen: str | None
) -> ActionItem:
    """Change an item; raises :class:`Invalid`, and
    :class:`~statuspage.core.conflict.Conflict` with the details that are saved by now.
    """
    with writing() as session:
        item = session.get_one(ActionItem, item_id, with_for_update=True)
        saved = details_of(item)
        if details == saved:
            return item
        check_unchanged(seen, fingerprint(saved), saved)
        _check(session, details)
        for name, value in asdict(details).items():
            setattr(item, name, value)
        if details.due_on != saved.due_on:
            item.reminded_on = None
        _record(session, actor, item, "action.change", asdict(details), asdict(saved))
        return item


@needs(Permission.DRAFT)
def settle_action(item_id: int, state: ActionState, outcome: str, *, actor: Actor) -> ActionItem:
    """Say that an item is done, or dropped, with what was done or why; or open it again.

    What is so already stays.  Raises :class:`Invalid` without a word.
    """
    if state is not ActionState.OPEN and not outcome:
        asked = "Say what was done." if state is ActionState.DONE else "Say why it is dropped."
        raise Invalid("outcome", asked)
    with writing() as session:
        item = session.get_one(ActionItem, item_id, with_for_update=True)
        if item.state is state:
            return item
        before, item.state = item.state, state
        item.outcome = outcome
        item.settled_at = None if state is ActionState.OPEN else clock.now()
        after = {"state": state, "outcome": outcome}
        _record(session, actor, item, "action.settle", after, {"state": before})
        return item


def lines(items: Sequence[ActionItem]) -> Iterator[str]:
    """Each item as one line of Markdown: who does what by when, and what became of it."""
    for item in items:
        said = markdown_line(f"{item.owner.name}: {item.text}" if item.owner else item.text)
        if item.due_on:
            said += f" (by {clock.show_date(item.due_on)})"
        if item.link:
            said += f" {markdown_address(item.link) or markdown_line(item.link)}"
        if item.state is not ActionState.OPEN:
            said += f" – {item.state.label.lower()}: {markdown_line(item.outcome)}"
        yield said


def with_follow_ups(session: Session, incident: Incident, facts: Facts) -> Facts:
    """The facts of a closing message: its follow-ups name the open action items too."""
    items = [one for one in items_of(session, incident) if one.state is ActionState.OPEN]
    if not items:
        return facts
    listed = "\n".join(f"- {line}" for line in lines(items))
    told = facts.internal.follow_ups
    return replace(
        facts,
        internal=replace(facts.internal, follow_ups=f"{told}\n\n{listed}" if told else listed),
    )


def _made_with(session: Session, form_key: str) -> ActionItem | None:
    return session.scalars(select(ActionItem).filter_by(form_key=form_key)).one_or_none()


def _check(session: Session, details: ActionDetails) -> None:
    if not details.text:
        raise Invalid("text", "Say what is to be done.")
    if details.owner_id is not None and session.get(Contact, details.owner_id) is None:
        raise Invalid("owner_id", "Pick one of the contacts.")


def _record(
    session: Session,
    actor: Actor,
    item: ActionItem,
    action: str,
    after: Mapping[str, object],
    before: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        session, actor, action, subject_kind="action_item", subject=f"{item.id}: {item.text}"[:200],
        before=before, after=after,
    )  # fmt: skip
