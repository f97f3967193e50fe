"""Published histories that the checks are measured on: a file of lines, or a Statuspage page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from statuspage.core import clock
from statuspage.core.enums import Step
from statuspage.messages.facts import Facts, PublicFacts

STEPS = {step.label.casefold(): step for step in Step}


@dataclass(frozen=True, slots=True)
class Post:
    """A published update, and what is known of its incident."""

    vendor: str
    title: str
    text: str
    step: Step
    facts: Facts


def published(path: Path) -> Iterator[Post]:
    """The posts of a file.

    One JSON object a line is an incident: ``title``, ``updates`` with ``status`` and ``message``;
    ``vendor``, ``components`` and ``started_at`` where they are known.  A single object is what
    Statuspage serves as ``summary.json`` or ``incidents.json``.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        page = json.loads("\n".join(lines))
    except ValueError:
        for line in filter(None, lines):
            yield from _posts(json.loads(line), path.stem)
        return
    if "title" in page:
        yield from _posts(page, path.stem)
        return
    vendor = page["page"]["name"]
    for incident in (*page.get("incidents", ()), *page.get("scheduled_maintenances", ())):
        yield from _posts(_from_statuspage(incident), vendor)


def _from_statuspage(incident: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": incident["name"],
        "started_at": incident.get("started_at"),
        "components": [one["name"] for one in incident.get("components") or ()],
        "updates": [
            {"status": one["status"].replace("_", " "), "message": one["body"]}
            for one in reversed(incident["incident_updates"])
        ],
    }


def _posts(incident: dict[str, Any], vendor: str) -> Iterator[Post]:
    vendor = incident.get("vendor") or vendor
    public = PublicFacts(
        service=vendor,
        page_url="",
        title=str(incident["title"]),
        components=tuple((str(name), "") for name in incident.get("components") or ()),
    )
    if started := incident.get("started_at"):
        public = replace(public, started=clock.as_utc(datetime.fromisoformat(started)))
    step = Step.INVESTIGATING
    for update in incident["updates"]:
        step = STEPS.get(update["status"].casefold(), step)
        yield Post(vendor, public.title, update["message"], step, Facts(public))
