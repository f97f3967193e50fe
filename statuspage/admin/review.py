"""The review of an incident: read, edited, approved, exported, and a part of it made public."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from flask import Response, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import BooleanField, HiddenField, SelectField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, page_zone, refused, show_moment, zone
from statuspage.admin.fact_notes import stored_facts
from statuspage.admin.forms import Form, LineField, ProseField, read_number
from statuspage.admin.marked_texts import _, ngettext
from statuspage.admin.time_fields import MomentField
from statuspage.core import clock
from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session
from statuspage.core.diff import changed_lines
from statuspage.core.enums import IncidentStatus, Kind, Milestone, ReviewState
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.core.richtext import to_html
from statuspage.incidents import saved_drafts
from statuspage.incidents.review import action_items, documents, evidence, export, meeting
from statuspage.incidents.review.documents import ReviewText
from statuspage.incidents.review.evidence import ReviewEntry
from statuspage.models import Contact, Incident, Review, ReviewVersion, SavedDraft

NEW_ENTRIES: Final = 3
_CHANGED: Final = N_(
    "Someone else saved this review while you were editing. What you typed is kept; "
    "save again to replace theirs."
)


class SectionForm(Form):
    """One section."""

    body = ProseField(N_("Text"), render_kw={"rows": 6})


class EntryForm(Form):
    """One line of the timeline; a new one that is left empty is none."""

    at = MomentField(N_("When"))
    text = LineField(N_("What happened"))
    mark = SelectField(
        N_("Marks"), choices={"": N_("Nothing")} | {one.value: one.label for one in Milestone}
    )
    dropped = BooleanField(N_("Leave out"))

    def entry(self, before: ReviewEntry | None, number: int) -> ReviewEntry:
        """The entry as typed; ``before`` is what it was, None for a new one."""
        at = self.at.data
        # The field shows whole minutes: what nobody changed stays to the second.
        if before and (at is None or self.at.write(before.at) == self.at._value()):
            at = before.at
        key = before.key if before else f"own:{at.isoformat()}:{number}:{self.text.data}"
        return ReviewEntry(
            key,
            at,
            self.text.data,
            before.source if before else _("Added"),
            Milestone(self.mark.data) if self.mark.data else None,
            bool(self.dropped.data) and before is not None,
        )


class ReviewForm(Form):
    """The whole document: a field for each section, a row for each entry, and some for new ones.

    Its rows are those of the version ``base``; ``seen`` is the one that saving it replaces.
    """

    base = HiddenField()
    seen = HiddenField()

    def __init__(self, sent: Any, stored: ReviewText, **values: Any) -> None:
        super().__init__(sent, **values)
        self.stored = stored
        self.sections = [
            SectionForm(sent, prefix=f"section-{number}-", body=body)
            for number, (_heading, body) in enumerate(stored.sections)
        ]
        for row, (heading, _body) in zip(self.sections, stored.sections, strict=True):
            row.body.label.text = heading
        entries: list[ReviewEntry | None] = [*stored.timeline, *[None] * NEW_ENTRIES]
        self.entries = [
            EntryForm(
                sent,
                prefix=f"entry-{number}-",
                zone=self.zone,
                at=entry.at if entry else None,
                text=entry.text if entry else "",
                mark=entry.mark.value if entry and entry.mark else "",
                dropped=entry.dropped if entry else False,
            )
            for number, entry in enumerate(entries)
        ]

    @property
    def known(self) -> list[tuple[EntryForm, ReviewEntry]]:
        """The rows of what the timeline has, each with what it was."""
        return list(zip(self.entries, self.stored.timeline, strict=False))

    @property
    def new(self) -> list[EntryForm]:
        """The rows for what is added."""
        return self.entries[len(self.stored.timeline) :]

    def validate(self, extra_validators: Any = None) -> bool:
        """Every row; what was added has its time and its text."""
        rows: list[Form] = [*self.sections, *self.entries]
        is_valid = all([super().validate(extra_validators), *(row.validate() for row in rows)])
        for row in self.new:
            if row.text.data and not row.at.data and not row.at.errors:
                row.refuse("at", _("Enter when it happened"))
                is_valid = False
            if row.at.data and not row.text.data:
                row.refuse("text", _("Write what happened"))
                is_valid = False
        return is_valid

    def refuse(self, name: str, reason: str) -> None:
        """Show a reason beside the field of that name, in its row where it is a row's."""
        kind, _, rest = name.partition("-")
        number, _, field = rest.partition("-")
        if kind not in {"section", "entry"} or not number.isdigit():
            super().refuse(name, reason)
            return
        rows: Sequence[Form] = self.sections if kind == "section" else self._filled()
        rows[int(number)].refuse(field, reason)
        self.form_errors.append(reason)

    @property
    def is_refused(self) -> bool:
        """Whether something has to be corrected before it can be taken."""
        rows: list[Form] = [*self.sections, *self.entries]
        return super().is_refused or any(row.is_refused for row in rows)

    def draft(self) -> ReviewText:
        """The review as typed, its timeline in the order of time."""
        sections = [
            (heading, row.body.data)
            for (heading, _body), row in zip(self.stored.sections, self.sections, strict=True)
        ]
        return ReviewText(sections, [entry for _row, entry in self._typed()])

    def show_change(self, now: ReviewText) -> None:
        """Show what somebody else saved meanwhile; sent again, the form goes over it."""
        self.form_errors.append(_CHANGED)
        saved = dict(now.sections)
        for (heading, _body), row in zip(self.stored.sections, self.sections, strict=True):
            if saved.get(heading, "") != row.body.data:
                row.refuse(
                    "body", _("Now saved here: %(text)s", text=saved.get(heading) or _("nothing"))
                )
        entries = {entry.key: entry for entry in now.timeline}
        for line, entry in self.known:
            theirs = entries.get(entry.key, entry)
            if theirs != entry:
                line.refuse("text", _("Now saved here: %(entry)s", entry=_said(theirs)))

    def _filled(self) -> list[Form]:
        return [row for row, _ in self._typed()]

    def _typed(self) -> list[tuple[EntryForm, ReviewEntry]]:
        befores = [*self.stored.timeline, *[None] * NEW_ENTRIES]
        made = [
            (row, row.entry(before, number))
            for number, (row, before) in enumerate(zip(self.entries, befores, strict=True))
            if before or (row.text.data and row.at.data)
        ]
        return sorted(made, key=lambda pair: pair[1].at)


