"""How two texts differ, line by line."""

from __future__ import annotations

from statuspage.core.diff import changed_lines


def test_lines_that_differ_stand_between_those_around_them() -> None:
    assert changed_lines(["a", "b", "c"], ["a", "B", "c"]) == [
        (" ", "a"), ("-", "b"), ("+", "B"), (" ", "c"),
    ]  # fmt: skip


def test_distant_lines_are_parted_and_equal_texts_show_nothing() -> None:
    before, after = list("abcdefg"), list("Abcdef")
    assert [sign for sign, _ in changed_lines(before, after)] == ["-", "+", " ", "@", " ", "-"]
    assert changed_lines(before, before) == []
