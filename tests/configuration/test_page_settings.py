"""Setting a page up, and changing what it says about itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.configuration import editing, page_settings
from statuspage.configuration.editing import PageSettings
from statuspage.configuration.severity import severity_levels
from statuspage.core import clock
from statuspage.core.conflict import Conflict, fingerprint
from statuspage.models import (
    Page,
    revision,
)
from statuspage.models.page import the_page
from tests.actors import acting
from tests.configuration_edits import ACTOR, count_entries, last_entry, names, refusal


def test_a_page_is_set_up_with_all_that_it_needs(session: Session, frozen: Traveller) -> None:
    page_settings.set_up_page(
        PageSettings("Globex", time_zone="Europe/Berlin"),
        scheme="p0",
        components=page_settings.read_outline("Status\n\nShop:\nCheckout\nCatalog"),
        actor=ACTOR,
    )
    page = the_page(session)
    assert page is not None
    assert (page.name, page.time_zone, page.scheme) == ("Globex", "Europe/Berlin", "p0")
    assert page.set_up_at == clock.now()
    assert [level.name for level in severity_levels(session)] == ["P0", "P1", "P2", "P3"]
    assert names(session) == ["Status", "Shop", ["Checkout", "Catalog"]]
    assert revision.current_number(session) == 1
    assert (last_entry(session).action, last_entry(session).subject) == ("page.set_up", "Globex")


def test_an_empty_page_is_filled_and_not_doubled(session: Session) -> None:
    page_settings.ensure_page(time_zone="Asia/Tokyo")
    page_settings.ensure_page(time_zone="UTC")
    empty = the_page(session)
    assert empty is not None
    assert (empty.time_zone, empty.set_up_at) == ("Asia/Tokyo", None)
    page_settings.set_up_page(
        PageSettings("Globex"), scheme="sev", components=[(None, ["Shop"])], actor=ACTOR
    )
    assert [page.name for page in session.scalars(select(Page))] == ["Globex"]
    assert len(severity_levels(session)) == 3


def test_a_page_is_set_up_only_once(page: Page) -> None:
    with refusal(field="name", reason="The page has been set up already"):
        page_settings.set_up_page(PageSettings("Other"), scheme="sev", components=[], actor=ACTOR)


@pytest.mark.parametrize(
    ("text", "outline"),
    [
        ("", []),
        ("API", [(None, ["API"])]),
        ("Shop:\nCheckout\nCatalog", [("Shop", ["Checkout", "Catalog"])]),
        ("Shop:\nCheckout\n\nAPI", [("Shop", ["Checkout"]), (None, ["API"])]),
        ("API\nShop:\nCheckout", [(None, ["API"]), ("Shop", ["Checkout"])]),
        ("Shop:", [("Shop", [])]),
        (" Shop : \n  Check   out ", [("Shop", ["Check out"])]),
        ("A:\nX\nB:\nX", [("A", ["X"]), ("B", ["X"])]),
    ],
)
def test_an_outline_is_read_as_it_is_written(
    text: str, outline: list[tuple[str | None, list[str]]]
) -> None:
    assert page_settings.read_outline(text) == outline


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("API\napi", "“api” is there twice"),
        ("Shop:\nX\n\nshop:\nY", "The group “shop” is there twice"),
        ("x" * 201, f"“{'x' * 40}…” is longer than 200 characters"),
        ("\n".join(map(str, range(501))), "At most 500 components"),
    ],
)
def test_an_outline_that_cannot_be_taken_says_why(text: str, reason: str) -> None:
    with refusal(field="components", reason=reason):
        page_settings.read_outline(text)


def test_changed_settings_are_kept_with_what_they_were(session: Session, page: Page) -> None:
    standing = editing.read_as(PageSettings, page)
    page_settings.change_page(replace(standing, name="Globex", sign_off="The team"), actor=ACTOR)
    entry = last_entry(session)
    assert entry.before == {"name": "Acme", "sign_off": ""}
    assert entry.after == {"name": "Globex", "sign_off": "The team"}
    assert (entry.actor, entry.action, entry.subject) == ("Kim", "page.change", "Acme")
    assert revision.current_number(session) == 1


def test_saving_what_is_there_is_no_act(session: Session, page: Page) -> None:
    page_settings.change_page(editing.read_as(PageSettings, page), actor=ACTOR)
    assert (count_entries(session), revision.current_number(session)) == (0, 0)


def test_what_somebody_else_saved_meanwhile_is_not_lost(session: Session, page: Page) -> None:
    seen = editing.read_as(PageSettings, page)
    page_settings.change_page(replace(seen, name="Theirs"), actor=acting("Sam"))
    with pytest.raises(Conflict) as caught:
        page_settings.change_page(replace(seen, name="Mine"), actor=ACTOR, seen=fingerprint(seen))
    theirs = caught.value.current
    assert isinstance(theirs, PageSettings)
    assert theirs.name == "Theirs"
    page_settings.change_page(replace(seen, name="Mine"), actor=ACTOR, seen=fingerprint(theirs))
    assert the_page(session).name == "Mine"  # type: ignore[union-attr]


def test_two_who_type_the_same_do_not_disturb_each_other(session: Session, page: Page) -> None:
    seen = editing.read_as(PageSettings, page)
    for _ in range(2):
        page_settings.change_page(replace(seen, name="Both"), actor=ACTOR, seen=fingerprint(seen))
    assert count_entries(session) == 1


def test_categories_of_causes_are_lines_each_once() -> None:
    page = Page(name="Acme", cause_categories="Network\n\n  Deployment \nNetwork")
    assert page_settings.cause_categories(page) == ["Network", "Deployment"]
    assert page_settings.cause_categories(None) == []
