from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from statuspage.api import v1_values as values
from statuspage.core.enums import ComponentStatus
from statuspage.core.errors import Invalid


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), ("true", True), ("1", True), (1, True), ("No", False), (0, False), (None, True),
     ("", True)],
)  # fmt: skip
def test_yes_and_no_are_read_as_json_and_forms_write_them(value: object, read: bool) -> None:
    assert values.read_flag({"a": value}, "a", default=True) is read


@pytest.mark.parametrize("value", ["perhaps", 2, [], {}])
def test_anything_else_is_neither_yes_nor_no(value: object) -> None:
    with pytest.raises(Invalid, match="a: Send true or false"):
        values.read_flag({"a": value}, "a", default=True)


def test_a_time_has_an_offset() -> None:
    moment = datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert values.read_moment({"a": "2026-03-04T13:00:00.000+01:00"}, "a") == moment
    assert values.read_moment({"a": ""}, "a") is None
    for wrong in ("2026-03-04T12:00:00", "tomorrow", "99999-01-01T00:00:00Z"):
        with pytest.raises(Invalid):
            values.read_moment({"a": wrong}, "a")


def test_components_come_as_an_object_or_a_list() -> None:
    out = ComponentStatus.MAJOR_OUTAGE
    sent: dict[str, Any] = {
        "a": {"x": "major_outage", "y": ""},
        "b": ["x"],
        "c": None,
        "d": ["x", 5],
    }
    assert values.read_states(sent, "a") == {"x": out, "y": None}
    assert values.read_states(sent, "b") == {"x": None}
    assert values.read_states(sent, "c") == {}
    with pytest.raises(Invalid, match="d: Send a list of ids"):
        values.read_states(sent, "d")
    with pytest.raises(Invalid, match="e: Send an object"):
        values.read_states({"e": "x"}, "e")


def test_text_is_cleaned_and_empty_text_is_none() -> None:
    sent: dict[str, Any] = {"a": " one \n two\x00 ", "b": "  ", "c": 5}
    assert (values.read_line(sent, "a"), values.read_text(sent, "b")) == ("one two", None)
    with pytest.raises(Invalid, match="c: Send text"):
        values.read_text(sent, "c")
    with pytest.raises(Invalid, match="a: Send one of: operational"):
        values.read_term(sent, "a", ComponentStatus)
