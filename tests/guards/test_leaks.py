"""What is internal is found nowhere outside: not on a page, in a feed, in a file or in a mail.

Each internal fact carries a mark that survives every way of writing it, so that one search through
all bytes that go out finds it.  What is not listed here as public counts as internal: a column that
somebody adds is planted, and looked for, from its first day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import JSON, Column, Enum, String, Table, insert, select, update
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from statuspage.admin import declare
from statuspage.configuration import blocked_terms
from statuspage.configuration.blocked_terms import TermLists
from statuspage.core.db import Base, current_session, db, writing
from statuspage.core.enums import (
    Audience,
    Channel,
    IncidentRole,
    IncidentStatus,
    NoteKind,
    Visibility,
)
from statuspage.core.links import current_links
from statuspage.delivery.channels.mail_files import MailFiles
from statuspage.delivery.dispatch import Dispatcher, Lane
from statuspage.incidents import lifecycle, maintenance, merge, notes
from statuspage.incidents.inputs import Declaration, Drill, NewUpdate
from statuspage.incidents.maintenance import Plan
from statuspage.incidents.notes import NewNote
from statuspage.incidents.notices import NoticeDetails, post_notice
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import gate
from statuspage.incidents.review import documents
from statuspage.messages.compose import Text
from statuspage.models import Component, Contact, Delivery, Incident, Message
from statuspage.models.revision import bump
from statuspage.public.archive import survey
from statuspage.public.edition_builder import build_edition
from statuspage.public.export import sync, targets
from statuspage.public.queries import open_site
from statuspage.public.search import Search, find_incidents
from tests.admin.conftest import NEW, Desk, desk
from tests.announcing import ACTOR, Scenario, declaration, make_customer, post, set_up_scenario
from tests.browsing import fields
from tests.editions import in_three_languages, own_documents
from tests.factories import NOON
from tests.guards.leaks import CODE_NAMES, NAMES, VENDORS, planted
from tests.subscribing import add_subscriber

__all__ = ["desk"]

MARK = re.compile(rb"zq\d{4}qz")

# Columns of text that everybody may read where the incident is public.
PUBLIC = {
    "components": {"name", "description"},
    "component_groups": {"name", "description"},
    "pages": {"name", "about", "support_email", "support_url", "sign_off", "look"},
    "incidents": {"title", "users_notice", "public_facts"},
    "incident_updates": {"body", "affected"},
    "notices": {"title", "body", "translations"},
    "metrics": {"name", "unit", "series"},
    # What a public post said before it was corrected is shown with it.
    "update_revisions": {"body"},
    # What outsiders were told was composed of these before anything is planted into rows.
    "messages": {"subject", "body", "text", "html", "moments", "versions"},
}
# Words of the program itself, and what only points to other rows; dates, codes, digests.
OURS = {
    "code", "entry_id", "status", "time_zone", "language", "scheme", "kind", "channel", "key",
    "step_key", "attempt_id", "merged_into", "first_start", "rule", "component_ids",
    "subject_kind", "attempt", "action",
}  # fmt: skip


# Nothing can be planted into these afterwards: the verbs played here fill them.
APPEND_ONLY = {"audit_entries", "audit_checkpoints"}


class Facts:
    """Internal facts, each of another kind and each with a mark of its own."""

    def __init__(self) -> None:
        self._leaks = planted(5000, seed=29)
        self.count = 0

    def next(self, limit: int | None = None) -> str:
        """One more, as somebody would have typed it."""
        self.count += 1
        return f"zq{self.count:04d}qz {next(self._leaks).secret}"[:limit].strip()

    def address(self) -> str:
        """One more that is a mail address."""
        return f"{self.next(8)}@inside.example"


def in_tables(session: Session, facts: Facts) -> None:
    """Put one into every text of every row that is not public; every table has a row."""
    connection = session.connection()
    hidden = select(Incident.id).where(Incident.visibility == Visibility.INTERNAL)
    internal_ids = set(session.scalars(hidden))
    for table in Base.metadata.sorted_tables:
        if table.name in APPEND_ONLY:
            continue
        columns = [column for column in table.columns if _is_internal(column)]
        keys = list(table.primary_key.columns)
        if columns and not connection.execute(select(keys[0])).first():
            connection.execute(insert(table).values(_row(table)))
        for row in connection.execute(select(table)).mappings().all():
            chosen = columns
            incident = row["id"] if table.name == "incidents" else row.get("incident_id")
            if table.name in {"incidents", "incident_updates"} and incident in internal_ids:
                also = ("title", "users_notice", "public_facts", "body")
                chosen = [*columns, *(table.c[name] for name in also if name in table.c)]
            values = {
                column.name: _planted(column, facts) for column in chosen if column not in keys
            }
            if values:
                here = (key == row[key.name] for key in keys)
                connection.execute(update(table).where(*here).values(values))


def _is_internal(column: Column[Any]) -> bool:
    is_text = isinstance(column.type, String | JSON) and not isinstance(column.type, Enum)
    named = column.name in OURS or column.name in PUBLIC.get(column.table.name, ())
    return is_text and not named


def _planted(column: Column[Any], facts: Facts) -> object:
    if isinstance(column.type, JSON):
        kept = {"planted": facts.next()}
        return kept if column.default is not None and "dict" in str(column.default) else [kept]
    # Some are cut to what fits; the mark stands first.
    return facts.next(column.type.length)  # type: ignore[attr-defined]


def _row(table: Table) -> dict[str, Any]:
    """The least that a row of the table takes."""
    return {
        column.name: _least(column)
        for column in table.columns
        if not column.nullable and column.default is None and not column.computed
        and column is not table.autoincrement_column
    }  # fmt: skip


def _least(column: Column[Any]) -> object:
    if isinstance(column.type, Enum):
        return column.type.enums[0]
    if isinstance(column.type, JSON):
        return {}
    made = {"int": 1, "str": "x", "bool": False, "bytes": b"x"}
    return made.get(column.type.python_type.__name__, NOON)


def play(scenario: Scenario, facts: Facts) -> None:
    """A company's worst weeks, told with every verb: public, internal, a drill, merged, planned."""
    with writing() as session:
        staff = {
            role: Contact(name=facts.next(60), email=facts.address(), chat_handle=facts.next(60))
            for role in IncidentRole
        }
        session.add_all(staff.values())
        for number in range(3):
            session.add(
                make_customer(
                    facts.address(), facts.next(40), company=facts.next(), tags=facts.next(),
                    language=("en", "de", "ja")[number],
                )
            )  # fmt: skip
        session.flush()
        roles = {role: contact.id for role, contact in staff.items()}
    for _ in range(2):
        add_subscriber(facts.address())

    def internal() -> dict[str, str]:
        known = ("technical_cause", "suspected_cause", "current_actions", "next_steps",
                 "references", "users_affected", "progress")  # fmt: skip
        return {name: facts.next() for name in known}

    def begin(**changes: object) -> str:
        values = {
            "roles": roles, "chat_channel": facts.next(100), "war_room": facts.next(100),
            "internal_facts": internal(), "next_update_at": None,
            "no_promise_because": facts.next(),
            # A cause is public once it is confirmed.
            "public_facts": {"cause": facts.next(), "cause_confirmed": False},
            **changes,
        }  # fmt: skip
        made: Declaration = declaration(scenario, **values)
        # A drill's texts are checked like real ones.
        why = {audience: facts.next() for audience in Audience} if "drill" in changes else {}
        return lifecycle.declare(made, Submission(ACTOR, uuid4().hex, overrides=why)).code

    def end(code: str, **changes: object) -> None:
        although = {name: facts.next() for name in gate.WHY_NOT}
        post(code, "resolved", although=although, internal_facts=internal(), **changes)

    worst = begin()
    post(worst, "identified", internal_facts=internal(), no_promise_because=facts.next())
    post(worst, "monitoring", internal_facts=internal(), no_promise_because=facts.next())
    lifecycle.post_update(
        worst,
        NewUpdate(IncidentStatus.RESOLVED, although={name: facts.next() for name in gate.WHY_NOT}),
        Submission(
            ACTOR,
            uuid4().hex,
            texts={Audience.PUBLIC: Text("Over", "We restarted db-01. We are sorry.")},
            overrides={audience: facts.next() for audience in Audience},
        ),
    )
    for kind in NoteKind:
        note = NewNote(kind, facts.next(), in_chat=kind is NoteKind.DECISION)
        notes.add_note(worst, note, form_key=uuid4().hex, actor=ACTOR)
    documents.begin(worst, actor=ACTOR)
    part, whole = begin(title="Carts are slow"), begin(title="Everything is slow")
    merge.merge(part, whole, Submission(ACTOR, "merge"))
    end(begin(title="No alarm at all"), false_alarm=True)
    hidden = begin(title="Searches fail", severity_rank=3)
    lifecycle.hide(hidden, actor=ACTOR)
    inside = {"visibility": Visibility.INTERNAL, "users_notice": facts.next()}
    end(begin(title=facts.next(), **inside))
    begin(title=facts.next(), **inside)
    begin(title=facts.next(), users_notice=facts.next(), drill=Drill([], ["file"]))
    plan = Plan("Upgrade", "We move.", NOON + timedelta(days=2), NOON + timedelta(days=3))
    for key in ("stays", "goes"):
        planned = maintenance.schedule(plan, Submission(ACTOR, key))
    maintenance.cancel(planned.code, Submission(ACTOR, "cancel"))
    # Nobody reads a notice before it begins.
    coming = NoticeDetails(facts.next(), facts.next(), NOON + timedelta(days=2), in_feeds=True)
    post_notice(coming, because=facts.next(), form_key="notice", actor=ACTOR)


