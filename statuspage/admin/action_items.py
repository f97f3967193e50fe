"""Action items: a list across incidents, overdue first, and the screen of one."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, page_zone, refused
from statuspage.admin.forms import (
    EditForm,
    LineField,
    PostForm,
    RowField,
    TermRadioField,
    WebAddressField,
)
from statuspage.admin.marked_texts import _
from statuspage.admin.time_fields import DayField
from statuspage.configuration import contacts
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import ActionPriority, ActionState
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.core.richtext import clean_line
from statuspage.incidents.review import action_items as actions
from statuspage.incidents.review.action_items import ActionDetails
from statuspage.models import ActionItem, Incident
from statuspage.models.columns import LINE_LIMIT

NEWEST: Final = 50


class ActionForm(EditForm):
    """An action item."""

    text = LineField(N_("What is to be done"), needed=N_("Say what is to be done"))
    owner_id = RowField(N_("Owner"), none=N_("Unassigned"))
    due_on = DayField(N_("Due"))
    priority = TermRadioField(N_("Priority"), ActionPriority, default=ActionPriority.MEDIUM)
    link = WebAddressField(N_("Ticket"))

    def details(self) -> ActionDetails:
        """The item as typed."""
        return ActionDetails(**self.typed())


class NewActionForm(ActionForm, PostForm):
    """An action item that sending the form twice makes once."""


@admin.get("/action-items", endpoint="action_items")
def list_action_items() -> ResponseReturnValue:
    """What is open across incidents, overdue first; or what was settled lately."""
    session = current_session()
    show = "settled" if request.args.get("show") == "settled" else ""
    items = actions.settled_items(session, most=NEWEST) if show else actions.open_items(session)
    today = clock.now().astimezone(page_zone()).date()
    return page("admin/action_items.html", items=items, show=show, today=today)


@admin.route("/incidents/<code>/action-items/new", methods=["GET", "POST"])
def new_action_item(code: str) -> ResponseReturnValue:
    """Add an item to an incident."""
    incident = current_session().scalars(select(Incident).filter_by(code=code)).one()
    form = NewActionForm.read()
    _offer_contacts(form)
    if form.is_accepted():
        with form.refusals():
            key = form.form_key.data
            actions.add_action(code, form.details(), actor=actor(), form_key=key)
            return done(_("The action item is added."), "admin.review", code=code)
    return page("admin/action_item.html", form=form, item=None, incident=incident)


@admin.route("/action-items/<int:item_id>", methods=["GET", "POST"])
def action_item(item_id: int) -> ResponseReturnValue:
    """Change an item."""
    item = current_session().get_one(ActionItem, item_id)
    form = ActionForm.read(actions.details_of(item))
    _offer_contacts(form)
    if form.is_accepted():
        with form.refusals():
            actions.change_action(item_id, form.details(), actor=actor(), seen=form.seen.data)
            return done(_("The action item is saved."), "admin.action_items")
    return page("admin/action_item.html", form=form, item=item, incident=item.incident)


@admin.post("/action-items/<int:item_id>/settle")
def settle_action_item(item_id: int) -> ResponseReturnValue:
    """Say that an item is done or dropped, or open it again."""
    asked = request.form.get("state", "")
    state = ActionState(asked) if asked in set(ActionState) else ActionState.DONE
    outcome = clean_line(request.form.get("outcome", ""))[:LINE_LIMIT]
    try:
        actions.settle_action(item_id, state, outcome, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.action_item", item_id=item_id)
    return done(_("The action item is %(state)s.", state=state.label.lower()), "admin.action_items")


def _offer_contacts(form: ActionForm) -> None:
    form.owner_id.offer([(one.id, one.name) for one in contacts.contacts(current_session())])
