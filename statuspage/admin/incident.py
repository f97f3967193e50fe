"""The screen of an incident: what is promised, the next update, the past ones, and who got them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms import HiddenField

from statuspage.access import accounts
from statuspage.admin import live, promises
from statuspage.admin.audiences import not_notified
from statuspage.admin.auth import actor, signed_in
from statuspage.admin.base import admin, done, page, refused, show_moment, show_time, the_page, zone
from statuspage.admin.cancel_mail import describe_cancel_window
from statuspage.admin.classification import read_classification
from statuspage.admin.deliveries import advise, describe_posted, in_words
from statuspage.admin.drafting import open_draft
from statuspage.admin.fact_notes import (
    Told,
    carried_over,
    facts_by_status,
    fields_of_facts,
    stored_facts,
)
from statuspage.admin.forms import (
    Form,
    LineField,
    NameField,
    PostForm,
    ProseField,
    RowField,
    read_number,
)
from statuspage.admin.incident_form import AFFECTED, facts_as_shown, usual_states
from statuspage.admin.marked_texts import _
from statuspage.admin.notes import shown_notes
from statuspage.admin.previews import TextPreview, name_targets
from statuspage.admin.resolving import begin_last_step, gate_of, show_last_step, what_was_typed
from statuspage.admin.scheduling import edited, schedule_post, shown_schedule
from statuspage.admin.time_fields import MomentField
from statuspage.admin.update_form import OPEN_STATUSES, Posting, UpdateForm
from statuspage.configuration import contacts, public_names, severity
from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session
from statuspage.core.enums import (
    CLOSED,
    ComponentStatus,
    CustomerMail,
    IncidentRole,
    IncidentStatus,
    Kind,
)
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.core.links import current_links
from statuspage.core.richtext import to_html
from statuspage.delivery import report
from statuspage.incidents import drafts, handover, lifecycle, mail_corrections, merge, saved_drafts
from statuspage.incidents.details import Details, change_details
from statuspage.incidents.drafts import copy_texts
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import approval, cancel_window, trial_mail
from statuspage.incidents.responders import of_incident
from statuspage.incidents.scheduled import cancel
from statuspage.intake import suggestions
from statuspage.models import Incident, IncidentNote, IncidentUpdate, Message
from statuspage.recipients.who_receives import Reader

STATES: Final = (ComponentStatus.OPERATIONAL, *AFFECTED)
NEWEST: Final = 20


class DetailsForm(Form):
    """What an incident is called, when it began, and who does what."""

    title = NameField(N_("Title"), needed=N_("Give it a title that a customer would understand"))
    because = LineField(N_("Show it anyway because"))
    started_at = MomentField(
        N_("When it started"), needed=N_("Enter when it started"), not_after_now=True
    )
    commander_id = RowField(IncidentRole.COMMANDER.label, none=N_("Unassigned"))
    technical_lead_id = RowField(IncidentRole.TECHNICAL_LEAD.label, none=N_("Unassigned"))
    comms_lead_id = RowField(IncidentRole.COMMS_LEAD.label, none=N_("Unassigned"))
    scribe_id = RowField(IncidentRole.SCRIBE.label, none=N_("Unassigned"))
    chat_channel = LineField(N_("Chat channel"))
    war_room = LineField(N_("War room"))
    version = HiddenField()

    def role(self, role: IncidentRole) -> RowField:
        """Who holds a role."""
        field: RowField = self[f"{role.value}_id"]  # type: ignore[assignment]
        return field

    def details(self) -> Details:
        """The details as typed."""
        return Details(
            title=self.title.data,
            started_at=self.started_at.data,
            roles={role: self.role(role).data for role in IncidentRole},
            chat_channel=self.chat_channel.data,
            war_room=self.war_room.data,
        )


class CorrectionForm(Form):
    """What an update should have said."""

    body = ProseField(N_("Text"), needed=N_("Write what people should read"))
    because = LineField(N_("Publish anyway because"))
    taken_off_because = LineField(N_("Remove the previous version from the page because"))
    seen = HiddenField()


@admin.route("/incidents/<code>", methods=["GET", "POST"])
def incident(code: str) -> ResponseReturnValue:
    """The screen; publishing an update, resolving and reopening are its one form."""
    incident = _found(code)
    if incident.kind is Kind.MAINTENANCE:
        return redirect(url_for("admin.maintenance_desk", code=code), 303)
    form = _form(incident)
    posting = Posting(incident, form)
    if "publish" in request.form and form.is_accepted():
        if posting.resolves and not form.at_the_end.data:
            return _last_step(posting)
        if _asks_about_older_facts(posting):
            return _screen(posting)
        try:
            with form.refusals():
                if _only_repeats(posting):
                    form.ask_to_repeat()
                    return _screen(posting)
                return schedule_post(posting) if form.publish_at.data else _publish(posting)
        except Conflict:
            incident = _found(code)
            _show_what_changed(incident, form)
        # What others wrote meanwhile, and what was rolled back, is read again.
        posting = Posting(incident, form)
    if form.at_the_end.data and "back" not in request.form:
        if "test" in request.form and form.is_accepted():
            _send_test(posting)
        if "ask_approval" in request.form and form.is_accepted():
            with form.refusals():
                return _ask_approval(posting)
        return _last_step(posting)
    return _screen(posting)


@admin.post("/incidents/<code>/texts")
def incident_texts(code: str) -> ResponseReturnValue:
    """The texts alone, for the script that keeps them beside what is typed."""
    incident = _found(code)
    posting = Posting(incident, _form(incident))
    texts, gate = _texts(posting), {}
    if posting.form.at_the_end.data:
        gate = gate_of(posting, texts["sheets"])
    return page("admin/texts_only.html", form=None, texts_form=posting.form, gate=gate, **texts)


@admin.post("/incidents/<code>/hide")
def hide_incident(code: str) -> ResponseReturnValue:
    """Take an incident off every public surface."""
    _found(code)
    lifecycle.hide(code, actor=actor())
    return done(
        _("It’s internal now: it’s on no public page, feed or API."), "admin.incident", code=code
    )


@admin.get("/incidents/<code>/deliveries")
def incident_deliveries(code: str) -> ResponseReturnValue:
    """Who was notified so far, for the script that asks again."""
    incident = _found(code)
    told = report.tallies(current_session(), incident.id, most=_most())
    quiet = not_notified(incident)
    return page("admin/told.html", told=told, not_notified=quiet, in_words=in_words, advise=advise)


@admin.route("/incidents/<code>/details", methods=["GET", "POST"])
def incident_details(code: str) -> ResponseReturnValue:
    """Change what nobody is notified of."""
    incident = _found(code)
    form = DetailsForm.read(incident, zone=zone())
    people = [(contact.id, contact.name) for contact in contacts.contacts(current_session())]
    for role in IncidentRole:
        form.role(role).offer(people)
    if form.is_accepted():
        try:
            with form.refusals():
                change_details(
                    code,
                    form.details(),
                    actor=actor(),
                    seen_version=read_number(form.version.data),
                    because=form.because.data,
                )
                look = (
                    ""
                    if incident.is_internal
                    else public_names.name_warning(current_session(), form.title.data)
                )
                return done(
                    _("The details are saved.%(look)s", look=look), "admin.incident", code=code
                )
        except Conflict:
            form.form_errors.append(
                _(
                    "Someone else changed this incident while you were editing. What you "
                    "typed is kept; save again to replace theirs."
                )
            )
            incident = _found(code)
            form.version.data = str(incident.version)
    return page("admin/incident_details.html", form=form, incident=incident)


@admin.route("/incidents/<code>/posts/<update_code>", methods=["GET", "POST"])
def correct_post(code: str, update_code: str) -> ResponseReturnValue:
    """Correct what an update says."""
    incident = _found(code)
    update = (
        current_session()
        .scalars(select(IncidentUpdate).filter_by(code=update_code, incident_id=incident.id))
        .one()
    )
    form = CorrectionForm.read(update, seen=len(update.revisions))
    standing = None
    if form.is_accepted():
        try:
            with form.refusals():
                lifecycle.correct_update(
                    update_code,
                    body=form.body.data,
                    actor=actor(),
                    seen_revisions=read_number(form.seen.data),
                    because=form.because.data,
                    taken_off_because=form.taken_off_because.data,
                )
                return _corrected(incident, update)
        except Conflict:
            standing = update.body
            form.seen.data = str(len(update.revisions))
            form.form_errors.append(
                _(
                    "Someone else corrected this update while you were editing. What you "
                    "typed is kept; save again to replace theirs."
                )
            )
    return page(
        "admin/correct_post.html", form=form, incident=incident, update=update, standing=standing
    )


def _corrected(incident: Incident, update: IncidentUpdate) -> ResponseReturnValue:
    """What comes after a correction: putting right what was mailed, where it was."""
    notice = _("The update was corrected and is marked as edited.")
    mailed = mail_corrections.correctable(current_session(), update.id)
    if not mailed:
        return done(notice, "admin.incident", code=incident.code)
    notice += _(" It was also emailed: send a correction here, or leave it.")
    return done(notice, "admin.correct_message", message_id=mailed[0].id)


# --- the form ------------------------------------------------------------------------------------


def _found(code: str) -> Incident:
    chosen = select(Incident).filter_by(code=code).options(joinedload(Incident.tagged))
    return current_session().scalars(chosen).unique().one()


def _form(incident: Incident) -> UpdateForm:
    newest = max((update.id for update in incident.updates), default=0)
    scheduled = edited(incident)
    draft = open_draft(incident, scheduled)
    form = UpdateForm(
        request.form if request.method == "POST" else draft.values,
        zone=zone(),
        users_notice=incident.users_notice,
        status=_likely_status(incident),
        seen_version=draft.shown.seen_version if draft.shown else incident.version,
        scheduled=scheduled.id if scheduled else "",
        seen_update=newest,
        components=_states_before_the_end(incident),
        false_alarm=request.args.get("do") == "false_alarm",
        **facts_as_shown({**incident.public_facts, **incident.internal_facts}),
    )
    form.draft = draft
    offered = _offered(incident)
    form.status.choices = {status.value: status.label for status in offered}
    levels = severity.severity_levels(current_session())
    form.severity_rank.offer(
        [(level.rank, level.name) for level in levels if level.rank != incident.severity_rank]
    )
    return form


def _states_before_the_end(incident: Incident) -> dict[int, ComponentStatus]:
    """What reopening offers: the states that the resolution took away; nothing where it is open."""
    ends = [update for update in incident.updates if update.status == IncidentStatus.RESOLVED]
    if incident.is_open or not ends or request.args.get("do") != "reopen":
        return {}
    last = max(ends, key=lambda update: update.id)
    before = {one["code"]: ComponentStatus(one["old_status"]) for one in last.affected}
    found = {row.component_id: before.get(row.component.code) for row in incident.affected}
    return {key: state for key, state in found.items() if state in AFFECTED}


def _offered(incident: Incident) -> tuple[IncidentStatus, ...]:
    if incident.is_open:
        return (*OPEN_STATUSES, IncidentStatus.RESOLVED)
    return (*OPEN_STATUSES, IncidentStatus.POSTMORTEM)


def _likely_status(incident: Incident) -> IncidentStatus:
    """What the form begins with: the present status, or what the chosen button asks for."""
    asked = request.args.get("do")
    if incident.is_open:
        return (
            IncidentStatus.RESOLVED if asked == "false_alarm" else IncidentStatus(incident.status)
        )
    return IncidentStatus.POSTMORTEM if asked == "review" else IncidentStatus.INVESTIGATING


def _only_repeats(posting: Posting) -> bool:
    incident, form = posting.incident, posting.form
    if form.again.data or not incident.is_open or form.resolves or posting.publishes:
        return False
    # An author who read an older state than there is now is shown the new one instead.
    if read_number(form.seen_version.data) != incident.version:
        return False
    return drafts.repeats(incident, posting.update, posting.drafts)


def _asks_about_older_facts(posting: Posting) -> bool:
    """Have somebody keep or rewrite what was said at another status, before it is said again.

    The last step of a resolution shows its texts whole, and asks for what they say.
    """
    if posting.form.resolves:
        return False
    older = carried_over(posting.incident, posting.form, _told(posting))
    since = stored_facts(posting.incident)
    for fact in older:
        said_at = show_time(since[fact.name])
        posting.form.refuse(
            fact.name, _("This is from %(said_at)s. Keep it or rewrite it", said_at=said_at)
        )
    return bool(older)


def _told(posting: Posting) -> Told:
    mail = posting.level.customer_mail if posting.level else None
    is_each = mail is CustomerMail.EVERY_UPDATE
    return Told(posting.incident.tells_outsiders or posting.publishes, customers=is_each)


def _publish(posting: Posting) -> ResponseReturnValue:
    incident, form = posting.incident, posting.form
    if posting.reopens:
        verb = lifecycle.reopen
    elif posting.publishes:
        verb = lifecycle.make_public
    else:
        verb = lifecycle.post_update
    update = verb(incident.code, posting.update, form.submission())
    saved_drafts.discard_draft(incident.code, actor=actor())
    if form.scheduled.data:
        # What was posted at once is not posted again at its time.
        cancel(incident.code, actor=actor())
    notice = describe_posted(update, update.step.label)
    if form.resolves:
        notice += describe_cancel_window(incident.code)
    return done(notice, "admin.incident", code=incident.code)


def _send_test(posting: Posting) -> None:
    """Send the mail to the signed-in account; the screen stays, and says so."""
    person, form = signed_in(), posting.form
    if person is None:
        return
    try:
        is_new = trial_mail.send_test(
            posting.incident.code,
            posting.update,
            to=Reader(person.email, person.name, None),
            form_key=form.form_key.data or "",
            actor=actor(),
            texts=form.edited_texts(),
        )
    except Invalid as error:
        form.form_errors.append(error.reason)
        return
    form.tried = (
        _("A test is being sent to %(email)s.", email=person.email)
        if is_new
        else (
            _(
                "This exact email has already gone to %(email)s. Change something to send another.",
                email=person.email,
            )
        )
    )


def _ask_approval(posting: Posting) -> ResponseReturnValue:
    asked = approval.ask_approval(
        posting.incident.code,
        posting.update,
        form=what_was_typed(),
        actor=actor(),
        texts=posting.form.edited_texts(),
        choice=posting.form.choice(),
    )
    return redirect(url_for("admin.approval", approval_id=asked.id), 303)


def _show_what_changed(incident: Incident, form: UpdateForm) -> None:
    """Show what somebody else did meanwhile; sent again, the form comes after it."""
    form.form_errors.append(
        _(
            "Someone else changed this incident while you were editing. Nothing was sent, "
            "and what you typed is kept. Read what’s new below, then publish again."
        )
    )
    form.seen_version.data = str(incident.version)


def _texts(posting: Posting) -> dict[str, Any]:
    """What the panel of texts shows; or why they cannot be made."""
    form = posting.form
    promised = form.promise_by(posting.level)
    try:
        form.check_lengths()
        form.carried = [fact.label for fact in carried_over(posting.incident, form, _told(posting))]
        sheets, reason = form.announce(posting.announcement, posting.drafts), ""
        form.hand_out(copy_texts(posting.announcement))
    except Invalid as error:
        sheets, reason = [], error.reason
    return {
        "sheets": sheets,
        "reason": reason,
        "promised": None if form.status.data in CLOSED else promised,
        "mails": bool(form.at_the_end.data),
        "press": _press(posting, sheets),
    }


def _press(posting: Posting, sheets: Sequence[TextPreview]) -> str:
    """What the button says: what it does, and to whom."""
    if posting.resolves:
        return _("Continue to resolve")
    verb = _("Reopen and post") if posting.reopens else _("Post")
    if posting.form.later:
        verb = _("%(verb)s at %(time)s", verb=verb, time=show_moment(posting.form.later))
    found = the_page()
    targets = name_targets(sheets, found.incident_channel if found else "")
    return _("%(verb)s to %(targets)s", verb=verb, targets=targets) if targets else verb


# --- the screens ---------------------------------------------------------------------------------


def _screen(posting: Posting) -> ResponseReturnValue:
    session, incident, form = current_session(), posting.incident, posting.form
    affected = [row.component_id for row in incident.affected]
    is_asked = bool({"do", "scheduled"} & request.args.keys())
    schedule = shown_schedule(incident)
    noted = shown_notes(incident, most=_most(), in_timeline=True)
    updates = list(reversed(incident.updates))[: _most()]
    shows_form = incident.is_open or request.method == "POST" or is_asked
    return page(
        "admin/incident.html",
        form=form,
        incident=incident,
        shows_form=shows_form,
        is_review=form.status.data is IncidentStatus.POSTMORTEM,
        states=STATES,
        number=live.number_of(incident, schedule["scheduled"], noted["last_note"]),
        proposed=usual_states(severity.severity_levels(session)),
        affected=form.components.rows(only=affected),
        others=form.components.rows(but=affected),
        **fields_of_facts(form, facts_by_status(_offered(incident), _told(posting))),
        kept_since=stored_facts(incident),
        updates=updates,
        timeline=_timeline(updates, noted["notes"], is_whole=len(updates) == len(incident.updates)),
        post_count=len(incident.updates),
        seen_update=read_number(form.seen_update.data),
        writers=accounts.names_of(
            current_session(), (update.account_id for update in incident.updates)
        ),
        to_html=to_html,
        roles=[(role.label, incident.person(role)) for role in IncidentRole],
        absent=handover.absent(session, incident),
        public_address=current_links().incident(incident.code),
        told=report.tallies(session, incident.id, most=_most()),
        not_notified=not_notified(incident),
        in_words=in_words,
        advise=advise,
        to_correct=_customers_know_it_is_over(incident),
        targets=merge.merge_targets(session, incident),
        approval=approval.open_approval(session, incident),
        ending=None if incident.is_open else cancel_window.mails_of_resolution(session, incident),
        quiet=promises.quiet(incident) if incident.is_open else None,
        alerts=suggestions.alerts_of_incident(session, incident),
        classification=read_classification(incident),
        responders=of_incident(session, incident),
        **promises.of(incident),
        **noted,
        **schedule,
        **(_texts(posting) if shows_form else {}),
    )


def _timeline(
    updates: Sequence[IncidentUpdate], notes: Sequence[IncidentNote], *, is_whole: bool
) -> list[IncidentUpdate | IncidentNote]:
    """Updates and notes, the newest first; no note is older than the oldest of some updates."""
    oldest = None if is_whole else updates[-1].happened_at
    shown = [note for note in notes if oldest is None or note.happened_at >= oldest]
    return sorted([*shown, *updates], key=lambda one: one.happened_at, reverse=True)


def _last_step(posting: Posting) -> ResponseReturnValue:
    begin_last_step(posting.form)
    return show_last_step(posting, _texts(posting))


def _customers_know_it_is_over(incident: Incident) -> list[Message]:
    """The mails about the newest resolution that can be corrected, to show when it is reopened."""
    ends = [update.id for update in incident.updates if update.status == IncidentStatus.RESOLVED]
    if incident.is_open or not ends:
        return []
    return mail_corrections.correctable(current_session(), max(ends))


def _most() -> int | None:
    """How many updates and messages are shown: the newest, or all that there are."""
    return None if "all" in request.args else NEWEST


@admin.post("/incidents/<code>/merge")
def merge_incident(code: str) -> ResponseReturnValue:
    """End this one as a part of the chosen one, and go on there."""
    form = PostForm.read()
    try:
        seen = read_number(request.form.get("seen_version")) or None
        submission = Submission(actor(), form.form_key.data or "", seen)
        into = merge.merge(code, request.form.get("into", ""), submission)
    except Invalid as error:
        return refused(error.reason, "admin.incident", code=code)
    except Conflict:
        notice = _("Someone else posted an update, so nothing was merged. Read it first.")
        return refused(notice, "admin.incident", code=code)
    return done(
        _("Merged. This incident covers both from now on."), "admin.incident", code=into.code
    )
