"""What a text says against what is known: causes, times, promises, dates, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from statuspage.core import clock
from statuspage.core.enums import Audience, Step
from statuspage.messages.checks.phrases import Patterns, patterns
from statuspage.messages.checks.rule_types import WHOLE, CheckedText, Span, spans

OPEN: Final = frozenset(
    {
        Step.INVESTIGATING,
        Step.IDENTIFIED,
        Step.MONITORING,
        Step.NO_CHANGE,
        Step.REOPENED,
        Step.UPDATE,
    }
)
_TIME = re.compile(
    r"(?<![A-Za-z0-9_:.,+−-])(?:(?P<hour>[01]?\d|2[0-3])(?:[:：]|h| h |時|\.(?=\d\d Uhr))"
    r"(?P<minute>[0-5]\d)分?(?::[0-5]\d)?"
    r"(?:\s?(?P<half>[ap]\.?m\b\.?))?|(?P<only>1[0-2]|[1-9])\s?(?P<of>[ap]\.?m\b\.?))(?![\d:])",
    re.IGNORECASE,
)
# Abbreviations and offsets that every language writes alike; the others are in its phrases.
_ZONE = re.compile(
    r"(?<![A-Za-z])(?:UTC|GMT|Z|WES?T|CES?T|EES?T|BST|IST|MSK|[ECMPH][SD]?T|AK[SD]T|AE[SD]T|"
    r"AC[SD]T|AW[SD]T|NZ[SD]T|JST|KST|HKT|SGT|SAST|BRT|PKT|WIB|"
    r"[A-Z]\w{1,20}/[A-Z]\w{2,30})(?![A-Za-z])|[+−-]\d\d:?\d\d|\[\["
)
_ZONE_BEFORE = re.compile(r"UTC|GMT|times? in", re.IGNORECASE)
_ALL_TIMES = re.compile(r"(?<!\w)all (?:times|dates and times)(?!\w)", re.IGNORECASE)
_MD_LINK = re.compile(r"\[[^\]\[\n]{0,300}\]\((?P<target>[^)\[\n]{0,1000})\)")
_URL = re.compile(r"(?<!\w)(?:https?|htp|htps|hxxps?|ttps?)(?::/{0,3}|//)[^\s<>)\]]{0,500}", re.IGNORECASE)  # fmt: skip  # noqa: E501
_NOWHERE: Final = ("example", "invalid", "test", "localhost", "local", "internal", "lan")
_HOST = re.compile(r"(?=.{1,253}$)(?:(?!-)[a-z0-9_-]{1,63}\.){1,30}(?!-)[a-z][a-z0-9-]{1,62}", re.IGNORECASE)  # fmt: skip  # noqa: E501
_PLACEHOLDER = re.compile(
    r"(?<!\w)(?:TBD|TBC|TODO|FIXME|X{3,30}|lorem ipsum)(?!\w)|\{\{|\}\}|\{%"
    r"|<(?:insert|time|name|date|component|service)[^>\n]{0,40}>"
    r"|(?<!\[)\[(?:time|name|date|eta|component|service|insert[^\]\n]{0,40}|x{1,30})\](?![\](])",
    re.IGNORECASE,
)


def find_unconfirmed_cause(checked: CheckedText) -> Iterator[Span]:
    """A cause is stated, and none is confirmed."""
    if checked.facts.public.cause or checked.is_maintenance:
        return
    yield from spans(_phrases(checked).cause, checked.text)


def find_unbacked_times(checked: CheckedText) -> Iterator[Span]:
    """A time to come is promised that no fact knows."""
    public, phrases = checked.facts.public, _phrases(checked)
    known = _clocks(
        checked,
        public.expected_back,
        public.expected_before,
        public.watch_until,
        public.next_update,
        public.scheduled_for,
        public.scheduled_until,
    )
    for found in _times(checked.text):
        line, at = _line(checked.text, found.start())
        if _clock(found) in known or not phrases.ahead.search(line):
            continue
        if phrases.before_time.search(line[max(0, at - 40) : at]):
            yield Span(*found.span())
    if known or public.watch_minutes:
        return
    for found in islice(phrases.within.finditer(checked.text), _MOST_TIMES):
        if phrases.ahead.search(_sentence(checked.text, found.start())):
            yield Span(*found.span())


def find_missing_zone(checked: CheckedText) -> Iterator[Span]:
    """A time of day without a zone."""
    phrases = _phrases(checked)
    if "zone" in phrases.missing or _ALL_TIMES.search(checked.text):
        return
    for found in _times(checked.text):
        after = checked.text[found.end() : found.end() + 90].split("\n")[0]
        before = checked.text[max(0, found.start() - 30) : found.start()].split("\n")[-1]
        if _ZONE.search(after) or phrases.zone.search(after):
            continue
        if not _ZONE_BEFORE.search(before) and not phrases.zone.search(before):
            yield Span(*found.span())


def find_contradictions(checked: CheckedText) -> Iterator[Span]:
    """Times in the wrong order, or other ones than the facts know."""
    public = checked.facts.public
    if public.started and public.ended and public.ended < public.started:
        yield Span(0, 0, "The facts say that it ended before it started.")
    if public.next_update and public.ended is None and public.next_update <= clock.now():
        yield Span(0, 0, "The next update is promised for a time that has passed.")
    if checked.is_maintenance:
        return
    for found in _times(checked.text):
        line, at = _line(checked.text, found.start())
        yield from _contradicted(checked, found, line[max(0, at - 30) : at])


def _contradicted(checked: CheckedText, found: re.Match[str], before: str) -> Iterator[Span]:
    public = checked.facts.public
    phrases = _phrases(checked)
    began, over = _last(phrases.began, before), max(_last(phrases.over, before), before.rfind("–"))
    if began > over and public.started:
        moment, what = public.started, "it started"
    elif over > began and public.ended and checked.step not in OPEN:
        moment, what = public.ended, "it ended"
    else:
        return
    promised = (public.next_update, public.expected_back, public.expected_before)
    known = _clocks(checked, public.started, public.ended, *promised)
    if _clock(found) not in known:
        shown = clock.show(moment, public.zone, public.language)
        yield Span(*found.span(), f"The facts say that {what} at {shown}.")


def find_no_apology(checked: CheckedText) -> Iterator[Span]:
    """It is over, and nobody said sorry."""
    phrases = _phrases(checked)
    if checked.step is not Step.RESOLVED or "apology" in phrases.missing:
        return
    if not phrases.apology.search(checked.text):
        yield WHOLE


def find_present_tense(checked: CheckedText) -> Iterator[Span]:
    """It is over, and a sentence reads as if trouble or work went on.

    Not one that asks or supposes, like “If payments fail again, contact us”.
    """
    phrases = _phrases(checked)
    if checked.step is not Step.RESOLVED or checked.is_maintenance:
        return
    for found in islice(phrases.ongoing.finditer(checked.text), _MOST_TIMES):
        sentence = _sentence(checked.text, found.start())
        if not phrases.supposed.search(sentence):
            yield Span(*found.span())


def find_no_next_update(checked: CheckedText) -> Iterator[Span]:
    """It goes on, and nobody knows when the next update comes."""
    phrases = _phrases(checked)
    if checked.step not in OPEN or checked.is_maintenance or "next_update" in phrases.missing:
        return
    if checked.audience is Audience.SUPPORT:
        return  # an answer to one of them: it leads to the page
    if checked.audience is Audience.CUSTOMER and checked.step is Step.MONITORING:
        return  # their next mail is the resolution's
    moment = checked.facts.public.next_update
    if "[[next_update]]" in checked.text:
        return
    if moment and any(_clock(one) in _clocks(checked, moment) for one in _times(checked.text)):
        return
    for found in islice(phrases.next_update.finditer(checked.text), _MOST_TIMES):
        sentence = _sentence(checked.text, found.start())
        if _TIME.search(sentence) or phrases.within.search(sentence):
            return
    yield WHOLE


def find_dead_links(checked: CheckedText) -> Iterator[Span]:
    """Links that lead nowhere by their form; nothing is asked over the network."""
    for found in _MD_LINK.finditer(checked.text):
        target = found["target"].strip().strip("<>").split(" ")[0]
        if not target.startswith("mailto:") and not _leads_somewhere(target, checked):
            yield Span(*found.span())
    for found in _URL.finditer(checked.text):
        if not _leads_somewhere(found[0].rstrip(".,;:!?'\""), checked):
            yield Span(*found.span())


def _leads_somewhere(target: str, checked: CheckedText) -> bool:
    public = checked.facts.public
    try:
        parts = urlsplit(target)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    ours = {urlsplit(url).hostname for url in (public.page_url, public.support_url) if url}
    if parts.scheme not in {"http", "https"} or port == 0:
        return False
    if host in ours:
        return True
    try:
        host = host.encode("idna").decode()
    except UnicodeError:
        return False
    is_reserved = host.rpartition(".")[2] in _NOWHERE or host.endswith(
        ("example.com", "example.org", "example.net")
    )
    return _HOST.fullmatch(host) is not None and not is_reserved


def find_placeholders(checked: CheckedText) -> Iterator[Span]:
    """Something was to be filled in."""
    yield from spans(_PLACEHOLDER, checked.text)
    yield from spans(_phrases(checked).placeholder, checked.text)


# --- times in texts ------------------------------------------------------------------------------


def _clocks(checked: CheckedText, *moments: datetime | None) -> set[tuple[int, int]]:
    """The times of day of these moments, on the page's clock and on UTC's."""
    zones = (checked.facts.public.zone, UTC)
    local = [moment.astimezone(zone) for moment in moments if moment for zone in zones]
    return {(moment.hour, moment.minute) for moment in local}


def _clock(found: re.Match[str]) -> tuple[int, int]:
    hour, minute = int(found["hour"] or found["only"]), int(found["minute"] or 0)
    half = (found["half"] or found["of"] or "")[:1].lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return hour, minute


_MOST_TIMES: Final = 200
_ENDS: Final = (". ", "! ", "? ", "。", "؟ ")


def _phrases(checked: CheckedText) -> Patterns:
    return patterns(checked.facts.public.language)


def _times(text: str) -> Iterator[re.Match[str]]:
    """The clock times of a text; more than anybody would write are left out."""
    return islice(_TIME.finditer(text), _MOST_TIMES)


def _line(text: str, at: int) -> tuple[str, int]:
    """The text around a place on its line, at most 160 characters to a side."""
    start = max(text.rfind("\n", max(0, at - 160), at) + 1, at - 160, 0)
    end = text.find("\n", at, at + 160)
    return text[start : end if end >= 0 else at + 160], at - start


def _sentence(text: str, at: int) -> str:
    line, place = _line(text, at)
    start = max(line.rfind(end, 0, place) for end in _ENDS) + 1
    ends = [found for end in _ENDS if (found := line.find(end, place)) >= 0]
    return line[start : min(ends, default=len(line))]


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((found.start() for found in pattern.finditer(text)), default=-1)
