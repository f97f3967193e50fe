"""The whole service, and a desk in another process on the same database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from statuspage.core.config import load_settings
from statuspage.core.db import db
from statuspage.runtime.application import create_app
from tests.service import FirstStart, Service


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the service keeps its pages in."""
    return tmp_path_factory.mktemp("exported") / "site"


@pytest.fixture(scope="package")
def service(
    tmp_path_factory: pytest.TempPathFactory, site: Path, first_start: FirstStart
) -> Iterator[Service]:
    """The service with its demo, shared by the tests here; it ends without a fault."""
    folder = tmp_path_factory.mktemp("service")
    running = Service(folder, {"EXPORT_TO": str(site)}, first_start=first_start)
    yield running
    assert running.stop() == 0


@pytest.fixture
def desk(service: Service) -> Iterator[None]:
    """Another process's app on the service's database: the posts come from here."""
    app = create_app(
        load_settings({"DATA_DIR": str(service.folder / "data"), "PUBLIC_URL": service.url})
    )
    with app.app_context():
        yield
        db.session.remove()
        db.engine.dispose()
