from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from time_machine import Traveller

from statuspage.admin.components import ComponentForm
from statuspage.admin.forms import (
    CountField,
    DurationField,
    Form,
    LineField,
    MailField,
    NameField,
    PostForm,
    ProseField,
    RowField,
    TermField,
    WebAddressField,
    read_length,
    write_length,
)
from statuspage.admin.time_fields import DayField, MomentField, ZoneField
from statuspage.configuration.editing import ComponentDetails
from statuspage.core.conflict import Conflict, fingerprint
from statuspage.core.enums import Impact
from statuspage.core.errors import Invalid
from tests.factories import NOON

BERLIN = ZoneInfo("Europe/Berlin")


class EveryForm(Form):
    name = NameField("Name", needed="Enter a name")
    line = LineField("Line")
    prose = ProseField("Prose", limit=20)
    email = MailField("Mail")
    url = WebAddressField("Page")
    zone_name = ZoneField("Zone", default="UTC")
    impact = TermField("Impact", Impact, default=Impact.MINOR)
    row = RowField("Row", none="None")
    every = DurationField("Every", most=timedelta(days=2))
    hours = DurationField("Hours", unit=timedelta(hours=1))
    count = CountField("Count", least=1, most=60)
    at = MomentField("At", not_after_now=True)
    day = DayField("Day")


@pytest.fixture
def form_app() -> Iterator[Flask]:
    return Flask(__name__)


def read(
    form_app: Flask, kind: type[Form] = EveryForm, *, zone: ZoneInfo = BERLIN, **sent: Any
) -> Any:
    with form_app.test_request_context(method="POST", data={"name": "x", **sent}):
        form = kind.read(zone=zone)
        if isinstance(form, EveryForm):
            form.row.offer([(7, "Seven")])
        form.is_accepted()
        return form


def errors(form: Form) -> dict[str, list[str]]:
    return {name: list(reasons) for name, reasons in form.errors.items()}


def test_a_form_that_only_has_what_it_needs_is_accepted(form_app: Flask) -> None:
    form = read(form_app)
    assert errors(form) == {}
    assert form.typed() == {
        "name": "x",
        "line": "",
        "prose": "",
        "email": "",
        "url": "",
        "zone_name": "UTC",
        "impact": Impact.MINOR,
        "row": None,
        "every": None,
        "hours": None,
        "count": None,
        "at": None,
        "day": None,
    }


def test_lines_and_prose_are_cleaned(form_app: Flask) -> None:
    form = read(form_app, name=" a \x00\t b\u202e ", prose="\r\none\r\ntwo\x07\n ")
    assert (form.name.data, form.prose.data) == ("a b", "one\ntwo")


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("name", "  ", "Enter a name"),
        ("name", "x" * 201, "Use at most 200 characters; this has 201"),
        ("line", "x" * 501, "Use at most 500 characters; this has 501"),
        ("prose", "x" * 21, "Use at most 20 characters; this has 21"),
        ("email", "kim", "Enter an email address, like name@example.com"),
        ("url", "javascript:alert(1)", "Enter a web address that begins with https://"),
        ("url", "https://", "Enter a web address that begins with https://"),
        (
            "zone_name",
            "Mars/Olympus",
            "'Mars/Olympus' is not a time zone; pick one like Europe/Berlin or UTC",
        ),
        ("impact", "terrible", "Pick one from the list"),
        ("row", "8", "Pick one from the list"),
        ("row", "x", "Pick one from the list"),
        ("every", "soon", "Enter a duration, like 30 minutes, 4 hours or 2 days"),
        ("every", "3 days", "Use at most 48 hours"),
        ("hours", "90 minutes", "Use whole multiples of 1 hour"),
        ("count", "0", "Enter a whole number from 1 to 60"),
        ("count", "61", "Enter a whole number from 1 to 60"),
        ("count", "²", "Enter a whole number from 1 to 60"),
        ("at", "yesterday", "write the time as date and time, like 2026-03-04 12:00"),
    ],
)
def test_what_cannot_be_taken_is_told_beside_its_field_and_kept(
    form_app: Flask, field: str, text: str, reason: str
) -> None:
    form = read(form_app, **{field: text})
    assert errors(form) == {field: [reason]}
    if field not in {"name", "zone_name", "impact", "row"}:
        assert form[field]._value() == text


def test_what_can_be_taken_is_read_as_what_it_is(form_app: Flask, frozen: Traveller) -> None:
    form = read(
        form_app,
        email=" Kim@Example.com ",
        url="https://example.com/help",
        zone_name="Asia/Tokyo",
        impact="critical",
        row="7",
        every="1 h 30 min",
        hours="2 days",
        count="3",
        at="2026-03-04T12:30",
    )
    assert errors(form) == {}
    assert form.typed() | {"name": "", "line": "", "prose": ""} == {
        "name": "",
        "line": "",
        "prose": "",
        "email": "Kim@Example.com",
        "url": "https://example.com/help",
        "zone_name": "Asia/Tokyo",
        "impact": Impact.CRITICAL,
        "row": 7,
        "every": 90,
        "hours": 48,
        "count": 3,
        "at": datetime(2026, 3, 4, 11, 30, tzinfo=UTC),
        "day": None,
    }


# --- moments -------------------------------------------------------------------------------------


def test_the_present_minute_is_not_the_future(form_app: Flask, frozen: Traveller) -> None:
    frozen.move_to(NOON + timedelta(seconds=40))
    assert errors(read(form_app, zone=ZoneInfo("UTC"), at="2026-03-04T12:01")) == {}
    assert errors(read(form_app, zone=ZoneInfo("UTC"), at="2026-03-04T12:02")) == {
        "at": ["This time is in the future; enter one that has passed"]
    }


