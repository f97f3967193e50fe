"""A review as one document, whole or a part."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from statuspage.core.enums import ActionState, Milestone
from statuspage.incidents.promises import Record
from statuspage.incidents.review.documents import ReviewText
from statuspage.incidents.review.evidence import Figures, ReviewEntry
from statuspage.incidents.review.export import figure_lines, public_part, to_markdown
from statuspage.models import ActionItem, Contact, Incident
from tests.factories import NOON

FIGURES = Figures(
    [("Time to detect", timedelta(minutes=3)), ("Time to acknowledge", None)],
    [("Checkout", timedelta(minutes=50))],
    1840,
    Record(),
    1,
)
DRAFT = ReviewText(
    [("Root cause", "An index on `orders`."), ("What went well", ""), ("Links", "OPS-1")],
    [
        ReviewEntry("a", NOON, "The *alarm* rang", "Added", Milestone.DETECTED),
        ReviewEntry("b", NOON, "Nobody saw it", "Added", dropped=True),
    ],
)

ITEM = ActionItem(
    text="Add an *alarm*", due_on=date(2026, 3, 6), link="https://tickets.example/#/add_one_now",
    state=ActionState.OPEN,
)  # fmt: skip


def test_the_whole_document_has_facts_figures_sections_items_and_timeline() -> None:
    incident = Incident(
        title="Payments <fail>", severity_name="SEV1", started_at=NOON,
        resolved_at=NOON + timedelta(hours=1), commander=Contact(name="Alice"),
    )  # fmt: skip
    assert to_markdown(incident, DRAFT, FIGURES, [ITEM], ZoneInfo("UTC")) == (
        r"""# Review: Payments \<fail>

- Severity: SEV1
- Duration: Mar 4, 2026, 12:00 – 13:00 UTC
- Incident commander: Alice

## Figures

- Time to detect: 3 minutes
- Time to acknowledge: not recorded
- Checkout not operational: 50 minutes
- Customers emailed: 1,840
- Promised updates: No updates were due.
- Expected recovery moved: once

## Root cause

An index on `orders`.

## What went well

Nothing recorded.

## Links

OPS-1

## Action items

- Add an \*alarm\* (by March 6, 2026) <https://tickets.example/#/add_one_now>

## Timeline

- Mar 4, 2026, 12:00 UTC: **Detected** The \*alarm\* rang
"""
    )


def test_a_public_part_has_the_chosen_sections_alone() -> None:
    assert public_part(DRAFT, {"Root cause", "What went well", "Other"}) == (
        "# Root cause\n\nAn index on `orders`."
    )


def test_a_time_before_the_start_is_none_at_all() -> None:
    early = Figures([("Time to detect", timedelta(minutes=-3))], [], 0, Record(), 0)
    assert next(figure_lines(early)) == ("Time to detect", "less than a minute")
