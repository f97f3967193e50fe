"""What a form about emails asks for, in words."""

from __future__ import annotations

import pytest

from statuspage.public.mail_form import MailForm, wishes


@pytest.mark.parametrize(
    ("updates", "impact", "words"),
    [
        ("every", "none", "incidents"),
        ("every", "major", "incidents with major impact or worse"),
        ("first_and_last", "none", "incidents, only the first and the last update"),
        ("last", "critical", "incidents with critical impact, only when they’re resolved"),
    ],
)
def test_incidents_are_wished_by_updates_and_impact(updates: str, impact: str, words: str) -> None:
    form = MailForm(maintenance=False, updates=updates, least_impact=impact)
    assert wishes("en", (), form) == [words]


def test_nothing_is_said_of_incidents_that_are_not_asked_for() -> None:
    assert wishes("en", (), MailForm(incidents=False, updates="last")) == ["scheduled maintenance"]
