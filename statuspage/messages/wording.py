"""The wording of messages: what is shipped, and what people made of it.

Shipped wording lies on disk, ``templates/messages/<audience>/<step>.md``: a line ``Subject: …``, an
empty line, then Markdown.  An edited wording is a row; the newest counts, and one that says
``restored`` means the shipped wording again.  Nothing is saved that could fail to render.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import richtext
from statuspage.core.conflict import check_unchanged
from statuspage.core.db import read_once, writing
from statuspage.core.enums import Audience, Step
from statuspage.core.languages import ENGLISH, locale_name
from statuspage.core.paths import TEMPLATES
from statuspage.messages.markup import CHAT, MARKDOWN, SUBJECT, Dialect
from statuspage.messages.sample_incident import bare_facts, sample_facts
from statuspage.messages.template_language import (
    OUTPUT_LIMIT,
    SUBJECT_LIMIT,
    TemplateFault,
    TemplateProblem,
    find_problems,
    render,
    words_in,
)
from statuspage.messages.template_variables import VARIABLES, Value, values_for, variables_for
from statuspage.messages.tokens import TOKEN, token
from statuspage.models import Wording
from statuspage.models.page import the_page

_FOLDER = TEMPLATES / "messages"

STEPS: dict[Audience, tuple[Step, ...]] = {
    Audience.PUBLIC: (
        Step.INVESTIGATING, Step.IDENTIFIED, Step.MONITORING, Step.NO_CHANGE, Step.RESOLVED,
        Step.FALSE_ALARM, Step.REOPENED, Step.POSTMORTEM, Step.SCHEDULED, Step.REMINDER,
        Step.IN_PROGRESS, Step.VERIFYING, Step.COMPLETED,
    ),
    Audience.CUSTOMER: (
        Step.INVESTIGATING, Step.IDENTIFIED, Step.MONITORING, Step.RESOLVED, Step.FALSE_ALARM,
        Step.REOPENED,
    ),
    Audience.SUBSCRIBER: (Step.CONFIRM, Step.SUBSCRIBED),
    Audience.INTERNAL: (
        Step.DECLARED, Step.UPDATE, Step.CLOSED, Step.UPDATE_DUE, Step.OVERDUE, Step.ESCALATED,
        Step.NOTE_DUE, Step.APPROVAL, Step.NOT_POSTED, Step.REVIEW,
    ),
    Audience.EXECUTIVE: (Step.UPDATE, Step.CLOSED),
    Audience.SUPPORT: (Step.UPDATE, Step.CLOSED),
}  # fmt: skip
"""Every template there is.  Subscribers get the public update."""

PER_SCHEME = frozenset({"internal/review"})
"""Templates of which each severity scheme has a wording of its own."""

_KINDS = {
    Audience.PUBLIC: "Public post",
    Audience.CUSTOMER: "Customer email",
    Audience.SUBSCRIBER: "Subscriber email",
    Audience.INTERNAL: "Internal message",
    Audience.EXECUTIVE: "Line for executives",
    Audience.SUPPORT: "Reply for support",
}


class UnknownTemplate(LookupError):
    """There is no template of that name."""


class Unfit(Exception):
    """A wording that cannot be saved; ``problems`` say where and why."""

    def __init__(self, problems: Sequence[TemplateProblem]) -> None:
        super().__init__("; ".join(f"{p.field} {p.line}:{p.column} {p.reason}" for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Source:
    """The wording of one template in a language; ``edited`` where it is not the shipped one."""

    subject: str
    body: str
    edited: bool = False
    language: str = ENGLISH


@dataclass(frozen=True, slots=True)
class VariableHelp:
    """A word that a template may use: what it means, and what it says in the sample."""

    name: str
    meaning: str
    sample: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """One template, as the admin lists it."""

    name: str
    audience: Audience
    step: Step
    title: str
    variables: tuple[VariableHelp, ...]


def template_name(audience: Audience, step: Step) -> str:
    """``customer/resolved``; :class:`UnknownTemplate` where that audience gets no such step."""
    if step not in STEPS[audience]:
        raise UnknownTemplate(f"{audience}/{step}")
    return f"{audience}/{step}"


def parts_of(name: str) -> tuple[Audience, Step]:
    """Audience and step of a template's name; raises :class:`UnknownTemplate`."""
    audience, _, rest = name.partition("/")
    step, _, _scheme = rest.partition("/")
    try:
        parts = Audience(audience), Step(step)
    except ValueError:
        raise UnknownTemplate(name) from None
    template_name(*parts)
    return parts


def kept_name(session: Session, name: str) -> str:
    """What the wordings of a template are kept under: ``internal/review/p0`` where each scheme has
    its own, else its name.
    """
    page = the_page(session) if name in PER_SCHEME else None
    return f"{name}/{page.scheme}" if page else name


