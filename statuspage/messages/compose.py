"""Facts become a text that people may edit, and an edited text becomes what is sent.

:func:`compose` gives the text; :func:`finish` gives what is sent.  Whatever a text still lacks
stands in it as a token such as ``[[users_notice]]``: :func:`unfilled` names them, and
:func:`finish` refuses a text that has any, so nothing is sent with a gap.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from sqlalchemy.orm import Session

from statuspage.core import richtext
from statuspage.core.enums import Audience, Step
from statuspage.core.languages import ENGLISH, direction, prefix, translations
from statuspage.core.paths import TEMPLATES
from statuspage.messages.facts import Facts, PublicFacts, facts_in, moments_of
from statuspage.messages.sample_incident import sample_facts
from statuspage.messages.template_language import TemplateFault, TemplateProblem
from statuspage.messages.template_variables import phrase, values_for
from statuspage.messages.tokens import TOKEN, disarm, fillable, page_times, token
from statuspage.messages.wording import (
    Source,
    Unfit,
    check,
    current_wording,
    parts_of,
    render_part,
    shipped_wording,
    template_name,
)

log = logging.getLogger(__name__)

_FOLDER = TEMPLATES / "email"

DRILL = "[DRILL]"
DRILL_BANNER = "This is a drill. Nothing is wrong, and no action is needed."


@dataclass(frozen=True, slots=True)
class Text:
    """A message as people edit it: a subject, and Markdown (plain text for chat), with tokens.

    ``wanted`` are facts that the wording would say if they were known; ``fell_back``: an
    edited wording failed and the shipped one was used.  Neither counts when texts are compared.
    """

    subject: str
    body: str
    wanted: tuple[str, ...] = field(default=(), compare=False)
    fell_back: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Composed:
    """What is kept and sent: ``body`` is the Markdown that was published.

    ``text`` and ``html`` are a mail, with tokens as :mod:`statuspage.delivery.channels.provider`
    fills them, or for colleagues the chat message; a public update has neither.  ``moments`` are
    the times behind the tokens, ISO 8601 in UTC.  ``versions`` are ``text`` and ``html`` in the
    frames of other languages, by language: what the company wrote is the same in all of them.
    """

    subject: str
    body: str
    text: str = ""
    html: str = ""
    moments: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Unfinished(ValueError):
    """A text that lacks something; ``tokens`` are the names of what it lacks."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        super().__init__(f"nothing is known for {', '.join(tokens)}")
        self.tokens = tokens


def compose(
    session: Session, facts: Facts, *, audience: Audience, step: Step, language: str = ""
) -> Text:
    """The text for an audience about a step, in the wording that counts now.

    In ``language``, else in that of the facts, where the template has a wording in it.

    An edited wording that fails falls back to the shipped one and says so: no message is lost.
    Raises :class:`~statuspage.messages.wording.UnknownTemplate`.
    """
    name = template_name(audience, step)
    language = language or facts.public.language
    source = current_wording(session, name, language)
    try:
        return render_text(source, facts, audience)
    except TemplateFault as fault:
        if not source.edited:
            raise
        log.error("the edited wording of %s failed, the shipped one is used: %s", name, fault)
    text = render_text(shipped_wording(name, language), facts, audience)
    return Text(text.subject, text.body, wanted=text.wanted, fell_back=True)


def preview(
    name: str, *, subject: str, body: str, facts: Facts | None = None, language: str = ENGLISH
) -> Text:
    """The text of a wording that is not saved, on ``facts`` or on the sample.

    Raises :class:`~statuspage.messages.wording.Unfit` with what keeps it from being saved.
    """
    subject, body = subject.strip(), richtext.clean(body)
    if problems := check(name, subject, body):
        raise Unfit(problems)
    audience, _ = parts_of(name)
    try:
        source = Source(subject, body, edited=True, language=language)
        return render_text(source, facts or preview_sample(name), audience)
    except TemplateFault as fault:
        raise Unfit([TemplateProblem(1, 1, str(fault))]) from fault


def preview_sample(name: str) -> Facts:
    """A made-up incident at that template's step, with every fact filled in."""
    return sample_facts(*parts_of(name))


