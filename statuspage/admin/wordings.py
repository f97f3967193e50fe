"""The wording of messages: edited beside a live preview, with every version kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from flask import Response, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import HiddenField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, page_zone, refused, the_page
from statuspage.admin.forms import Form, LineField, ProseField
from statuspage.admin.marked_texts import _
from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session
from statuspage.core.diff import changed_lines
from statuspage.core.enums import CLOSED, Audience, Kind, MaintenanceStatus, Step, Visibility
from statuspage.core.languages import ENGLISH, N_, OFFERED, nearest
from statuspage.core.links import current_links
from statuspage.core.richtext import to_html
from statuspage.delivery.sent_copy import SentCopy, fill_copy
from statuspage.incidents.announcement import incident_facts
from statuspage.messages import compose, wording
from statuspage.messages.compose import Composed, Text, finish, unfilled
from statuspage.messages.facts import Facts, moments_of
from statuspage.messages.template_language import TemplateProblem
from statuspage.messages.tokens import token_values
from statuspage.messages.wording import (
    Source,
    TemplateInfo,
    Unfit,
)
from statuspage.models import Account, Incident, Wording

# Mail is styled within itself.  This is the one answer of the admin that may be, so it runs no
# script, sends no form, loads nothing from elsewhere, and counts as nobody's origin.
COPY_POLICY: Final = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
SAMPLE_NAME: Final = N_("Robin Sample")

_READERS: Final = {
    Audience.PUBLIC: N_("On the page and in feeds. Public."),
    Audience.CUSTOMER: N_("By email, to customers of the affected components."),
    Audience.SUBSCRIBER: N_(
        "By email, about the subscription itself. Updates are sent as they’re posted."
    ),
    Audience.INTERNAL: N_("In chat, for colleagues. May contain internal facts."),
    Audience.EXECUTIVE: N_("One line to copy. May contain internal facts."),
    Audience.SUPPORT: N_("To copy into a reply to a customer."),
}
_PLANNED: Final = frozenset(Step(status.value) for status in MaintenanceStatus)
_MOST_SHOWN: Final = 100  # characters of a line that has a problem


class WordingForm(Form):
    """A subject and a body; ``seen`` is the version that they began from."""

    subject = LineField(N_("Subject"), needed=N_("Enter a subject"))
    body = ProseField(N_("Text"), needed=N_("Enter the text"))
    seen = HiddenField()


@dataclass(frozen=True, slots=True)
class Mistake:
    """A problem with the line that has it, parted at its place."""

    problem: TemplateProblem
    before: str
    at: str
    after: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version that was saved, and how it differs from the one before."""

    row: Wording
    author: str
    changes: list[tuple[str, str]]
    is_current: bool


@admin.get("/templates")
def wordings() -> ResponseReturnValue:
    """All templates, by audience and step."""
    groups: dict[Audience, list[tuple[TemplateInfo, Source]]] = {}
    for info in wording.names():
        stored = wording.current_wording(current_session(), info.name, _language(info))
        groups.setdefault(info.audience, []).append((info, stored))
    return page("admin/wordings.html", groups=groups, heard=_READERS)


@admin.route("/templates/<audience>/<step>", endpoint="wording", methods=["GET", "POST"])
def edit_wording(audience: str, step: str) -> ResponseReturnValue:
    """Edit one wording."""
    info = _info(audience, step)
    stored = wording.current_wording(current_session(), info.name, _language(info))
    version = wording.newest_version(current_session(), info.name, _language(info))
    form = WordingForm.read(stored, seen=str(version))
    mistakes: list[Mistake] = []
    if form.is_accepted():
        try:
            wording.save_wording(
                info.name,
                subject=form.subject.data,
                body=form.body.data,
                actor=actor(),
                seen=_read_version(form.seen.data),
                language=_language(info),
            )
            return done(_("Saved. The next message uses this wording."), ".wording", **_of(info))
        except Unfit as unfit:
            mistakes = _show_problems(form, unfit.problems)
        except Conflict as stale:
            stored = cast("Source", stale.current)
            version = wording.newest_version(current_session(), info.name, _language(info))
            _show_change(form, stored, version)
    return page(
        "admin/wording.html",
        form=form,
        info=info,
        stored=stored,
        is_per_scheme=info.name in wording.PER_SCHEME,
        mistakes=mistakes,
        incidents=_incidents(info),
        place=_of(info),
        languages=OFFERED if wording.is_translated(info.name) else (),
        versions=len(wording.history(current_session(), info.name, _language(info))),
        heard=_READERS[info.audience],
        samples=_samples(info),
    )


