"""Moving here from Cachet 3, with its SQLite database.

Read are components and their groups, incidents with their updates, schedules, and the subscribers
who verified their address.  The tables are those of Cachet's migrations
(https://github.com/cachethq/core, ``database/migrations``), from the first release of version 3 on.
What only signed-in people see there is left out, and named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from statuspage.configuration.incident_templates import TemplateDetails
from statuspage.core import clock
from statuspage.importers.other_database import (
    OtherDatabase,
    OtherPage,
    Row,
    open_database,
    page_document,
    template,
    utc_moment,
)
from statuspage.importers.published import ImportProblem
from statuspage.recipients.customer_csv_rows import CustomerRow

# ``ComponentStatusEnum`` and ``IncidentStatusEnum``.
_STATES: Final[Mapping[Any, str]] = {
    1: "operational",
    2: "degraded_performance",
    3: "partial_outage",
    4: "major_outage",
    6: "under_maintenance",
}
_STATUSES: Final[Mapping[Any, str]] = {
    0: "investigating",
    1: "investigating",
    2: "identified",
    3: "monitoring",
    4: "resolved",
}
_IMPACTS: Final[Mapping[str, str]] = {
    "degraded_performance": "minor",
    "partial_outage": "major",
    "major_outage": "critical",
}
_ORDER: Final = tuple(_IMPACTS)
# ``ResourceVisibilityEnum``: what guests see.
_GUEST: Final = 1


def read_cachet(file: Path, *, address: str) -> OtherPage:
    """What is in a database of Cachet whose page was at ``address``.

    Raises :class:`~.published.UnusableHistory` for a file that is none.
    """
    tables = ("components", "component_groups", "incidents", "incident_components", "updates")
    with open_database(file, product="Cachet 3", tables=tables) as database:
        return _CachetReader(database, str(file)).read(address)


class _CachetReader:
    """One database on its way into the JSON of a page."""

    def __init__(self, database: OtherDatabase, source: str) -> None:
        self._database = database
        self._source = source
        self._notes: list[ImportProblem] = []
        self._shown_groups = [
            row
            for row in database.rows("SELECT * FROM component_groups")
            if not self._is_hidden("group", row)
        ]
        self._shown_components = self._read_components()
        self._names = {row["id"]: row["name"] for row in self._shown_components}

    def read(self, address: str) -> OtherPage:
        document = page_document(
            self._source,
            page={"id": "cachet", "name": self._page_name(), "url": address},
            components=[*self._groups(), *self._components()],
            incidents=list(self._incidents()),
            maintenances=list(self._schedules()),
        )
        subscribers = list(self._subscribers())
        return OtherPage([document], subscribers, self._templates(), self._notes)

    def _templates(self) -> dict[str, TemplateDetails]:
        """Those of plain words; the others are small programs, in Twig or Blade."""
        found = {}
        rows = (
            self._database.rows("SELECT * FROM incident_templates")
            if self._database.has_table("incident_templates")
            else ()
        )
        for row in rows:
            body = str(row.get("template") or "")
            if row.get("deleted_at"):
                continue
            if "{{" in body or "{%" in body or "{!!" in body:
                self._note(f"template {row['name']!r}", "has placeholders of Cachet: left out")
                continue
            found[f"cachet {row['id']}"] = template(str(row["name"]), "", body)
        return found

    def _page_name(self) -> str:
        if not self._database.has_table("settings"):
            return ""
        rows = self._database.rows("SELECT * FROM settings WHERE name = 'name'")
        return str(rows[0].get("payload", "")).strip('"') if rows else ""

    def _groups(self) -> Iterator[Row]:
        for row in self._shown_groups:
            yield {
                "id": f"group-{row['id']}",
                "name": row["name"],
                "group": True,
                "position": row.get("order") or 0,
                "status": "operational",
                "created_at": utc_moment(row.get("created_at")),
            }

    def _read_components(self) -> list[Row]:
        """Those that guests see: one in a group is seen where the group is."""
        groups = {row["id"] for row in self._shown_groups}
        shown = []
        for row in self._database.rows("SELECT * FROM components WHERE deleted_at IS NULL"):
            where, group = f"component {row['id']}", row.get("component_group_id")
            if not row.get("enabled", True):
                self._note(where, f"{row['name']!r} is disabled there: left out")
            elif group and group not in groups:
                self._note(where, f"{row['name']!r} is not public there: left out")
            else:
                shown.append(row)
        return shown

    def _components(self) -> Iterator[Row]:
        for row in self._shown_components:
            group = row.get("component_group_id")
            yield {
                "id": f"component-{row['id']}",
                "name": row["name"],
                "description": row.get("description"),
                "position": row.get("order") or 0,
                "status": _STATES.get(row.get("status"), "operational"),
                "group_id": f"group-{group}" if group else None,
                "created_at": utc_moment(row.get("created_at")),
                "updated_at": utc_moment(row.get("updated_at")),
            }

    def _incidents(self) -> Iterator[Row]:
        updates = self._updates("incident")
        states = self._states_by("incident_components", "incident_id")
        for row in self._database.rows("SELECT * FROM incidents WHERE deleted_at IS NULL"):
            if self._is_hidden("incident", row):
                continue
            at = utc_moment(row.get("occurred_at") or row.get("created_at"))
            first = {
                "id": f"incident-{row['id']}",
                # What it says now may come of its updates.
                "status": row.get("status") if not updates[row["id"]] else 1,
                "message": row.get("message"),
                "created_at": row.get("occurred_at") or row.get("created_at"),
                "updated_at": None,
            }
            steps = [first, *updates[row["id"]]]
            yield {
                "id": row.get("guid") or f"incident-{row['id']}",
                "name": row["name"],
                "impact": _impact(states[row["id"]]),
                "status": _STATUSES.get(steps[-1]["status"]),
                "started_at": at,
                "created_at": at,
                "updated_at": utc_moment(row.get("updated_at")),
                "incident_updates": self._published(steps, states[row["id"]]),
            }

    def _published(self, steps: Sequence[Row], states: Mapping[Any, str]) -> list[Row]:
        """The updates, newest first, with what each did to the components."""
        before: Mapping[Any, str] = dict.fromkeys(states, "operational")
        published: list[Row] = []
        is_over = False
        for step in steps:
            status = _STATUSES.get(step["status"], "update")
            is_over = status == "resolved" or (status == "update" and is_over)
            after = dict.fromkeys(states, "operational") if is_over else states
            published.insert(0, {
                "id": step["id"],
                "status": status,
                "body": step["message"],
                "created_at": utc_moment(step["created_at"]),
                "affected_components": [
                    {
                        "code": f"component-{key}", "name": self._names[key],
                        "old_status": before[key], "new_status": after[key],
                    }
                    for key in states
                ],
            })  # fmt: skip
            before = after
        return published

    def _schedules(self) -> Iterator[Row]:
        if not self._database.has_table("schedules"):
            return
        updates = self._updates("schedule")
        components = self._states_by("schedule_components", "schedule_id")
        for row in self._database.rows("SELECT * FROM schedules WHERE deleted_at IS NULL"):
            begins, ended = utc_moment(row["scheduled_at"]), utc_moment(row.get("completed_at"))
            created = utc_moment(row.get("created_at")) or begins
            is_begun = begins is not None and begins <= clock.now().isoformat()
            steps: list[tuple[str, Any, str | None]] = [
                ("scheduled", row.get("message"), min(filter(None, (created, begins))))
            ]
            steps += [("in_progress", "", begins)] if is_begun else []
            steps += [
                ("update", update["message"], utc_moment(update["created_at"]))
                for update in updates[row["id"]]
            ]
            steps += [("completed", "", ended)] if ended else []
            yield {
                "id": f"schedule-{row['id']}",
                "name": row["name"],
                "impact": "maintenance",
                "status": "completed" if ended else "in_progress" if is_begun else "scheduled",
                "scheduled_for": begins,
                "scheduled_until": ended,
                "created_at": created,
                "components": [
                    {"id": f"component-{key}", "name": self._names[key]}
                    for key in components[row["id"]]
                ],
                "incident_updates": [
                    {"id": f"schedule-{row['id']}-{place}", "status": status, "body": body,
                     "created_at": at}
                    for place, (status, body, at) in reversed(list(enumerate(steps)))
                ],
            }  # fmt: skip

    def _updates(self, kind: str) -> dict[Any, list[Row]]:
        """The updates by what they are about, oldest first."""
        found: dict[Any, list[Row]] = defaultdict(list)
        statement = "SELECT * FROM updates ORDER BY created_at, id"
        for row in self._database.rows(statement):
            if str(row["updateable_type"]).rpartition("\\")[2].casefold() == kind:
                found[row["updateable_id"]].append({**row, "id": f"update-{row['id']}"})
        return found

    def _states_by(self, table: str, key: str) -> dict[Any, dict[Any, str]]:
        """The states of components by what they are about."""
        found: dict[Any, dict[Any, str]] = defaultdict(dict)
        if self._database.has_table(table):
            for row in self._database.rows(f"SELECT * FROM {table}"):
                if row["component_id"] in self._names:
                    state = _STATES.get(row.get("component_status"), "operational")
                    found[row[key]][row["component_id"]] = state
        return found

    def _subscribers(self) -> Iterator[CustomerRow]:
        if not self._database.has_table("subscribers"):
            return
        chosen = defaultdict(list)
        for row in self._database.rows("SELECT * FROM subscriptions"):
            if row["component_id"] in self._names:
                chosen[row["subscriber_id"]].append(self._names[row["component_id"]])
        for row in self._database.rows("SELECT * FROM subscribers"):
            verified = row.get("email_verified_at") or row.get("verified_at")
            where = f"subscriber {row['id']}"
            if not row.get("email") or not verified:
                self._note(where, "has no email address that was verified: left out")
                continue
            names = [] if row.get("global", True) else chosen[row["id"]]
            if not names and not row.get("global", True):
                # Without a component they would be notified of every one.
                self._note(where, "chose no component that comes along: left out")
                continue
            cells = {
                "email": row["email"],
                "components": "; ".join(names),
                "confirmed_at": utc_moment(verified) or "",
                "asked_at": utc_moment(row.get("created_at")) or "",
            }
            yield CustomerRow(row["id"], cells)

    def _is_hidden(self, kind: str, row: Row) -> bool:
        if row.get("visible", _GUEST) == _GUEST:
            return False
        self._note(f"{kind} {row['id']}", f"{row['name']!r} is not public there: left out")
        return True

    def _note(self, where: str, reason: str) -> None:
        self._notes.append(ImportProblem(where, reason))


def _impact(states: Mapping[Any, str]) -> str:
    """The impact that the gravest state means."""
    grave = (state for state in states.values() if state in _IMPACTS)
    return _IMPACTS.get(max(grave, key=_ORDER.index, default=""), "none")
