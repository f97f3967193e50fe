"""A review as one Markdown document, whole or some sections of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from statuspage.core import clock
from statuspage.core.enums import IncidentRole
from statuspage.incidents.review.action_items import lines
from statuspage.incidents.review.documents import ReviewText
from statuspage.incidents.review.evidence import Figures
from statuspage.messages.markup import markdown_line
from statuspage.models import ActionItem, Incident


def to_markdown(
    incident: Incident,
    draft: ReviewText,
    figures: Figures,
    items: Sequence[ActionItem],
    zone: ZoneInfo,
) -> str:
    """The whole review, for colleagues: its facts, figures, sections, action items and timeline."""
    parts = [
        f"# Review: {markdown_line(incident.title)}",
        "\n".join(_facts(incident, zone)),
        "## Figures",
        "\n".join(f"- {markdown_line(label)}: {value}" for label, value in figure_lines(figures)),
        *_sections(draft),
        "## Action items",
        "\n".join(f"- {line}" for line in lines(items)) or "Nothing recorded.",
        "## Timeline",
        "\n".join(_timeline(draft, zone)) or "Nothing recorded.",
    ]
    return "\n\n".join(parts) + "\n"


def public_part(draft: ReviewText, headings: Collection[str]) -> str:
    """The chosen sections alone, those without a text left out; nothing else of it is there."""
    chosen = [(heading, body) for heading, body in draft.sections if heading in headings and body]
    return "\n\n".join(f"# {markdown_line(heading)}\n\n{body}" for heading, body in chosen)


def figure_lines(figures: Figures) -> Iterator[tuple[str, str]]:
    """Each figure with its label, in words."""
    for label, length in figures.times:
        yield label, _length(length)
    for name, length in figures.components:
        yield f"{name} not operational", clock.show_duration(length)
    yield "Customers emailed", f"{figures.customers:,}"
    yield "Promised updates", str(figures.promises)
    if figures.slips:
        yield "Expected recovery moved", f"{figures.slips} times" if figures.slips > 1 else "once"


def _length(length: timedelta | None) -> str:
    return "not recorded" if length is None else clock.show_duration(max(length, timedelta()))


def _facts(incident: Incident, zone: ZoneInfo) -> Iterator[str]:
    if incident.severity_name:
        yield f"- Severity: {markdown_line(incident.severity_name)}"
    if incident.resolved_at:
        yield f"- Duration: {clock.show_span(incident.started_at, incident.resolved_at, zone)}"
    for role in IncidentRole:
        if contact := incident.person(role):
            yield f"- {role.label}: {markdown_line(contact.name)}"


def _sections(draft: ReviewText) -> Iterator[str]:
    for heading, body in draft.sections:
        yield f"## {markdown_line(heading)}"
        yield body or "Nothing recorded."


def _timeline(draft: ReviewText, zone: ZoneInfo) -> Iterator[str]:
    for entry in draft.timeline:
        if not entry.dropped:
            mark = f"**{entry.mark.label}** " if entry.mark else ""
            yield f"- {clock.show(entry.at, zone)}: {mark}{markdown_line(entry.text)}"