@admin.route("/templates/<audience>/<step>/preview", methods=["GET", "POST"])
def wording_preview(audience: str, step: str) -> ResponseReturnValue:
    """A wording as it will read, for a frame: what was typed, or what counts now."""
    info = _info(audience, step)
    stored = wording.current_wording(current_session(), info.name, _language(info))
    subject = request.form.get("subject", stored.subject)
    body = request.form.get("body", stored.body)
    facts = _facts(info, request.values.get("about", ""))
    try:
        text = compose.preview(
            info.name, subject=subject, body=body, facts=facts, language=_language(info)
        )
    except Unfit as unfit:
        mistakes = _mistakes(unfit.problems, subject, body)
        return copy_page("admin/wording_preview.html", info=info, mistakes=mistakes)
    gaps = unfilled(text, audience=info.audience, facts=facts)
    finished = finish(
        _fill_gaps(text, gaps),
        audience=info.audience,
        step=info.step,
        facts=facts,
        language=_language(info),
    )
    return copy_page(
        "admin/wording_preview.html",
        info=info,
        mistakes=[],
        gaps=gaps,
        wanted=text.wanted,
        copy=_copy(finished),
        update=to_html(finished.body),
    )


@admin.get("/templates/<audience>/<step>/versions")
def wording_versions(audience: str, step: str) -> ResponseReturnValue:
    """Every version that was saved, with what it changed."""
    info = _info(audience, step)
    return page(
        "admin/wording_versions.html",
        info=info,
        place=_of(info),
        versions=list(_versions(info)),
        shipped=_shipped(info),
    )


@admin.post("/templates/<audience>/<step>/versions/<int:version>/use")
def use_version(audience: str, step: str, version: int) -> ResponseReturnValue:
    """Make an older version count again, as a new one."""
    info = _info(audience, step)
    row = current_session().get_one(Wording, version)
    if row.name != wording.kept_name(current_session(), info.name):
        abort(404)
    try:
        wording.save_wording(
            info.name, subject=row.subject, body=row.body, actor=actor(), language=row.language
        )
    except Unfit as unfit:
        problem = unfit.problems[0]
        reason = _("That version can’t be used any more: %(reason)s.", reason=problem.reason)
        return refused(reason, ".wording_versions", **_of(info))
    return done(_("That version is used again."), ".wording", **_of(info))


@admin.post("/templates/<audience>/<step>/restore")
def restore_wording(audience: str, step: str) -> ResponseReturnValue:
    """Bring the shipped wording back."""
    info = _info(audience, step)
    wording.restore_wording(info.name, actor=actor(), language=_language(info))
    return done(_("The default wording was restored."), ".wording", **_of(info))


def copy_page(template: str, **values: Any) -> Response:
    """A page for a frame that shows what somebody will read, under :data:`COPY_POLICY`."""
    return framed(make_response(render_template(template, **values)))


def framed(response: Response, policy: str = COPY_POLICY) -> Response:
    """Let our own screens, and nobody else, frame an answer that shows what others will see."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


# --- which template, about what ------------------------------------------------------------------


def _info(audience: str, step: str) -> TemplateInfo:
    name = f"{audience}/{step}"
    found = next((info for info in wording.names() if info.name == name), None)
    if found is None:
        abort(404)
    return found


def _of(info: TemplateInfo) -> dict[str, str]:
    place = {"audience": info.audience.value, "step": info.step.value}
    return {**place, "language": _language(info)} if wording.is_translated(info.name) else place


def _language(info: TemplateInfo) -> str:
    """The language whose wording is edited: the one asked for, else the page's own."""
    if not wording.is_translated(info.name):
        return ENGLISH
    site, asked = the_page(), request.args.get("language", "")
    return nearest(asked, default=site.language if site else ENGLISH)


def _samples(info: TemplateInfo) -> dict[str, str]:
    """What each word says in the sample, where a customer's copy fills it too."""
    facts = compose.preview_sample(info.name).public
    values: dict[str, str] = {}
    if info.audience is Audience.CUSTOMER:
        values = token_values(moments_of(facts), zone=facts.zone.key, name=SAMPLE_NAME)
    return {
        one.name: values.get(one.name, one.sample) if one.sample else "" for one in info.variables
    }


