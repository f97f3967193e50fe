"""The incident templates that are shipped."""

from __future__ import annotations

import pytest

from statuspage.configuration.incident_templates import CHECKED, SHIPPED
from statuspage.messages import checks


@pytest.mark.parametrize("key", SHIPPED)
def test_the_checks_have_nothing_to_say_of_what_is_shipped(key: str) -> None:
    said = [getattr(SHIPPED[key], field) for field in CHECKED]
    assert [found.excerpt for text in said for found in checks.find_in_name(text)] == []