@pytest.fixture
def facts() -> Facts:
    return Facts()


@pytest.fixture
def environ(environ: dict[str, str], facts: Facts) -> dict[str, str]:
    """Settings that are nobody's business."""
    return {**environ, "SECRET_KEY": facts.next() * 3, "CHAT_URLS": f"json://{facts.next(8)}:1/"}


@pytest.fixture
def company(app: Flask, frozen: object, session: Session, facts: Facts) -> Flask:
    scenario = set_up_scenario(app, customers=0)
    play(scenario, facts)
    return app


def found_in(place: str, data: bytes, *, own: bytes = b"") -> dict[str, list[bytes]]:
    """The marks in ``data`` that are not in ``own`` too, by place."""
    marks = set(MARK.findall(data)) - set(MARK.findall(own))
    return {place: sorted(marks)} if marks else {}


def test_no_mail_to_outsiders_holds_what_is_internal(company: Flask, data_dir: Path) -> None:
    lanes = {Channel.EMAIL: Lane(MailFiles(data_dir), 1, 100)}
    Dispatcher(company, 7, lanes).send_all()
    outside = select(Delivery).join(Message, Message.id == Delivery.message_id).where(
        Delivery.channel == Channel.EMAIL, Message.audience != Audience.INTERNAL
    )  # fmt: skip
    leaks: dict[str, list[bytes]] = {}
    letters = {path.stem: path.read_bytes() for path in data_dir.rglob("*.eml")}
    rows = [row for row in current_session().scalars(outside) if str(row.id) in letters]
    assert {row.language for row in rows} == {"en", "de", "ja"}
    for row in rows:
        outgoing = message_from_bytes(letters[str(row.id)], policy=policy.default)
        read = [str(outgoing.items()), *(str(part.get_content()) for part in outgoing.iter_parts())]
        # Everybody may read their own name and address.
        own = f"{row.email} {row.name}".encode()
        leaks |= found_in(f"mail {row.id}", " ".join(read).encode(), own=own)
    assert leaks == {}
    # Colleagues read what outsiders do not.
    assert current_session().scalars(select(Message).filter_by(audience=Audience.INTERNAL)).first()