def names() -> list[TemplateInfo]:
    """All templates, by audience and step, with the words that each may use."""
    return [_info(audience, step) for audience, steps in STEPS.items() for step in steps]


@lru_cache
def _info(audience: Audience, step: Step) -> TemplateInfo:
    values = values_for(sample_facts(audience, step), audience)
    return TemplateInfo(
        name=template_name(audience, step),
        audience=audience,
        step=step,
        title=f"{_KINDS[audience]}: {step.label.lower()}",
        variables=tuple(
            VariableHelp(one.name, one.meaning, _as_sample(values[one.name]), one.keys)
            for one in variables_for(audience).values()
        ),
    )


def _as_sample(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(
            item if isinstance(item, str) else " · ".join(item.values()) for item in value
        )
    return str(value)


@lru_cache
def shipped_wording(name: str, language: str = ENGLISH) -> Source:
    """The wording as it is shipped; raises :class:`UnknownTemplate`.

    What outsiders read is there in each ``language``, what colleagues read in English alone.
    """
    audience, step = parts_of(name)
    path = _FOLDER / audience / locale_name(language) / f"{step}.md"
    if not path.is_file():
        own, language = _FOLDER / f"{name}.md", ENGLISH
        path = own if own.is_file() else _FOLDER / audience / f"{step}.md"
    text = path.read_text(encoding="utf-8")
    first, _, body = text.partition("\n")
    return Source(first.removeprefix("Subject:").strip(), body.strip(), language=language)


def is_translated(name: str) -> bool:
    """Whether a template has a wording in each language: what outsiders read has."""
    audience, _ = parts_of(name)
    return audience in {Audience.PUBLIC, Audience.CUSTOMER, Audience.SUBSCRIBER}


def current_wording(session: Session, name: str, language: str = ENGLISH) -> Source:
    """The wording that counts now in a language; raises :class:`UnknownTemplate`."""
    name = kept_name(session, name)
    shipped = shipped_wording(name, language)
    edited = read_once(session, "wordings", lambda: _edited_wordings(session))
    return edited.get((name, shipped.language), shipped)


def _edited_wordings(session: Session) -> dict[tuple[str, str], Source]:
    """The wordings that were edited and not restored, by name and language: there are few."""
    newest = select(func.max(Wording.id)).group_by(Wording.name, Wording.language)
    rows = session.scalars(select(Wording).where(Wording.id.in_(newest), ~Wording.restored))
    return {
        (row.name, row.language): Source(row.subject, row.body, edited=True, language=row.language)
        for row in rows
    }


def history(session: Session, name: str, language: str = ENGLISH) -> list[Wording]:
    """Every version that was saved, newest first; the shipped wording came before them all."""
    parts_of(name)
    kept = kept_name(session, name)
    rows = select(Wording).filter_by(name=kept, language=language).order_by(Wording.id.desc())
    return list(session.scalars(rows))


def newest_version(session: Session, name: str, language: str = ENGLISH) -> int:
    """The id of the version that counts; 0 where nobody ever saved one."""
    kept = kept_name(session, name)
    newest = select(func.max(Wording.id)).filter_by(name=kept, language=language)
    return session.scalar(newest) or 0


def check(name: str, subject: str, body: str) -> list[TemplateProblem]:
    """What keeps a wording from being used, in reading order; empty where it is fit.

    Raises :class:`UnknownTemplate`.  Takes a few milliseconds whatever it is given: what is not on
    the short list is refused before it is compiled.
    """
    audience, step = parts_of(name)
    found = [
        *(replace(problem, field="subject") for problem in _check_subject(subject, audience)),
        *_check_source(body, audience),
    ]
    return found or _check_rendering(Source(subject, body, edited=True), audience, step)


def _check_subject(subject: str, audience: Audience) -> list[TemplateProblem]:
    if len(subject) > SUBJECT_LIMIT:
        return [TemplateProblem(1, SUBJECT_LIMIT + 1, f"longer than {SUBJECT_LIMIT} characters")]
    if subject != richtext.clean_line(subject):
        return [TemplateProblem(1, 1, "a subject is one line, without control characters")]
    if not subject:
        return [TemplateProblem(1, 1, "the subject is missing")]
    return _check_source(subject, audience)


def _check_source(source: str, audience: Audience) -> list[TemplateProblem]:
    variables = variables_for(audience)
    elsewhere = {name: variable for name, variable in VARIABLES.items() if name not in variables}
    found = find_problems(source, variables, elsewhere=elsewhere)
    return found or _check_tokens(source, audience)


def _check_tokens(source: str, audience: Audience) -> list[TemplateProblem]:
    """Tokens may be written out in customers' mail, and nowhere else."""
    return [
        TemplateProblem(
            source.count("\n", 0, found.start()) + 1,
            found.start() - source.rfind("\n", 0, found.start()),
            f"nothing fills {found[0]} here",
        )
        for found in TOKEN.finditer(source)
        if found[0] not in _tokens(audience)
    ]


def _check_rendering(source: Source, audience: Audience, step: Step) -> list[TemplateProblem]:
    """What only shows when it runs: once over all facts, once over as few as can be."""
    sample = sample_facts(audience, step)
    for facts in (sample, bare_facts(audience, step)):
        for field in ("subject", "body"):
            try:
                text, _ = render_part(source, values_for(facts, audience), audience, field)
            except TemplateFault as fault:
                return [TemplateProblem(1, 1, str(fault), field)]
            if facts is sample and not text:
                return [TemplateProblem(1, 1, "nothing comes out of it", field)]
            if facts is sample and (left := _unfilled(text, audience)):
                return [TemplateProblem(1, 1, f"nothing fills {left} here", field)]
    return []


def _unfilled(text: str, audience: Audience) -> str:
    known = _tokens(audience)
    return next((found[0] for found in TOKEN.finditer(text) if found[0] not in known), "")


def _tokens(audience: Audience) -> frozenset[str]:
    """What each recipient's copy is filled with, where the audience is customers."""
    if audience is not Audience.CUSTOMER:
        return frozenset()
    return frozenset(token(one.name) for one in VARIABLES.values() if one.is_token)


def render_part(
    source: Source, values: dict[str, Value], audience: Audience, field: str
) -> tuple[str, tuple[str, ...]]:
    """The ``subject`` or the ``body`` of a wording over plain values, and what it did without.

    Values are written so that they stay data (:mod:`statuspage.messages.markup`).  Raises
    :class:`TemplateFault`.
    """
    variables = variables_for(audience)
    limit = OUTPUT_LIMIT if source.edited else None
    is_subject = field == "subject"
    template = source.subject if is_subject else source.body
    dialect = SUBJECT if is_subject else _dialect(audience)
    # Most wordings say a few of the facts, and a long timeline is dear to write.
    asked_for = {name: values[name] for name in words_in(template) & values.keys()}
    text, asked = render(template, dialect.write(asked_for, variables), limit=limit)
    return richtext.clean_line(text) if is_subject else _tidy(text), asked


def _dialect(audience: Audience) -> Dialect:
    return CHAT if audience.reads_plain else MARKDOWN


def _tidy(text: str) -> str:
    """At most one empty line in a row, no space at a line's end, no double space inside one.

    A margin is kept where it nests a list: one space is what a condition left that said nothing.
    """
    lines: list[str] = []
    for line in richtext.clean(text).split("\n"):
        margin = line[: len(line) - len(line.lstrip())]
        line = (margin if len(margin) > 1 else "") + " ".join(line.split())
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines).strip()


