from __future__ import annotations

import pytest

from statuspage.core.enums import Audience
from statuspage.models import Message


def test_a_mail_is_read_in_the_nearest_language_that_it_has() -> None:
    message = Message(
        language="en",
        subject="Resolved",
        text="Hello",
        html="<p>Hello",
        versions={"de": {"subject": "Behoben", "text": "Hallo", "html": "<p>Hallo"}},
    )
    assert message.read_in("de") == ("de", "Behoben", "Hallo", "<p>Hallo")
    assert message.read_in("ja") == ("en", "Resolved", "Hello", "<p>Hello")
    assert message.read_in("") == ("en", "Resolved", "Hello", "<p>Hello")


@pytest.mark.parametrize(
    ("audience", "corrects", "title"),
    [
        (Audience.INTERNAL, None, "Internal message"),
        (Audience.PUBLIC, None, "Public post"),
        (Audience.CUSTOMER, None, "Customer email"),
        (Audience.CUSTOMER, 7, "Correction to customers"),
    ],
)
def test_a_message_says_what_it_is_and_for_whom(
    audience: Audience, corrects: int | None, title: str
) -> None:
    assert Message(audience=audience, corrects_id=corrects).title == title