@dataclass(frozen=True, slots=True)
class ReviewChange:
    """A version that was saved, and how it differs from the one before."""

    row: ReviewVersion
    changes: list[tuple[str, str]]


@admin.get("/incidents/<code>/review")
def review(code: str) -> ResponseReturnValue:
    """The review as colleagues read it."""
    incident, found = _found(code)
    items: dict[str, Any] = {
        "action_items": action_items.items_of(current_session(), incident),
        "today": clock.now().astimezone(page_zone()).date(),
    }
    if found is None:
        return page("admin/review.html", incident=incident, review=None, **items)
    owner, planned = incident.review_owner_id, meeting.meeting_of(current_session(), found)
    people = meeting.attendees_of(current_session(), planned) if planned else []
    return page(
        "admin/review.html",
        meeting=planned,
        attendees=[contact.name for contact in people],
        incident=incident,
        review=found,
        owner=current_session().get(Contact, owner) if owner else None,
        may_approve=found.state is not ReviewState.APPROVED,
        empty=[heading for heading, body in found.sections if not body],
        moment=clock.now(),
        **items,
        **_shown(incident, documents.content_of(found)),
    )


@admin.post("/incidents/<code>/review")
def begin_review(code: str) -> ResponseReturnValue:
    """Begin it with what is known."""
    _found(code)
    try:
        documents.begin(code, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.incident", code=code)
    return done(_("The review is started with what is known."), "admin.review", code=code)


@admin.route("/incidents/<code>/review/edit", methods=["GET", "POST"])
def edit_review(code: str) -> ResponseReturnValue:
    """Edit the sections and the timeline."""
    incident, found = _found(code)
    if found is None or found.state is ReviewState.APPROVED:
        return refused(_("Reopen the review before changing it."), "admin.review", code=code)
    form = _form(found)
    shown: dict[str, Any] = {}
    if form.is_accepted():
        if "preview" in request.form:
            shown = _shown(incident, form.draft())
        else:
            try:
                with form.refusals():
                    seen = read_number(form.seen.data)
                    documents.save(code, form.draft(), actor=actor(), seen=seen)
                    return done(_("The review is saved."), "admin.review", code=code)
            except Conflict as conflict:
                form.show_change(conflict.current)  # type: ignore[arg-type]
                form.seen.data = str(_found(code)[1].version)  # type: ignore[union-attr]
    return page(
        "admin/edit_review.html",
        form=form,
        incident=incident,
        preview=shown,
    )


@admin.post("/incidents/<code>/review/entries")
def add_review_entries(code: str) -> ResponseReturnValue:
    """Add to the timeline what has become known since."""
    _found(code)
    try:
        count = documents.add_new_entries(code, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.review", code=code)
    added = ngettext("%(num)s entry was added.", "%(num)s entries were added.", count)
    notice = added if count else _("The timeline has everything that is known.")
    return done(notice, "admin.review", code=code)


@admin.post("/incidents/<code>/review/request")
def request_review_approval(code: str) -> ResponseReturnValue:
    """Say that it is complete."""
    return _move(
        code,
        _("The review is ready to be approved."),
        lambda seen: documents.request_approval(code, actor=actor(), seen=seen),
    )


@admin.post("/incidents/<code>/review/approve")
def approve_review(code: str) -> ResponseReturnValue:
    """Approve it as it stands."""
    return _move(
        code,
        _("The review is approved."),
        lambda seen: documents.approve(code, actor=actor(), seen=seen),
    )


@admin.post("/incidents/<code>/review/reopen")
def reopen_review(code: str) -> ResponseReturnValue:
    """Make it a draft again."""
    because = request.form.get("because", "").strip()[:200]
    return _move(
        code,
        _("The review is a draft again."),
        lambda seen: documents.reopen_review(code, because, actor=actor(), seen=seen),
    )


@admin.post("/incidents/<code>/review/public")
def publish_review(code: str) -> ResponseReturnValue:
    """Open the chosen sections alone as the text of the postmortem update, to check and publish."""
    incident, found = _found(code)
    if found is None:
        abort(404)
    text = export.public_part(documents.content_of(found), request.form.getlist("section"))
    if not text:
        return refused(_("Choose a section that has a text."), "admin.review", code=code)
    person = actor()
    if current_session().get(SavedDraft, (incident.id, person.account_id)):
        notice = _("You have a draft of an update already. Post or discard it first.")
        return refused(notice, "admin.incident", code=code, do="review", _anchor="post")
    # The text says nothing of the facts, so nobody is asked whether they are still true.
    kept = [("still_true", name) for name in stored_facts(incident)]
    values = [("status", IncidentStatus.POSTMORTEM.value), ("text_public", text), *kept]
    version = incident.version
    saved_drafts.save_draft(code, values, form_key="", seen_version=version, actor=person)
    notice = _("Check the text: only the chosen sections are in it. Nothing is published yet.")
    return done(notice, "admin.incident", code=code, do="review", _anchor="post")


@admin.get("/incidents/<code>/review/versions")
def review_versions(code: str) -> ResponseReturnValue:
    """Who changed what."""
    incident, found = _found(code)
    versions = list(_versions(found)) if found else []
    return page("admin/review_versions.html", incident=incident, versions=versions)


@admin.get("/incidents/<code>/review/export/<kind>")
def export_review(code: str, kind: str) -> ResponseReturnValue:
    """The whole review as a file, for colleagues."""
    incident, found = _found(code)
    if found is None or kind not in {"md", "html"}:
        abort(404)
    draft = documents.content_of(found)
    figures = evidence.figures(current_session(), incident, draft.timeline)
    items = action_items.items_of(current_session(), incident)
    text = export.to_markdown(incident, draft, figures, items, page_zone())
    if kind == "md":
        answer = Response(text, mimetype="text/markdown")
    else:
        body = to_html(text.partition("\n\n")[2], top=2)
        answer = page("admin/review_export.html", incident=incident, body=body)
    name = f"review-{incident.started_at:%Y-%m-%d}-{incident.code}.{kind}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _found(code: str) -> tuple[Incident, Review | None]:
    session = current_session()
    incident = session.scalars(select(Incident).filter_by(code=code, kind=Kind.INCIDENT)).one()
    return incident, documents.review_of(session, incident)


def _form(found: Review) -> ReviewForm:
    """The form on the version that its author began from."""
    sent = request.form if request.method == "POST" else None
    base = read_number(sent.get("base")) if sent else found.version
    version = next((one for one in found.versions if one.number == base), found.versions[-1])
    now = str(version.number)
    return ReviewForm(sent, documents.content_of(version), zone=zone(), base=now, seen=now)


def _shown(incident: Incident, draft: ReviewText) -> dict[str, Any]:
    figures = evidence.figures(current_session(), incident, draft.timeline)
    return {
        "figures": list(export.figure_lines(figures)),
        "sections": [(heading, to_html(body)) for heading, body in draft.sections],
        "timeline": [entry for entry in draft.timeline if not entry.dropped],
    }


def _move(code: str, notice: str, verb: Callable[[int | None], object]) -> ResponseReturnValue:
    _found(code)
    try:
        verb(read_number(request.form.get("seen")) or None)
    except Invalid as error:
        return refused(error.reason, "admin.review", code=code)
    except Conflict:
        notice = _("Someone else saved this review meanwhile, so nothing was done. Read it first.")
        return refused(notice, "admin.review", code=code)
    return done(notice, "admin.review", code=code)


def _versions(found: Review) -> Iterator[ReviewChange]:
    """Newest first, each with what it changed."""
    rows = list(reversed(found.versions))
    texts = [*(_lines(documents.content_of(row)) for row in rows), []]
    for row, (after, before) in zip(rows, pairwise(texts), strict=True):
        yield ReviewChange(row, changed_lines(before, after))


def _said(entry: ReviewEntry) -> str:
    if entry.dropped:
        return _("left out")
    mark = f"[{entry.mark.label}] " if entry.mark else ""
    return f"{show_moment(entry.at)}: {mark}{entry.text}"


def _lines(draft: ReviewText) -> list[str]:
    lines = [
        line
        for heading, body in draft.sections
        for line in (heading.upper(), *body.split("\n"), "")
    ]
    return lines + [_said(entry) for entry in draft.timeline if not entry.dropped]