def render_text(source: Source, facts: Facts, audience: Audience) -> Text:
    """The text that a wording makes of facts; :class:`TemplateFault` where it fails."""
    values = values_for(facts, audience, source.language)
    subject, _ = render_part(source, values, audience, "subject")
    body, wanted = render_part(source, values, audience, "body")
    return Text(subject, body, wanted=wanted)


def compose_versions(
    session: Session, facts: Facts, *, audience: Audience, step: Step, languages: Iterable[str]
) -> dict[str, tuple[Text, Facts]]:
    """The text in each of these languages in which every fact has a text, with its facts.

    One that lacks something is left out: its readers get the page's own.
    """
    found: dict[str, tuple[Text, Facts]] = {}
    if audience not in {Audience.PUBLIC, Audience.CUSTOMER}:
        return found
    for language in languages:
        if language == facts.public.language or (known := facts_in(facts, language)) is None:
            continue
        text = compose(session, known, audience=audience, step=step)
        if not unfilled(text, audience=audience, facts=known):
            found[language] = (text, known)
    return found


def unfilled(text: Text, *, audience: Audience, facts: Facts) -> tuple[str, ...]:
    """What a text lacks: the tokens in it that nothing will fill, each once, in reading order."""
    known = {token(name) for name in _fillable(audience, facts.public)}
    found = (match for part in (text.subject, text.body) for match in TOKEN.finditer(part))
    return tuple(dict.fromkeys(match[1] for match in found if match[0] not in known))


def _fillable(audience: Audience, facts: PublicFacts) -> frozenset[str]:
    return fillable(moments_of(facts)) if audience is Audience.CUSTOMER else frozenset()


def finish(
    text: Text,
    *,
    audience: Audience,
    step: Step,
    facts: Facts,
    language: str = ENGLISH,
    versions: Mapping[str, tuple[Text, Facts]] | None = None,
    own: str | None = None,
) -> Composed:
    """What is sent: a mail as text and HTML, or for colleagues a chat message.

    A mail and its frame are in ``language``; ``versions`` are the texts in other languages, with
    the facts in them.  ``own`` is the page's own language, where that is another one.

    Raises :class:`Unfinished` where the text still lacks something.
    """
    if lacking := unfilled(text, audience=audience, facts=facts):
        raise Unfinished(lacking)
    if facts.public.drill:
        text = as_drill(text, audience)
    subject, body = richtext.clean_line(text.subject), richtext.clean(text.body)
    if audience is Audience.PUBLIC:
        return Composed(subject, body, versions=_other_posts(versions or {}))
    if audience.reads_plain:
        return Composed(subject, body, text=body)
    own = own or language
    mail = _mail(subject, body, audience, step, facts.public, language, own=own)
    return replace(mail, versions=_other_mails(audience, step, versions or {}, own=own))


def _other_posts(versions: Mapping[str, tuple[Text, Facts]]) -> dict[str, dict[str, str]]:
    return {
        language: {"subject": richtext.clean_line(text.subject), "body": richtext.clean(text.body)}
        for language, (text, _) in versions.items()
    }


def _other_mails(
    audience: Audience, step: Step, versions: Mapping[str, tuple[Text, Facts]], *, own: str
) -> dict[str, dict[str, str]]:
    made = {}
    for language, (text, facts) in versions.items():
        if facts.public.drill:
            text = as_drill(text, audience)
        subject, body = richtext.clean_line(text.subject), richtext.clean(text.body)
        mail = _mail(subject, body, audience, step, facts.public, language, own=own)
        made[language] = {"subject": mail.subject, "text": mail.text, "html": mail.html}
    return made


def as_drill(text: Text, audience: Audience) -> Text:
    """A text that says of itself that it is a drill, in its subject and before all else."""
    if text.subject.startswith(DRILL):
        return text
    banner = DRILL_BANNER if audience.reads_plain else f"**{DRILL_BANNER}**"
    return replace(text, subject=f"{DRILL} {text.subject}", body=f"{banner}\n\n{text.body}")


