from __future__ import annotations

import pytest
from flask import Flask

from statuspage.runtime.application import create_app
from tests.service import FirstStart


@pytest.mark.only_on("sqlite")
def test_a_wrong_setting_ends_the_process_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "http")
    with pytest.raises(SystemExit) as ended:
        create_app()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("statuspage: wrong setting PORT: ")


def test_the_application_has_the_admin_the_apis_and_the_public_routes(app: Flask) -> None:
    first = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    assert {"admin", "api", "hooks", "readyz", "metrics", "incidents", "search"} <= first


@pytest.mark.only_on("sqlite")
def test_what_the_service_writes_is_its_owners_alone(first_start: FirstStart) -> None:
    written = {file.name: file.stat().st_mode & 0o077 for file in first_start.data.rglob("*")}
    assert set(written) >= {"statuspage.db", "secret_key"}
    assert set(written.values()) == {0}