def _incidents(info: TemplateInfo) -> Sequence[Incident]:
    """The open incidents that this template could be about, newest first."""
    kind = Kind.MAINTENANCE if info.step in _PLANNED else Kind.INCIDENT
    chosen = select(Incident).where(Incident.kind == kind, Incident.status.not_in(CLOSED))
    if not info.audience.is_inside:
        chosen = chosen.where(Incident.visibility == Visibility.PUBLIC)
    return current_session().scalars(chosen.order_by(Incident.id.desc()).limit(20)).all()


def _facts(info: TemplateInfo, code: str) -> Facts:
    """The facts of the incident that was chosen; of the sample where none was, or it has ended."""
    incident = next((incident for incident in _incidents(info) if incident.code == code), None)
    if incident is None:
        return compose.preview_sample(info.name)
    return incident_facts(incident, info.step)


def _fill_gaps(text: Text, gaps: Sequence[str]) -> Text:
    """The text with a plain placeholder where the incident does not yet know what belongs there."""
    subject, body = text.subject, text.body
    for name in gaps:
        placeholder = _("(%(fact)s: not known yet)", fact=name.replace("_", " "))
        subject, body = (part.replace(f"[[{name}]]", placeholder) for part in (subject, body))
    return Text(subject, body)


def _copy(finished: Composed) -> SentCopy:
    return fill_copy(
        finished.subject,
        finished.text,
        # A link in a frame would load inside it: let it open beside.
        finished.html.replace("<head>", '<head><base target="_blank">', 1),
        moments=finished.moments,
        zone=page_zone().key,
        name=SAMPLE_NAME,
        unsubscribe_url=current_links().home,
        manage_url=current_links().home,
    )


# --- what is wrong, and what changed -------------------------------------------------------------


def _show_problems(form: WordingForm, problems: Sequence[TemplateProblem]) -> list[Mistake]:
    for problem in problems:
        place = _("line %(line)s, ", line=problem.line) if problem.field == "body" else ""
        form.refuse(
            problem.field,
            _(
                "%(place)scolumn %(column)s: %(reason)s",
                place=place,
                column=problem.column,
                reason=problem.reason,
            ),
        )
    return _mistakes(problems, form.subject.data, form.body.data)


def _mistakes(problems: Sequence[TemplateProblem], subject: str, body: str) -> list[Mistake]:
    return [_mark(problem, subject if problem.field == "subject" else body) for problem in problems]


def _mark(problem: TemplateProblem, source: str) -> Mistake:
    """The line of a problem, cut to what is near its place where it is long."""
    lines = source.replace("\r\n", "\n").split("\n")
    line = lines[problem.line - 1] if problem.line <= len(lines) else ""
    start = min(problem.column - 1, len(line))
    found = re.compile(r"\w+|\S|$").search(line, start)
    place, end = (found.start(), found.end()) if found else (start, start)
    first = max(0, place - _MOST_SHOWN // 2)
    last = min(len(line), place + _MOST_SHOWN // 2)
    end = min(end, last)
    before = ("…" if first else "") + line[first:place]
    after = line[end:last] + ("…" if last < len(line) else "")
    return Mistake(problem, before, line[place:end] or " ", after)


def _show_change(form: WordingForm, stored: Source, version: int) -> None:
    form.form_errors.append(
        _(
            "Someone else saved this while you were editing. What you typed is kept; compare "
            "it with the saved version below, and save again to replace it."
        )
    )
    form.seen.data = str(version)
    if stored.subject != form.subject.data:
        form.refuse("subject", _("Now saved here: %(subject)s", subject=stored.subject))


def _read_version(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _versions(info: TemplateInfo) -> Iterator[Version]:
    """Newest first; the first one changed the shipped wording."""
    rows = wording.history(current_session(), info.name, _language(info))
    shipped = _shipped(info)
    every: list[Wording | Source] = [*rows, shipped]
    for row, older in zip(rows, every[1:], strict=True):
        author = current_session().get(Account, row.account_id) if row.account_id else None
        yield Version(
            row,
            author.name if author else _("the command line"),
            changed_lines(_lines(older), _lines(row)),
            is_current=row is rows[0],
        )


def _shipped(info: TemplateInfo) -> Source:
    name = wording.kept_name(current_session(), info.name)
    return wording.shipped_wording(name, _language(info))


def _lines(source: Wording | Source) -> list[str]:
    return [_("Subject: %(subject)s", subject=source.subject), "", *source.body.split("\n")]