def finish_for_subscribers(
    update: Composed,
    *,
    step: Step,
    facts: Facts,
    language: str = ENGLISH,
    versions: Mapping[str, tuple[Text, Facts]] | None = None,
) -> Composed:
    """A finished public update as the mail to subscribers: the same words, in a mail's frame.

    The times in it that the facts know become tokens, so that each reads them in their own zone.
    """
    made = {}
    for other, (text, known) in (versions or {}).items():
        mail = _for_subscribers(text, step, known.public, other, own=language)
        made[other] = {"subject": mail.subject, "text": mail.text, "html": mail.html}
    text = Text(update.subject, update.body)
    mail = _for_subscribers(text, step, facts.public, language, own=language)
    return replace(mail, body=update.body, versions=made)


def _for_subscribers(
    update: Text, step: Step, public: PublicFacts, language: str, *, own: str
) -> Composed:
    if public.drill:
        update = as_drill(update, Audience.SUBSCRIBER)
    shown = page_times(moments_of(public), zone=public.zone.key, locale=language)
    subject, body = f"{update.subject} ({disarm(public.service)})", update.body
    # The longest first: a span begins with a time.
    for name in sorted(shown, key=lambda name: len(shown[name]), reverse=True):
        body = body.replace(shown[name], token(name))
    return _mail(subject, body, Audience.SUBSCRIBER, step, public, language, own=own)


def finish_notice(
    text: Text, *, facts: Facts, url: str, language: str, versions: Mapping[str, Text]
) -> Composed:
    """A notice as the mail to subscribers: the words of the page, in a mail's frame.

    ``versions`` are its texts in other languages; ``url`` is its own page.
    """
    public = replace(facts.public, incident_url=url)
    own, *others = (
        _notice(said, replace(public, title=said.subject), tongue, own=language)
        for tongue, said in ((language, text), *versions.items())
    )
    made = {
        tongue: {"subject": mail.subject, "text": mail.text, "html": mail.html}
        for tongue, mail in zip(versions, others, strict=True)
    }
    return replace(own, versions=made)


def _notice(text: Text, facts: PublicFacts, language: str, *, own: str) -> Composed:
    subject = disarm(richtext.clean_line(f"{text.subject} ({facts.service})"))
    body = disarm(richtext.clean(text.body))
    return _mail(subject, body, Audience.SUBSCRIBER, Step.NOTICE, facts, language, own=own)


def finish_for_colleagues(
    text: Text, *, step: Step, facts: Facts, language: str = "en"
) -> Composed:
    """A text for colleagues as it is sent by chat and by mail: the same words, and a mail's frame.

    Raises :class:`Unfinished` where the text still lacks something.
    """
    note = finish(text, audience=Audience.INTERNAL, step=step, facts=facts)
    frame = _frame(Audience.INTERNAL, step, facts.public, language, own=language) | {
        "subject": note.subject,
        "body": _as_paragraphs(note.body),
        "preheader": _opening(note.body),
        "admin_url": facts.internal.admin_url,
    }
    html = _inliner.inline(_layouts(language).get_template("layout.html").render(frame))
    return replace(note, html=_as_html_tokens(html))


def finish_for_account(text: Text, *, facts: Facts, has_link: bool) -> Composed:
    """A mail to the owner of an account, about the account alone.

    Its link is a token, ``[[account_url]]``, that is filled in when it is sent: no copy that is
    kept holds it.
    """
    subject, body = disarm(richtext.clean_line(text.subject)), disarm(richtext.clean(text.body))
    link = f"{_OPEN}account_url{_CLOSE}" if has_link else ""
    frame = _frame(Audience.INTERNAL, Step.ACCOUNT, facts.public, ENGLISH, own=ENGLISH) | {
        "subject": subject,
        "body": _as_paragraphs(body),
        "preheader": _opening(body),
        "admin_url": link,
    }
    html = _inliner.inline(_layouts(ENGLISH).get_template("layout.html").render(frame))
    # A token in an address is written in percent signs by whoever inlines the styles.
    html = _MARKED_IN_LINK.sub(rf"{_OPEN}\1{_CLOSE}", html)
    plain = f"{body}\n\n{link}".strip() + "\n"
    return Composed(subject, body, text=_as_tokens(plain), html=_as_html_tokens(html))


