from __future__ import annotations

import pytest

from statuspage.core.conflict import Conflict, check_unchanged, fingerprint


def test_a_conflict_carries_what_the_other_saved() -> None:
    assert Conflict("theirs").current == "theirs"


def test_what_changed_since_it_was_read_is_a_conflict() -> None:
    with pytest.raises(Conflict) as conflict:
        check_unchanged(1, 2, "theirs")
    assert conflict.value.current == "theirs"


@pytest.mark.parametrize("seen", [None, 2])
def test_what_is_as_it_was_read_or_was_not_read_at_all_is_no_conflict(seen: int | None) -> None:
    check_unchanged(seen, 2, "theirs")


def test_equal_values_have_one_fingerprint() -> None:
    assert fingerprint({"a": 1}) == fingerprint({"a": 1}) != fingerprint({"a": 2})