@needs(Permission.TEMPLATES)
def save_wording(
    name: str,
    *,
    subject: str,
    body: str,
    actor: Actor,
    seen: int | None = None,
    language: str = ENGLISH,
) -> Source:
    """Make this the wording that counts.  Raises :class:`Unfit` and :class:`UnknownTemplate`.

    ``seen`` is the :func:`newest_version` that its author began from: where another counts by now,
    this raises :class:`~statuspage.core.conflict.Conflict` with the wording as it stands.
    """
    subject, body = subject.strip(), richtext.clean(body)
    problems = check(name, subject, body)
    if problems:
        raise Unfit(problems)
    with writing() as session:
        before = current_wording(session, name, language)
        if (subject, body) == (before.subject, before.body):
            return before
        check_unchanged(seen, newest_version(session, name, language), before)
        session.add(
            Wording(
                name=kept_name(session, name),
                language=before.language,
                subject=subject,
                body=body,
                account_id=actor.account_id,
            )
        )
        _record(session, actor, "wording.save", name, before, Source(subject, body))
    return Source(subject, body, edited=True, language=before.language)


@needs(Permission.TEMPLATES)
def restore_wording(name: str, *, actor: Actor, language: str = ENGLISH) -> Source:
    """Bring the shipped wording back.  Raises :class:`UnknownTemplate`."""
    with writing() as session:
        shipped = shipped_wording(kept_name(session, name), language)
        before = current_wording(session, name, language)
        if not before.edited:
            return shipped
        session.add(
            Wording(
                name=kept_name(session, name),
                language=shipped.language,
                subject=shipped.subject,
                body=shipped.body,
                restored=True,
                account_id=actor.account_id,
            )
        )
        _record(session, actor, "wording.restore", name, before, shipped)
    return shipped


def _record(
    session: Session, actor: Actor, action: str, name: str, before: Source, after: Source
) -> None:
    audit.record(
        session,
        actor,
        action,
        subject_kind="wording",
        subject=name,
        before=_audited(before),
        after=_audited(after),
    )


def _audited(source: Source) -> dict[str, str]:
    return {"language": source.language, "subject": source.subject, "body": source.body}