# While Markdown and HTML are made, tokens are marks that no text can hold: what was written as a
# token stays one, and nothing else becomes one.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARKED = re.compile(f"{_OPEN}([a-z_]+){_CLOSE}")
_MARKED_IN_LINK = re.compile("%EE%80%80([a-z_]+)%EE%80%81")


def _mail(
    subject: str,
    body: str,
    audience: Audience,
    step: Step,
    facts: PublicFacts,
    language: str,
    *,
    own: str,
) -> Composed:
    """A mail in the frame of a language; ``own`` is the page's."""
    moments = moments_of(facts)
    marked = _mark(body, fillable(moments))
    home = f"{facts.page_url.rstrip('/')}/"
    text = richtext.to_text(marked, home=home)
    content = {
        "subject": _mark(subject, fillable(moments)),
        "body": richtext.to_html(marked, top=2, home=home),
        "text": text,
        "preheader": _opening(text),
    }
    context = _frame(audience, step, facts, language, own=own) | content
    layouts = _layouts(language)
    html = _inliner.inline(layouts.get_template("layout.html").render(context))
    if lacking := _MARKED_IN_LINK.findall(html):
        raise Unfinished(tuple(dict.fromkeys(lacking)))
    plain = layouts.get_template("layout.txt").render(context).strip() + "\n"
    return Composed(
        subject=subject,
        body=body,
        text=_as_tokens(plain),
        html=_as_html_tokens(html),
        moments=moments,
    )


def _frame(
    audience: Audience, step: Step, facts: PublicFacts, language: str, *, own: str
) -> dict[str, object]:
    """The frame around the text of a mail; the text itself is in the page's ``own`` language."""
    home = facts.page_url.rstrip("/")
    before = home + prefix(language, own=own)
    names = [name for name, _ in facts.components]
    return {
        "language": language,
        "own": own,
        "direction": direction(language),
        "audience": audience,
        "step": step,
        "cancelled": facts.cancelled,
        "drill": DRILL_BANNER if facts.drill else "",
        "service": facts.service,
        "accent": facts.accent,
        "title": facts.title,
        "components": names,
        "affected": phrase(names, language),
        "incident_url": before + (facts.incident_url or facts.page_url).removeprefix(home),
        "page_url": f"{before}/",
        "unsubscribe_url": f"{_OPEN}unsubscribe_url{_CLOSE}",
        "manage_url": f"{_OPEN}manage_url{_CLOSE}",
        "code": facts.incident_url.rpartition("/")[2],
    }


def _as_paragraphs(text: str) -> Markup:
    """Plain text as HTML: its lines as they are."""
    paragraphs = (
        Markup("<br>\n").join(part.split("\n")) for part in text.split("\n\n") if part.strip()
    )
    return Markup("\n").join(Markup("<p>{}</p>").format(part) for part in paragraphs)


def _mark(text: str, names: Iterable[str]) -> str:
    for name in names:
        text = text.replace(token(name), f"{_OPEN}{name}{_CLOSE}")
    return text


def _as_tokens(text: str) -> str:
    return _MARKED.sub(r"[[\1]]", disarm(text))


def _as_html_tokens(html: str) -> str:
    return _MARKED.sub(r"[[html:\1]]", html.replace("[[", "[&#91;"))


def _opening(text: str) -> str:
    """The first words after the greeting: what a list of mails shows beside the subject."""
    paragraphs = text.split("\n\n")
    first = next((part for part in paragraphs if not _GREETING.search(part)), paragraphs[0])
    line = " ".join(first.split())
    return line if len(line) <= 140 else line[:139].rsplit(" ", 1)[0] + "…"


_GREETING = re.compile(rf"[,،:：]\Z|\A{_OPEN}greeting{_CLOSE}\Z")


@lru_cache(maxsize=16)
def _layouts(language: str) -> Environment:
    """The frames of mails, bound to one language."""
    layouts = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    layouts.policies["ext.i18n.trimmed"] = True
    layouts.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return layouts


_inliner = css_inline.CSSInliner(load_remote_stylesheets=False)