def test_no_byte_of_the_public_site_holds_what_is_internal(
    company: Flask, facts: Facts, tmp_path: Path
) -> None:
    with writing() as session:
        in_tables(session, facts)
        bump(session)
    assert facts.count >= 200
    browser = company.test_client()
    leaks: dict[str, list[bytes]] = {}
    edition = build_edition(db.engine, current_links())
    with open_site(db.engine) as site, in_three_languages():
        on_demand = [path for part in survey(site) for path in part.paths]
        # A search finds parts of words: each of these a hundred marks at once.  Less of a mark
        # stands in a made code by chance now and then.
        assert find_incidents(site, Search("ayments")).incidents != ()
        for hundred in range(facts.count // 100 + 1):
            assert find_incidents(site, Search(f"zq{hundred:02d}")).incidents == ()
    pages = [
        path for path in {*own_documents(edition), *on_demand} if not path.startswith("/static/")
    ]
    others = [f"/de{path}" for path in pages if "." not in path]
    asked = [*pages, *others, *_addresses(company), "/search?q=payments", "/search?kind=incident"]
    statuses = set()
    for path in asked:
        answer = browser.get(path)
        statuses.add(answer.status_code)
        # An address that was asked for may be said again.
        said = str(answer.headers).encode() + answer.data
        leaks |= found_in(path, said, own=path.encode())
    assert {200, 404, 401} <= statuses
    target = targets.open_target(str(tmp_path / "site"))
    with in_three_languages():
        sync.export_site(target, db.engine, current_links(), progress=lambda done, total: None)
    for file in (tmp_path / "site").rglob("*"):
        if file.is_file():
            leaks |= found_in(str(file), file.read_bytes(), own=str(file).encode())
    assert leaks == {}


def _addresses(app: Flask) -> Iterator[str]:
    """Every address of the app that takes GET, of public incidents and of internal ones."""
    codes = [
        *current_session().scalars(select(Incident.code)),
        current_session().scalars(select(Component.code)).first(),
    ]
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint != "static":
            yield from {_filled(app, rule, str(code)) for code in codes}


def _filled(app: Flask, rule: Rule, code: str) -> str:
    values: dict[str, object] = {"month": "2026-03", "number": "1"}
    # Of what can be one of some words, the first.
    values |= {name: word for word, name in re.findall(r"<any\(\W*(\w+)[^)]*\):(\w+)>", rule.rule)}
    for name in rule.arguments - values.keys():
        values[name] = 1 if "int:" in rule.rule else code
    built = rule.build(values, append_unknown=False)
    return built[1] if built else "/nowhere"


@pytest.mark.only_on("sqlite")
def test_typed_at_the_desk_into_what_is_public_it_is_held_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk.app.app_context():
        blocked_terms.change_blocked_terms(
            TermLists(
                people="\n".join(NAMES),
                vendors="\n".join(VENDORS),
                code_names="\n".join(CODE_NAMES),
            ),
            actor=ACTOR,
        )
    desk.add_contact("Noor van Dijk")
    shown = {**fields(desk.get(NEW).text), **desk.filled(), "publish": "1"}
    clean = {**shown, "form_key": "clean"}
    assert desk.browser.send(NEW, clean).status_code == 303
    # The screen for whoever must put it right is another test's, and most of the time.
    monkeypatch.setattr(declare, "_sheets", lambda *_: ([], ""))
    monkeypatch.setattr(declare, "page", lambda *_, **__: ("", 422))
    went_out = []
    leaks = list(planted(55, seed=2026))
    for leak in leaks:
        known = _known_inside(leak.facts.internal)
        sheet = {**shown, **known, "users_notice": leak.text, "form_key": uuid4().hex}
        answer = desk.browser.send(NEW, sheet)
        if answer.status_code != 422:
            went_out.append((leak.kind, leak.text, answer.status_code))
    assert len(went_out) <= 1, went_out
    assert len(desk.incidents()) == 1 + len(went_out)


# The desk's field by the fact; a cause is a suspected one until its box is ticked.
DESK_FACTS = {
    "suspected_cause": "cause",
    **{name: name for name in ("technical_cause", "current_actions", "next_steps", "progress",
                               "users_affected", "references", "chat_channel", "war_room")},
}  # fmt: skip


def _known_inside(internal: Any) -> dict[str, str]:
    known = ((field, getattr(internal, name)) for name, field in DESK_FACTS.items())
    return {field: value for field, value in known if value}
