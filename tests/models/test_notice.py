from __future__ import annotations

from datetime import timedelta

import pytest

from statuspage.models import PublicNotice
from tests.factories import NOON


@pytest.mark.parametrize(("lasts", "is_withdrawn"), [(None, False), (0, True), (1, False)])
def test_a_notice_that_ended_as_it_began_was_withdrawn(
    lasts: int | None, is_withdrawn: bool
) -> None:
    ends_at = None if lasts is None else NOON + timedelta(minutes=lasts)
    assert PublicNotice(begins_at=NOON, ends_at=ends_at).is_withdrawn == is_withdrawn