def test_a_time_that_never_happens_is_refused_by_name(form_app: Flask, frozen: Traveller) -> None:
    frozen.move_to(datetime(2026, 6, 1, tzinfo=UTC))
    assert errors(read(form_app, at="2026-03-29T02:30")) == {
        "at": ["2026-03-29 02:30 does not exist in Europe/Berlin: the clocks go forward then"]
    }


END_OF_TIME = "use a year from 1970 to 2999"


@pytest.mark.parametrize(
    "text",
    ["9999-12-31T23:59", "9999-12-31T23:59-14:00", "0001-01-01T00:00+14:00", "1969-12-31T23:59"],
)
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
def test_a_time_at_the_end_of_the_calendar_is_refused(
    form_app: Flask, text: str, zone: str
) -> None:
    assert errors(read(form_app, at=text, zone=ZoneInfo(zone))) == {"at": [END_OF_TIME]}


def test_a_day_at_the_end_of_the_calendar_is_refused(form_app: Flask) -> None:
    assert errors(read(form_app, day="9999-12-31")) == {"day": [END_OF_TIME]}
    assert read(form_app, day="2026-03-04").day.data == date(2026, 3, 4)


def test_a_time_that_happens_twice_asks_which(form_app: Flask, frozen: Traveller) -> None:
    frozen.move_to(datetime(2026, 12, 1, tzinfo=UTC))
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    form = read(form_app, at="2026-10-25T02:30")
    assert errors(form) == {
        "at": ["2026-10-25 02:30 happens twice in Europe/Berlin: choose CEST or CET"]
    }
    assert (form.at.ambiguous, form.at.fold) == ((first, second), None)
    chosen = read(form_app, at="2026-10-25T02:30", **{"at-fold": "1"})
    assert (errors(chosen), chosen.at.data, chosen.at.fold) == ({}, second, 1)


def test_a_moment_is_shown_in_the_zone_that_it_is_typed_in(form_app: Flask) -> None:
    with form_app.test_request_context():
        form = EveryForm.read(zone=BERLIN, at=NOON)
        assert form.at._value() == "2026-03-04T13:00"


# --- lengths of time -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30", 30),
        ("30 minutes", 30),
        ("30min", 30),
        ("1 hour", 60),
        ("4 H", 240),
        ("1 hour and 30 minutes", 90),
        ("1 h, 30 min", 90),
        ("2 days", 2880),
        ("1 week", 10_080),
        ("0", 0),
    ],
)
def test_a_length_is_read_as_people_say_it(text: str, minutes: int) -> None:
    assert read_length(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "soon", "3 fortnights", "-5 min", "1.5 h", "5 min ago", "٣"])
def test_a_length_that_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Enter a duration"):
        read_length(text)


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0 minutes"),
        (1, "1 minute"),
        (90, "90 minutes"),
        (60, "1 hour"),
        (1440, "24 hours"),
        (2880, "48 hours"),
        (4320, "3 days"),
        (20_160, "14 days"),
        (1441, "1,441 minutes"),
    ],
)
def test_a_length_is_written_in_its_largest_whole_unit(minutes: int, text: str) -> None:
    assert write_length(timedelta(minutes=minutes)) == text


@pytest.mark.parametrize("minutes", [0, 1, 59, 60, 90, 1440, 4320, 1441])
def test_what_is_written_is_read_again(minutes: int) -> None:
    length = timedelta(minutes=minutes)
    assert read_length(write_length(length).replace(",", "")) == length


# --- refusals and conflicts ----------------------------------------------------------------------


def test_a_verb_s_refusal_is_told_beside_its_field_or_at_the_top(form_app: Flask) -> None:
    form = read(form_app)
    with form.refusals():
        raise Invalid("name", "It is taken")
    with form.refusals():
        raise Invalid("elsewhere", "It is closed")
    assert errors(form) == {"name": ["It is taken"], "": ["It is closed"]}
    assert form.is_refused


def test_other_errors_go_on_their_way(form_app: Flask) -> None:
    form = read(form_app)
    with pytest.raises(ZeroDivisionError), form.refusals():
        _ = 1 / 0
    with pytest.raises(Conflict), form.refusals():
        raise Conflict(None)


def test_what_somebody_else_saved_is_told_in_the_words_of_each_field(form_app: Flask) -> None:
    seen = ComponentDetails("API", group_id=None)
    with form_app.test_request_context(
        method="POST", data={"name": "Mine", "description": "", "group_id": "", "seen": "old"}
    ):
        form = ComponentForm.read(seen)
        form.group_id.offer([(3, "Shop")])
        assert form.is_accepted()
        standing = ComponentDetails("Theirs", "", 3, only_show_if_degraded=True)
        with form.refusals():
            raise Conflict(standing)
    assert errors(form) == {
        "name": ["Now saved here: Theirs"],
        "group_id": ["Now saved here: Shop"],
        "only_show_if_degraded": ["Now saved here: ticked"],
        "": [
            "Someone else saved this while you were editing. What you typed is kept; "
            "save again to replace theirs."
        ],
    }
    assert (form.name.data, form.seen.data) == ("Mine", fingerprint(standing))


def test_each_sheet_of_a_form_has_a_key_of_its_own(form_app: Flask) -> None:
    with form_app.test_request_context():
        keys = {PostForm.read().form_key.data for _ in range(3)}
    assert len(keys) == 3
    assert read(form_app, PostForm, form_key="abc").form_key.data == "abc"
