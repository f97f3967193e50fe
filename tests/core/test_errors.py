from __future__ import annotations

from statuspage.core.errors import Invalid


def test_a_refusal_names_the_field_and_the_reason() -> None:
    error = Invalid("name", "Enter a name")
    assert (error.field, error.reason, str(error)) == ("name", "Enter a name", "name: Enter a name")
