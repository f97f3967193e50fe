"""Declaring an incident: one form, and beside it every text that would go out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, HiddenField, SelectMultipleField

from statuspage.admin.auth import signed_in
from statuspage.admin.base import admin, done, page, the_page, zone
from statuspage.admin.declaration_drafting import OfferedDrafts, offered_drafts
from statuspage.admin.fact_notes import Told, facts_by_status, fields_of_facts
from statuspage.admin.forms import LineField, NameField, ProseField, RowField, TermRadioField
from statuspage.admin.incident_form import (
    AFFECTED,
    ChosenRadioField,
    ImpactField,
    IncidentForm,
    usual_states,
    what_follows,
)
from statuspage.admin.marked_texts import _
from statuspage.admin.previews import TextPreview, name_targets
from statuspage.admin.time_fields import MomentField
from statuspage.configuration import contacts, incident_templates, severity
from statuspage.configuration.incident_templates import TemplateDetails
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session
from statuspage.core.enums import (
    ComponentStatus,
    CustomerMail,
    IncidentRole,
    IncidentStatus,
    Visibility,
)
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.incidents import lifecycle
from statuspage.incidents.announcement import of_declaration
from statuspage.incidents.drafts import copy_texts, drafts
from statuspage.incidents.inputs import Declaration, Drill
from statuspage.incidents.responders import Responders, responders
from statuspage.intake import suggestions
from statuspage.messages import facts
from statuspage.models import Account, Incident, SeverityLevel, Suggestion

FIRST_STATUSES = (
    IncidentStatus.INVESTIGATING,
    IncidentStatus.IDENTIFIED,
    IncidentStatus.MONITORING,
)


# Down to this rank an incident is an outage or close to one, by every preset of the schemes.
GRAVE_RANK = 2


def _read_rank(text: Any) -> int | None:
    return int(text) if text not in {None, ""} else None


class DeclareForm(IncidentForm):
    """An incident as it is declared."""

    breadth = ChosenRadioField(
        N_("How many are affected"),
        N_("Choose how many are affected"),
        choices={
            "some": N_("These"),
            "all": N_("All components"),
            "unknown": N_("Cannot say yet"),
        },
        default="some",
    )
    title = NameField(N_("Title"), needed=N_("Give it a title that a customer would understand"))
    severity_rank = ChosenRadioField(
        N_("Severity"), N_("Choose how severe it is"), coerce=_read_rank
    )
    impact = ImpactField(N_("Impact"), N_("By severity"))
    started_at = MomentField(
        N_("When it started"), needed=N_("Enter when it started"), not_after_now=True
    )
    status = TermRadioField(
        N_("Status of the first update"), FIRST_STATUSES, default=IncidentStatus.INVESTIGATING
    )
    visibility = TermRadioField(N_("Who may see it"), Visibility, default=Visibility.PUBLIC)
    commander = RowField(IncidentRole.COMMANDER.label, none=N_("Unassigned"))
    technical_lead = RowField(
        IncidentRole.TECHNICAL_LEAD.label, none=N_("Component’s owner, if any")
    )
    comms_lead = RowField(IncidentRole.COMMS_LEAD.label, none=N_("Unassigned"))
    scribe = RowField(IncidentRole.SCRIBE.label, none=N_("Unassigned"))
    chat_channel = LineField(N_("Chat channel"))
    war_room = LineField(N_("War room"))

    # What alerts proposed, where it is declared from that.
    suggestion = HiddenField()
    template_key = HiddenField()

    # A page of its own begins a drill: no box to forget, on either.
    is_drill = HiddenField()
    drill_contacts = SelectMultipleField(N_("Colleagues"), coerce=int, default=())
    drill_addresses = ProseField(N_("Other addresses"))
    drill_chat = BooleanField(N_("Chat rooms too"))

    def ask_for_parts(self, level: SeverityLevel | None) -> bool:
        """Whether a grave incident names no component, and nobody said why; then that is asked.

        Without one, the page would show everything as operational below the incident.
        """
        is_grave = level is not None and level.rank <= GRAVE_RANK
        is_open = self.breadth.data == "some" and not self.components.data
        if is_grave and is_open and self.components.rows():
            self.refuse(
                "components",
                _("Choose the affected components, “All components” or “Cannot say yet”"),
            )
            return True
        return False

    def states(self, level: SeverityLevel | None) -> dict[int, ComponentStatus]:
        """The states that are chosen; of all components where all are affected."""
        chosen = self.components.data
        if self.breadth.data != "all" or level is None:
            return chosen
        usual = usual_states([level])[level.rank]
        every = [row.id for group in self.components.rows() for row in group.rows]
        return {**dict.fromkeys(every, usual), **chosen}

    def role(self, role: IncidentRole) -> RowField:
        """Who holds a role."""
        field: RowField = self[role.value]  # type: ignore[assignment]
        return field

    def drill(self) -> Drill | None:
        """Drill recipients; None for an incident that is none."""
        if not self.is_drill.data:
            return None
        chosen = [
            one
            for one in contacts.contacts(current_session())
            if one.id in (self.drill_contacts.data or ())
        ]
        people = [(one.email, one.name) for one in chosen if one.email]
        typed = re.split(r"[\s,;]+", self.drill_addresses.data or "")
        people += [(address, "") for address in typed if address]
        rooms = current_settings().chat_rooms if self.drill_chat.data else ()
        return Drill(people, tuple(rooms))

    def declaration(self, level: SeverityLevel | None) -> Declaration:
        """The incident as typed; what is not chosen yet is left open."""
        return Declaration(
            title=self.title.data,
            severity_rank=level.rank if level else 0,
            users_notice=self.users_notice.data,
            components=self.states(level),
            started_at=self.started_at.data,
            status=self.status.data or IncidentStatus.INVESTIGATING,
            visibility=self.visibility.data or Visibility.PUBLIC,
            roles={role: self.role(role).data for role in IncidentRole},
            chat_channel=self.chat_channel.data,
            war_room=self.war_room.data,
            next_update_at=self.promise_by(level),
            no_promise_because=self.no_promise(),
            drill=self.drill(),
            public_facts=_known(self.public_facts()),
            internal_facts=_known(self.internal_facts()),
            form_key=self.form_key.data or "",
            impact=self.impact.impact,
            suggestion=self.suggestion.data or "",
            template_key=self.template_key.data or "",
        )


@admin.route("/incidents/new", methods=["GET", "POST"])
def new_incident() -> ResponseReturnValue:
    """Declare an incident and publish its first update; or only look at the texts."""
    offered = offered_drafts()
    form, levels = _form(offered)
    is_whole = "publish" in request.form and form.is_accepted()
    if is_whole and not form.ask_for_parts(_level(form, levels)):
        with form.refusals():
            incident = lifecycle.declare(form.declaration(_level(form, levels)), form.submission())
            return done(_notice(incident), "admin.incident", code=incident.code)
    sheets, reason = _sheets(form, levels)
    return page(
        "admin/declare.html",
        form=form,
        drafts=offered,
        drill_contacts=form.drill_contacts.choices,
        components=form.components.rows(),
        states=AFFECTED,
        proposed=usual_states(levels),
        templates=incident_templates.incident_templates(current_session()),
        chosen=request.args.get("template", ""),
        suggestion=suggestions.find_suggestion(current_session(), form.suggestion.data or ""),
        **fields_of_facts(form, facts_by_status(FIRST_STATUSES, _told(levels), declares=True)),
        levels={level.rank: what_follows(level) for level in levels},
        sheets=sheets,
        reason=reason,
        promised=form.promise_by(_level(form, levels)),
        press=_press(form, sheets),
        responders=_responders(form, levels),
    )


@admin.post("/incidents/new/texts")
def new_incident_texts() -> ResponseReturnValue:
    """The texts alone, for the script that keeps them beside what is typed."""
    form, levels = _form()
    sheets, reason = _sheets(form, levels)
    return page(
        "admin/texts_only.html",
        form=None,
        texts_form=form,
        sheets=sheets,
        reason=reason,
        promised=form.promise_by(_level(form, levels)),
        mails=False,
        press=_press(form, sheets),
        responders=_responders(form, levels),
    )


def _responders(form: DeclareForm, levels: list[SeverityLevel]) -> Responders:
    declaration = form.declaration(_level(form, levels))
    return responders(current_session(), declaration.components, declaration.template_key)


def _press(form: DeclareForm, sheets: Sequence[TextPreview]) -> str:
    """What the button says: what it does, and to whom."""
    found = the_page()
    targets = name_targets(sheets, found.incident_channel if found else "")
    if form.is_drill.data:
        return (
            _("Start the drill with %(targets)s", targets=targets)
            if targets
            else _("Start the drill")
        )
    if form.visibility.data is Visibility.INTERNAL:
        return _("Declare to %(targets)s", targets=targets) if targets else _("Declare internally")
    return _("Publish to %(targets)s", targets=targets) if targets else _("Publish")


def _told(levels: Sequence[SeverityLevel]) -> Told:
    """Customers, where any severity has them emailed with each update."""
    each = any(level.customer_mail is CustomerMail.EVERY_UPDATE for level in levels)
    return Told(outside=True, customers=each)


def _notice(incident: Incident) -> str:
    if incident.is_drill:
        return _("The drill has started. Only its recipients are notified.")
    where = _("It’s internal.") if incident.is_internal else _("It’s on the page.")
    return _("Declared. %(where)s", where=where)


def _form(offered: OfferedDrafts | None = None) -> tuple[DeclareForm, list[SeverityLevel]]:
    session = current_session()
    found = the_page()
    person = signed_in()
    account = session.get(Account, person.account_id) if person else None
    form = DeclareForm(
        request.form if request.method == "POST" else offered and offered.values,
        zone=zone(),
        **{
            "started_at": clock.now(),
            "is_drill": "1" if request.args.get("drill") else "",
            "drill_addresses": account.email if account else "",
            "comms_lead": account.contact_id if account else None,
            "chat_channel": found.incident_channel if found else "",
            **_begun(),
        },
    )
    if request.method == "GET":
        # A refused form has its focus where the reasons stand.
        form.title.render_kw = {"autofocus": True}
    levels = severity.severity_levels(session)
    form.severity_rank.choices = [(level.rank, level.name) for level in levels]
    known = contacts.contacts(session)
    form.drill_contacts.choices = [(contact.id, contact.name) for contact in known if contact.email]
    people = [(contact.id, contact.name) for contact in known]
    for role in IncidentRole:
        form.role(role).offer(people)
    return form, levels


def _begun() -> dict[str, Any]:
    """What the chosen template fills in, and the suggestion that it is declared from."""
    if request.method == "POST":
        return {}
    session, asked = current_session(), request.args
    suggestion = suggestions.find_suggestion(session, asked.get("suggestion", ""))
    begun = _suggested(suggestion) if suggestion else {}
    chosen = incident_templates.find_template(session, asked.get("template", ""))
    if chosen is None:
        return begun
    # The alerts know what is affected, and since when; the template has words for customers.
    known = {name: value for name, value in begun.items() if value is not None}
    return {
        **_of_template(chosen.details), **known,
        "title": chosen.details.title, "template_key": chosen.key,
    }  # fmt: skip


def _suggested(suggestion: Suggestion) -> dict[str, Any]:
    """What alerts know; their own words are internal facts."""
    rank, component = suggestion.severity_rank, suggestion.component
    begun: dict[str, Any] = {"title": suggestion.title}
    if component is not None:
        usual = usual_states(severity.severity_levels(current_session()))
        state = usual.get(rank or 0, ComponentStatus.DEGRADED_PERFORMANCE)
        begun["components"] = {component.id: state}
    seen = f"{suggestion.title}\n\n{suggestion.text}".strip()
    return begun | {
        "suggestion": suggestion.code,
        "severity_rank": rank,
        "started_at": suggestion.started_at,
        **facts.of_alert(seen=seen, link=suggestion.url, detected=suggestion.first_at),
    }


def _of_template(details: TemplateDetails) -> dict[str, Any]:
    return {
        "title": details.title,
        "severity_rank": details.severity_rank,
        **details.facts(),
        "components": incident_templates.components_of(current_session(), details),
    }


def _sheets(form: DeclareForm, levels: list[SeverityLevel]) -> tuple[list[TextPreview], str]:
    """The texts as they would go out now; or why they cannot be made."""
    declaration = form.declaration(_level(form, levels))
    try:
        form.check_lengths()
        announcement = replace(of_declaration(declaration), choice=form.choice())
        sheets = form.announce(announcement, drafts(announcement, form.edited_texts()))
        form.hand_out(copy_texts(announcement))
        return sheets, ""
    except Invalid as error:
        return [], error.reason


def _level(form: DeclareForm, levels: list[SeverityLevel]) -> SeverityLevel | None:
    chosen = form.severity_rank.data
    return next((level for level in levels if level.rank == chosen), None)


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in ("", False, {})}
