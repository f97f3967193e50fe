"""The closing checklist of a scheme: shipped, edited as text, and each scheme's its own."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from statuspage.configuration.closing_list import (
    ABOUT,
    ClosingText,
    change_closing_list,
    closing_list,
    closing_text,
)
from statuspage.configuration.severity import PRESETS, choose_scheme
from statuspage.core.conflict import Conflict, fingerprint
from statuspage.models import Page
from tests.configuration_edits import ACTOR, count_entries, last_entry, refusal


def labels(session: Session) -> list[str]:
    session.expire_all()
    return [entry.label for entry in closing_list(session)]


def test_each_shipped_list_asks_for_the_seven_things(session: Session, page: Page) -> None:
    asked = {"stable", "root_cause", "fix", "alerts", "channel", "page", "review"}
    for scheme in PRESETS:
        choose_scheme(scheme, actor=ACTOR)
        session.expire_all()
        names = [entry.name for entry in closing_list(session)]
        assert asked <= set(names) <= set(ABOUT)


def test_a_list_is_edited_as_text_and_belongs_to_its_scheme(session: Session, page: Page) -> None:
    shipped = labels(session)
    change_closing_list(
        ClosingText("Stable : Calm\n\n  Tell: the board \nfix: "), actor=ACTOR, seen=None
    )
    entries = closing_list(session)
    assert [(entry.name[:4], entry.label) for entry in entries] == [
        ("stab", "Calm"), ("own-", "Tell: the board"), ("own-", "fix:"),
    ]  # fmt: skip
    assert last_entry(session).action == "scheme.closing_list"
    choose_scheme("p0", actor=ACTOR)
    assert labels(session)[0] == "System stable for an hour"
    choose_scheme("sev", actor=ACTOR)
    assert labels(session)[0] == "Calm"
    change_closing_list(ClosingText(" "), actor=ACTOR, seen=None)
    assert labels(session) == shipped
    entries_kept = count_entries(session)
    change_closing_list(ClosingText(PRESETS["sev"].closing), actor=ACTOR, seen=None)
    assert count_entries(session) == entries_kept


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fix: One\nFIX: Two", "“fix” is there twice"),
        ("Tell Kim\ntell kim", "“tell kim” is there twice"),
        ("\n".join(map(str, range(21))), "Use at most 20 items"),
        ("x" * 201, f"“{'x' * 40}…” is longer than 200 characters"),
    ],
)
def test_a_list_that_cannot_be_is_refused(page: Page, text: str, reason: str) -> None:
    with refusal(field="closing", reason=reason):
        change_closing_list(ClosingText(text), actor=ACTOR, seen=None)


def test_two_editors_make_one_list_and_one_question(session: Session, page: Page) -> None:
    seen = fingerprint(closing_text(session))
    change_closing_list(ClosingText("One"), actor=ACTOR, seen=seen)
    with pytest.raises(Conflict) as caught:
        change_closing_list(ClosingText("Two"), actor=ACTOR, seen=seen)
    assert caught.value.current == ClosingText("One")
