"""What a text says against what is known: causes, times, promises, dates, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from statuspage.core import clock
from statuspage.core.enums import Audience, Step
from statuspage.messages.checks.rules import WHOLE, CheckedText, Span

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
_CAUSE = re.compile(
    r"(?<!\w)(?:caused by|because of|due to|root cause (?:is|was)|the cause (?:is|was)|as a "
    r"result of|"
    r"result(?:ed|s|ing) from|triggered by|stemm(?:ed|ing) from|traced (?:back )?to|"
    r"originat(?:ed|es|ing) (?:from|in|at)|attributed to|blamed on|led to by)(?!\w)",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?<![\w:.,+−-])(?:(?P<hour>[01]?\d|2[0-3])[:h](?P<minute>[0-5]\d)(?::[0-5]\d)?"
    r"(?:\s?(?P<half>[ap]\.?m\b\.?))?|(?P<only>1[0-2]|[1-9])\s?(?P<of>[ap]\.?m\b\.?))(?![\d:])",
    re.IGNORECASE,
)
_ZONE = re.compile(
    r"(?<![A-Za-z])(?:UTC|GMT|Z|WES?T|CES?T|EES?T|BST|IST|MSK|[ECMPH][SD]?T|AK[SD]T|AE[SD]T|"
    r"AC[SD]T|"
    r"AW[SD]T|NZ[SD]T|JST|KST|HKT|SGT|SAST|BRT|PKT|WIB|local time|your time|[A-Z]\w{2,20} time|"
    r"Pacific|Eastern|Central European|[A-Z]\w{2,20}/[A-Z]\w{2,30})(?![A-Za-z])|[+−-]\d\d:?\d\d|"
    r"\[\["
)
_AHEAD = re.compile(
    r"(?<!\w)(?:will|shall|expect\w{0,3}|aim\w{0,3}|plan(?:s|ned|ning)?|should|estimat\w{1,4}|ETA|"
    r"next update|hear from us|anticipat\w{1,4}|promise|intend\w{0,3})(?!\w)",
    re.IGNORECASE,
)
_BEFORE_TIME = re.compile(r"(?:by|until|till|before|around|about|at|from|after|"
r"ETA:?)\W{1,3}(?:\w{3,9}\W{1,2}\d{1,2}\W{1,2}(?:\d{4}\W{1,2})?)?$", re.IGNORECASE)  # fmt: skip
_WITHIN = re.compile(
    r"(?<!\w)(?:with)?in (?:the )?(?:next |about |around |approximately |roughly |under |less "
    r"than |"
    r"another |coming |a further )?(?:\d{1,3}|an?|one|two|three|four|five|six|ten|fifteen|twenty|"
    r"thirty|"
    r"forty-five|sixty|ninety|few|a few|couple of|a couple of|half an|several)?"
    r"(?:(?: to |-|–)\d{1,3})?[ -]?(?:minutes?|mins?|hours?|hrs?|days?)(?!\w)"
    r"|(?<!\w)(?:every|each) \d{1,3} (?:minutes|hours)(?!\w)"
    r"|(?<!\w)(?:tonight|tomorrow|by (?:the )?end of (?:the )?(?:day|week)|later today|"
    r"this (?:afternoon|evening))(?!\w)",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"\[\[next_update\]\]|(?<!\w)(?:next update|(?:another|further|more) updates?|update (?:you "
    r")?(?:again )?"
    r"(?:by|at|in|within)|(?:hear|write|report|post|updates?)(?: \w+){0,4} (?:by|at|in|within|"
    r"every))"
    r"(?!\w)",
    re.IGNORECASE,
)
_BEGAN = re.compile(r"(?<!\w)(?:since|from|start(?:ed|ing)|began|beginning)(?!\w)", re.IGNORECASE)
_OVER = re.compile(
    r"(?<!\w)(?:until|till|to|ended|over|resolved|restored|recovered|fixed)(?!\w)|–", re.IGNORECASE
)
_APOLOGY = re.compile(r"(?<!\w)(?:apolog\w{2,6}|sorry|regret)(?!\w)", re.IGNORECASE)
_MD_LINK = re.compile(r"\[[^\]\[\n]{0,300}\]\((?P<target>[^)\[\n]{0,1000})\)")
_URL = re.compile(r"(?<!\w)(?:https?|htp|htps|hxxps?|ttps?)(?::/{0,3}|//)[^\s<>)\]]{0,500}", re.IGNORECASE)  # fmt: skip  # noqa: E501
_NOWHERE: Final = ("example", "invalid", "test", "localhost", "local", "internal", "lan")
_HOST = re.compile(r"(?=.{1,253}$)(?:(?!-)[a-z0-9_-]{1,63}\.)+(?!-)[a-z][a-z0-9-]{1,62}", re.IGNORECASE)  # fmt: skip  # noqa: E501
_PLACEHOLDER = re.compile(
    r"(?<!\w)(?:TBD|TBC|TODO|FIXME|XXX+|lorem ipsum|insert \w+ here)(?!\w)|\{\{|\}\}|\{%"
    r"|<(?:insert|time|name|date|component|service)[^>\n]{0,40}>"
    r"|(?<!\[)\[(?:time|name|date|eta|component|service|insert[^\]\n]{0,40}|x+)\](?![\](])",
    re.IGNORECASE,
)


def find_unconfirmed_cause(checked: CheckedText) -> Iterator[Span]:
    """A cause is stated, and none is confirmed."""
    if checked.facts.public.cause or checked.is_maintenance:
        return
    yield from _spans(_CAUSE, checked.text)


def find_unbacked_times(checked: CheckedText) -> Iterator[Span]:
    """A time to come is promised that no fact knows."""
    public = checked.facts.public
    known = _clocks(
        checked,
        public.expected_back,
        public.next_update,
        public.scheduled_for,
        public.scheduled_until,
    )
    for found in _TIME.finditer(checked.text):
        line, at = _line(checked.text, found.start())
        if _clock(found) in known or not _AHEAD.search(line):
            continue
        if _BEFORE_TIME.search(line[max(0, at - 40) : at]):
            yield Span(*found.span())
    if known or public.watch_minutes:
        return
    for found in _WITHIN.finditer(checked.text):
        if _AHEAD.search(_sentence(checked.text, found.start())):
            yield Span(*found.span())


def find_missing_zone(checked: CheckedText) -> Iterator[Span]:
    """A time of day without a zone."""
    for found in _TIME.finditer(checked.text):
        after = checked.text[found.end() : found.end() + 90].split("\n")[0]
        before = checked.text[max(0, found.start() - 30) : found.start()].split("\n")[-1]
        if not _ZONE.search(after) and not re.search(r"(?:UTC|GMT|all times|times? in)", before):
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
    for found in _TIME.finditer(checked.text):
        line, at = _line(checked.text, found.start())
        yield from _contradicted(checked, found, line[max(0, at - 30) : at])


def _contradicted(checked: CheckedText, found: re.Match[str], before: str) -> Iterator[Span]:
    public = checked.facts.public
    began, over = _last(_BEGAN, before), _last(_OVER, before)
    if began > over and public.started:
        moment, what = public.started, "it started"
    elif over > began and public.ended and checked.step not in OPEN:
        moment, what = public.ended, "it ended"
    else:
        return
    known = _clocks(checked, *(at for at in (public.started, public.ended) if at))
    if _clock(found) not in known:
        shown = clock.show(moment, public.zone, public.language)
        yield Span(*found.span(), f"The facts say that {what} at {shown}.")


def find_no_apology(checked: CheckedText) -> Iterator[Span]:
    """It is over, and nobody said sorry."""
    if checked.step is Step.RESOLVED and not _APOLOGY.search(checked.text):
        yield WHOLE


def find_no_next_update(checked: CheckedText) -> Iterator[Span]:
    """It goes on, and nobody knows when the next update comes."""
    if checked.step not in OPEN or checked.is_maintenance:
        return
    if checked.audience is Audience.SUPPORT:
        return  # an answer to one of them: it leads to the page
    if checked.audience is Audience.CUSTOMER and checked.step is Step.MONITORING:
        return  # their next mail is the resolution's
    moment = checked.facts.public.next_update
    if "[[next_update]]" in checked.text:
        return
    if moment and any(
        _clock(one) in _clocks(checked, moment) for one in _TIME.finditer(checked.text)
    ):
        return
    for found in _NEXT.finditer(checked.text):
        sentence = _sentence(checked.text, found.start())
        if _TIME.search(sentence) or _WITHIN.search(sentence):
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
    return _spans(_PLACEHOLDER, checked.text)


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


def _line(text: str, at: int) -> tuple[str, int]:
    """The text around a place on its line, at most 160 characters to a side."""
    start = max(text.rfind("\n", max(0, at - 160), at) + 1, at - 160, 0)
    end = text.find("\n", at, at + 160)
    return text[start : end if end >= 0 else at + 160], at - start


def _sentence(text: str, at: int) -> str:
    line, place = _line(text, at)
    start = max(line.rfind(end, 0, place) for end in (". ", "! ", "? ")) + 1
    ends = [found for end in (". ", "! ", "? ") if (found := line.find(end, place)) >= 0]
    return line[start : min(ends, default=len(line))]


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((found.start() for found in pattern.finditer(text)), default=-1)


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    return (Span(*found.span()) for found in pattern.finditer(text))
