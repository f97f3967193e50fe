"""Moving here from Uptime Kuma, with its SQLite database.

Read are one status page of it, the groups and monitors on it, its incidents and its single
maintenances.  The tables are those of Uptime Kuma 1.23 and 2
(https://github.com/louislam/uptime-kuma, ``db``).  It has no subscribers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from statuspage.core import clock
from statuspage.importers.other_database import (
    OtherDatabase,
    OtherPage,
    Row,
    open_database,
    page_document,
    utc_moment,
)
from statuspage.importers.published import ImportProblem, UnusableHistory

# An incident is a note on the page in one of Bootstrap's styles.
_IMPACTS: Final[Mapping[str, str]] = {"danger": "major", "warning": "minor"}
_DOWN, _UP, _MAINTENANCE = 0, 1, 3
_STATES: Final[Mapping[Any, str]] = {
    _DOWN: "major_outage",
    _UP: "operational",
    _MAINTENANCE: "under_maintenance",
}


def read_uptime_kuma(file: Path, *, address: str, slug: str = "") -> OtherPage:
    """The status page called ``slug`` in a database of Uptime Kuma, which was at ``address``.

    Where there is only one page it needs no name.  Raises
    :class:`~.published.UnusableHistory` for a file that is none, or has no such page.
    """
    tables = ("status_page", "group", "monitor_group", "monitor", "incident", "maintenance")
    with open_database(file, product="Uptime Kuma", tables=tables) as database:
        pages = database.rows("SELECT * FROM status_page ORDER BY id")
        wanted = [page for page in pages if slug in {"", page["slug"]}]
        if len(wanted) != 1:
            known = ", ".join(page["slug"] for page in pages) or "none"
            reason = f"name one of its status pages with --page: {known}"
            raise UnusableHistory([ImportProblem(str(file), reason)])
        return _UptimeKumaReader(database, str(file), wanted[0]).read(address)


class _UptimeKumaReader:
    """One page of a database on its way into the JSON of a page."""

    def __init__(self, database: OtherDatabase, source: str, page: Row) -> None:
        self._database = database
        self._source = source
        self._page = page
        self._notes: list[ImportProblem] = []

    def read(self, address: str) -> OtherPage:
        document = page_document(
            self._source,
            page={"id": "uptime-kuma", "name": self._page["title"], "url": address},
            components=[*self._groups(), *self._components()],
            incidents=list(self._incidents()),
            maintenances=list(self._maintenances()),
        )
        return OtherPage([document], notes=self._notes)

    def _groups(self) -> Iterator[Row]:
        for row in self._database.rows(
            'SELECT * FROM "group" WHERE status_page_id = ? AND public = 1 ORDER BY weight, id',
            self._page["id"],
        ):
            yield {
                "id": f"group-{row['id']}",
                "name": row["name"],
                "group": True,
                "position": row["weight"],
                "status": "operational",
                "created_at": utc_moment(row["created_date"]),
            }

    def _components(self) -> Iterator[Row]:
        for place, row in enumerate(self._monitors()):
            yield {
                "id": f"monitor-{row['id']}",
                "name": row["name"],
                "description": row.get("description"),
                "position": place,
                "status": _STATES.get(self._last_state(row["id"]), "operational"),
                "group_id": f"group-{row['group_id']}",
                "created_at": utc_moment(row["created_date"]),
            }

    def _monitors(self) -> list[Row]:
        return self._database.rows(
            """SELECT monitor.*, monitor_group.group_id FROM monitor
            JOIN monitor_group ON monitor_group.monitor_id = monitor.id
            JOIN "group" ON "group".id = monitor_group.group_id
            WHERE "group".status_page_id = ? AND "group".public = 1 AND monitor.active = 1
            ORDER BY "group".weight, "group".id, monitor_group.weight, monitor_group.id""",
            self._page["id"],
        )

    def _last_state(self, monitor_id: Any) -> Any:
        rows = self._database.rows(
            "SELECT status FROM heartbeat WHERE monitor_id = ? ORDER BY time DESC LIMIT 1",
            monitor_id,
        )
        return rows[0]["status"] if rows else _UP

    def _incidents(self) -> Iterator[Row]:
        for row in self._database.rows(
            "SELECT * FROM incident WHERE status_page_id = ? ORDER BY id", self._page["id"]
        ):
            at, changed = utc_moment(row["created_date"]), utc_moment(row["last_updated_date"])
            is_open = row["active"] and row["pin"]
            updates = [("investigating", row["content"], at)]
            if not is_open:
                updates.insert(0, ("resolved", "", changed or at))
            yield {
                "id": f"incident-{row['id']}",
                "name": row["title"],
                "impact": _IMPACTS.get(row["style"], "none"),
                "status": "investigating" if is_open else "resolved",
                "started_at": at,
                "created_at": at,
                "updated_at": changed or at,
                "incident_updates": _published(f"incident-{row['id']}", updates),
            }

    def _maintenances(self) -> Iterator[Row]:
        for row in self._database.rows(
            """SELECT maintenance.* FROM maintenance JOIN maintenance_status_page
            ON maintenance_status_page.maintenance_id = maintenance.id
            WHERE maintenance_status_page.status_page_id = ? ORDER BY maintenance.id""",
            self._page["id"],
        ):
            where = f"maintenance {row['id']}"
            begins, ends = self._moment(row, "start_date"), self._moment(row, "end_date")
            if row["strategy"] != "single" or begins is None or ends is None:
                reason = f"{row['title']!r} has no single window; plan it here: left out"
                self._notes.append(ImportProblem(where, reason))
                continue
            yield self._maintenance(row, begins, ends)

    def _maintenance(self, row: Row, begins: datetime, ends: datetime) -> Row:
        now = clock.now()
        # When it was announced is not kept there.
        updates = [("scheduled", row["description"], min(begins, now).isoformat())]
        if begins <= now:
            updates.insert(0, ("in_progress", "", begins.isoformat()))
        if ends <= now:
            updates.insert(0, ("completed", "", ends.isoformat()))
        monitors = self._database.rows(
            """SELECT monitor.id, monitor.name FROM monitor JOIN monitor_maintenance
            ON monitor_maintenance.monitor_id = monitor.id WHERE maintenance_id = ?""",
            row["id"],
        )
        shown = {monitor["id"] for monitor in self._monitors()}
        return {
            "id": f"maintenance-{row['id']}",
            "name": row["title"],
            "impact": "maintenance",
            "status": updates[0][0],
            "scheduled_for": begins.isoformat(),
            "scheduled_until": ends.isoformat(),
            "components": [
                {"id": f"monitor-{one['id']}", "name": one["name"]}
                for one in monitors
                if one["id"] in shown
            ],
            "incident_updates": _published(f"maintenance-{row['id']}", updates),
        }

    def _moment(self, row: Row, name: str) -> datetime | None:
        """A moment of a maintenance, which is kept in a zone of its own."""
        if not row.get(name):
            return None
        zone = row.get("timezone") or "SAME_AS_SERVER"
        if zone == "SAME_AS_SERVER":
            kept = self._database.rows("SELECT value FROM setting WHERE key = 'serverTimezone'")
            zone = str(kept[0]["value"]).strip('"') if kept else "UTC"
        try:
            moment = datetime.fromisoformat(str(row[name]))
            return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        except (ValueError, KeyError, OSError):
            return None


def _published(owner: str, updates: Sequence[tuple[str, str, str | None]]) -> list[Row]:
    """Updates, newest first, with ids that are the same each time."""
    last = len(updates) - 1
    return [
        {"id": f"{owner}-{last - place}", "status": status, "body": body, "created_at": at}
        for place, (status, body, at) in enumerate(updates)
    ]
