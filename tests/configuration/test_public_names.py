"""Names that everybody reads: held back where they would leak, unless somebody says why not."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from statuspage.access.audit import SYSTEM
from statuspage.configuration.public_names import (
    let_name_pass,
    let_texts_pass,
    name_warning,
    try_text,
)
from statuspage.core.enums import Step
from statuspage.messages.checks import Blocked
from statuspage.models import Page
from tests.configuration_edits import count_entries, last_entry
from tests.factories import make_component

HOST = "db-01.internal"


@pytest.mark.parametrize(
    ("name", "description", "field"), [(HOST, "", "name"), ("API", HOST, "description")]
)
def test_a_name_or_description_that_would_leak_is_refused_at_its_field(
    session: Session, page: Page, name: str, description: str, field: str
) -> None:
    with pytest.raises(Blocked) as refused:
        let_name_pass(session, "component", name, description, reason="", actor=SYSTEM)
    assert (refused.value.field, refused.value.findings[0].excerpt) == (field, HOST)


def test_a_reason_lets_it_pass_and_is_kept_with_what_it_is_for(
    session: Session, page: Page
) -> None:
    let_name_pass(session, "component", HOST, "", reason="It is our product.", actor=SYSTEM)
    session.commit()
    entry = last_entry(session)
    assert (entry.action, entry.subject) == ("component.override", HOST)
    assert entry.after == {"reason": "It is our product.", "findings": [HOST]}


def test_what_is_harmless_needs_no_reason_and_leaves_no_entry(session: Session, page: Page) -> None:
    let_name_pass(session, "component", "API", "For partners", reason="", actor=SYSTEM)
    session.commit()
    assert count_entries(session) == 0


def test_texts_of_what_is_over_are_held_to_the_same(session: Session, page: Page) -> None:
    texts = (("name", "Payments failed"), ("body", f"{HOST} was down."))
    with pytest.raises(Blocked) as refused:
        let_texts_pass(session, texts, reason="")
    assert refused.value.field == "body"
    assert let_texts_pass(session, texts, reason="Customers know it.") == [HOST]


def test_what_is_only_worth_a_look_is_said_as_a_sentence(session: Session, page: Page) -> None:
    loud = "PAYMENTS FAIL EVERYWHERE NOW"
    assert name_warning(session, loud, loud) == (
        f" Check: “{loud}”: Avoid capitals and repeated exclamation marks."
    )
    assert name_warning(session, "Payments fail", HOST) == ""


def test_a_text_is_tried_as_if_an_incident_said_it_beside_the_pages_own_names(
    session: Session, page: Page
) -> None:
    make_component(session, "web-07")
    session.flush()
    found = try_text(session, "Down", "web-07 and db-08 are slow.", step=Step.POSTMORTEM)
    assert [one.excerpt for one in found if one.rule == "host"] == ["db-08"]
