"""The views of an edition: kept beside its documents, and read back only as what they were."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from statuspage.core.db import db, writing
from statuspage.models.revision import bump
from statuspage.public import view_store as module
from statuspage.public.assets import asset
from statuspage.public.edition import Edition, load, save
from statuspage.public.edition_builder import build_edition, complete_edition, mark_stale
from statuspage.public.queries import open_site, read_component_page
from statuspage.public.view_store import Views, freeze, thaw
from tests.factories import (
    LINKS,
    NOON,
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
)
from tests.statements import noted


@pytest.fixture
def edition(app: Flask, frozen: time_machine.Traveller) -> Edition:
    with app.app_context():
        with writing() as session:
            make_page(session, time_zone="Asia/Kathmandu", look={"footer": "By *us*"})
            checkout = make_component(session, code="checkout0000", group=make_group(session))
            make_component(session, "Fax", code="fax000000000")
            make_incident(session, "Payments fail", code="pay000000000", components=[checkout])
            make_maintenance(session)
            bump(session)
        return build_edition(db.engine, LINKS)


def test_views_come_back_as_they_were(app: Flask, edition: Edition) -> None:
    with app.app_context():
        list(complete_edition(db.engine, edition))
    views = edition.views
    assert views is not None
    assert [view.component.name for view in views.components] == ["Checkout", "Fax"]
    assert thaw(freeze(views)) == views


def test_only_the_parts_that_changed_are_written_again(app: Flask, edition: Edition) -> None:
    assert edition.views is not None
    with app.app_context():
        list(complete_edition(db.engine, edition))
        freeze(edition.views)
        written = module._freeze_part.cache_info().misses
        with writing() as session:
            make_component(session, "Search")
            bump(session)
        after = build_edition(db.engine, LINKS, edition)
        list(complete_edition(db.engine, after))
    assert after.views is not None
    freeze(after.views)
    assert module._freeze_part.cache_info().misses - written == 1


def test_components_join_an_edition_whole_and_only_once(app: Flask, edition: Edition) -> None:
    assert edition.views is not None
    with app.app_context():
        steps = complete_edition(db.engine, edition)
        next(steps)
        assert edition.views.components == []
        list(steps)
        assert len(edition.views.components) == 2
        assert list(complete_edition(db.engine, edition)) == []
    assert len(edition.views.components) == 2


def test_they_are_what_their_own_pages_say(app: Flask, edition: Edition) -> None:
    with app.app_context(), open_site(db.engine, at=edition.built_at) as site:
        list(complete_edition(db.engine, edition))
        one_by_one = [read_component_page(site, view) for view in site.by_key.values()]
    assert edition.views is not None
    assert edition.views.components == one_by_one


def test_more_components_are_read_with_as_many_statements(app: Flask, edition: Edition) -> None:
    def count() -> tuple[int, int]:
        with noted(db.engine) as statements:
            made = build_edition(db.engine, LINKS)
            built = len(statements)
            list(complete_edition(db.engine, made))
        return built, len(statements) - built

    with app.app_context():
        before = count()
        with writing() as session:
            group = make_group(session, "Parts")
            parts = [make_component(session, f"Part {n}", group=group) for n in range(40)]
            make_incident(session, "All parts fail", components=parts)
            bump(session)
        assert count() == before


def test_nothing_of_a_later_revision_joins_an_edition(app: Flask, edition: Edition) -> None:
    with app.app_context():
        with writing() as session:
            bump(session)
        assert list(complete_edition(db.engine, edition)) == []
    assert "/components/checkout0000" not in mark_stale(edition, NOON).more


class Evil:
    """What an attacker would write into the copy."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return exec, ("raise SystemExit('run')",)


@pytest.mark.parametrize("content", [Evil(), [1, 2], None])
def test_a_file_makes_nothing_but_views(content: object) -> None:
    assert thaw(module._SHAPE + pickle.dumps(content)) is None


def test_views_of_another_release_are_left_alone_and_the_documents_shown(
    edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(edition, tmp_path / "edition")
    monkeypatch.setattr(module, "_SHAPE", b"0" * 64)
    kept = load(tmp_path / "edition")
    assert kept is not None
    assert (kept.views, kept.documents) == (None, edition.documents)
    assert mark_stale(kept, NOON).find("/de/") is None


def test_an_edition_that_was_kept_says_the_same_in_every_language(
    edition: Edition, tmp_path: Path
) -> None:
    save(edition, tmp_path / "edition")
    kept = load(tmp_path / "edition")
    assert kept is not None
    del kept.documents[asset("page.css")]  # type: ignore[attr-defined]
    stale = [mark_stale(each, NOON) for each in (edition, kept)]
    assert stale[1].documents == stale[0].documents
    before, after = (each.versions for each in stale)
    assert len(before.paths) > 20
    assert {path: after.get(path) for path in after.paths} == {
        path: before.get(path) for path in before.paths
    }


def test_views_are_few_bytes_beside_the_pages_made_of_them(edition: Edition) -> None:
    views = edition.views
    assert isinstance(views, Views)
    pages = [edition.versions.get(path) for path in edition.versions.paths]
    assert len(freeze(replace(views))) * 10 < sum(len(page.body) for page in pages if page)
