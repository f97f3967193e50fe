"""What is left to do after set-up, each with its state found from the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from statuspage.access.permissions import Permission
from statuspage.admin.auth import SignedIn, actor, signed_in
from statuspage.admin.base import admin, done, the_page
from statuspage.admin.marked_texts import _
from statuspage.configuration import page_settings
from statuspage.core import clock
from statuspage.core.address import identity_of
from statuspage.core.config import current_settings
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery.channel_trial import TEST_KEY
from statuspage.models import Account, Customer, Delivery, Incident, Invitation

_ARRIVED: Final = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)


@dataclass(frozen=True, slots=True)
class SetupItem:
    """Something to do once, where it is done, and whether it has been; ``note`` says how far."""

    title: str
    why: str
    url: str
    is_done: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """What the data say about each item."""

    tested: bool
    test_waits: bool
    colleagues: bool
    invited: bool
    customers: bool
    drills: bool


def setup_items(session: Session) -> list[SetupItem]:
    """The checklist; empty where it was dismissed, is whole, or is not for whoever is signed in."""
    person, page = signed_in(), the_page()
    if person is None or not person.may(Permission.SETTINGS):
        return []
    if page is None or page.is_demo or page.checklist_dismissed_at is not None:
        return []
    items = _items(_find(session, person), has_second_factor=person.has_second_factor)
    return [] if all(item.is_done for item in items) else items


@admin.post("/checklist/dismiss")
def dismiss_checklist() -> ResponseReturnValue:
    """Show the checklist no more, to nobody."""
    page_settings.dismiss_checklist(actor=actor())
    return done(_("The checklist is hidden."), "admin.dashboard")


def _items(found: _Found, *, has_second_factor: bool) -> list[SetupItem]:
    return [
        SetupItem(
            _("Send yourself a test email"), _("See that emails arrive before they have to."),
            url_for("admin.delivery_channels"), found.tested, _test_note(found),
        ),
        SetupItem(
            _("Set up chat"), _("Colleagues are notified there first: set CHAT_URLS."),
            url_for("admin.delivery_channels"), current_settings().has_chat,
        ),
        SetupItem(
            _("Invite a colleague"), _("Somebody must be able to post while you’re away."),
            url_for("admin.accounts"), found.colleagues,
            _("Invitation sent") if found.invited and not found.colleagues else "",
        ),
        SetupItem(
            _("Import customers"), _("They get an email when a severe incident is resolved."),
            url_for("admin.import_customers"), found.customers,
        ),
        SetupItem(
            _("Run a drill"), _("Practice an incident; only its recipients are notified."),
            url_for("admin.new_incident", drill=1), found.drills,
        ),
        SetupItem(
            _("Set up your second factor"), _("A stolen password then isn’t enough to sign in."),
            url_for("admin.second_factor"), has_second_factor,
        ),
        SetupItem(
            _("Require a second factor"), _("Nobody needs one yet: set REQUIRE_SECOND_FACTOR."),
            url_for("admin.accounts"), bool(current_settings().require_second_factor),
        ),
    ]  # fmt: skip


def _test_note(found: _Found) -> str:
    if found.tested and current_settings().mail_channel == "file":
        return _("Written to a file: email isn’t set up")
    return _("Not accepted yet") if found.test_waits and not found.tested else ""


def _find(session: Session, person: SignedIn) -> _Found:
    """What the data say, in one statement."""
    test = exists().where(
        Delivery.address == identity_of(person.email),
        Delivery.channel == Channel.EMAIL,
        Delivery.step_key.startswith(TEST_KEY, autoescape=True),
    )
    invitation = exists().where(
        Invitation.email != person.email,
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > clock.now(),
    )
    row = session.execute(
        select(
            test.where(Delivery.state.in_(_ARRIVED)),
            test,
            exists().where(Account.id != person.account_id, Account.disabled_at.is_(None)),
            invitation,
            exists().where(Customer.id.is_not(None)),
            exists().where(Incident.is_drill.is_(True)),
        )
    ).one()
    return _Found(*(bool(value) for value in row))
