"""The public site in an S3 bucket, against a server that speaks S3."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from flask import Flask
from moto.server import ThreadedMotoServer
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.core.enums import Visibility
from statuspage.models import Alarm, Incident
from statuspage.models.revision import bump
from statuspage.public.export import exporter, files, sync, targets
from statuspage.public.export import exporter as keeping
from statuspage.runtime.application import create_app
from tests.databases import SqliteTemplate
from tests.editions import AtOnce
from tests.factories import LINKS, make_component, make_incident, make_page

BUCKET = "status"
Objects = dict[str, dict[str, Any]]

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """boto3's own settings lead to the server, where there is one empty bucket."""
    for name, value in {
        "AWS_ENDPOINT_URL_S3": server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    gone = [{"Key": entry["Key"]} for entry in listed]
    if gone:
        client.delete_objects(Bucket=BUCKET, Delete={"Objects": gone})
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def app(sqlite_template: SqliteTemplate, tmp_path: Path) -> Flask:
    sqlite_template.copy_to(tmp_path)
    return create_app(load_settings({"DATA_DIR": str(tmp_path), "PUBLIC_URL": LINKS.base}))


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    def write(session: Session) -> None:
        make_page(session)
        make_incident(session, code="payments0000", components=[make_component(session)])

    with app.app_context():
        with writing() as session:
            write(session)
            bump(session)
        yield db.engine
        db.engine.dispose()


def objects(client: Any) -> Objects:
    found: Objects = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", ()):
            found[entry["Key"]] = client.get_object(Bucket=BUCKET, Key=entry["Key"])
    return found


def export_to(place: str, engine: Engine) -> sync.Report:
    target = targets.open_target(place)
    return sync.export_site(target, engine, LINKS, progress=lambda done, total: None)


def test_each_address_is_an_object_of_its_type(s3: Any, engine: Engine) -> None:
    export_to(f"s3://{BUCKET}", engine)
    there = objects(s3)
    assert {
        name: there[name]["ContentType"]
        for name in (
            "index.html", "history", "incidents/payments0000", "incidents/payments0000/updates.rss",
            "updates.json", "api/v2/summary.json", "maintenances.ics", "badge.svg", "404.html",
        )
    } == {
        "index.html": "text/html; charset=utf-8",
        "history": "text/html; charset=utf-8",
        "incidents/payments0000": "text/html; charset=utf-8",
        "incidents/payments0000/updates.rss": "application/rss+xml; charset=utf-8",
        "updates.json": "application/feed+json; charset=utf-8",
        "api/v2/summary.json": "application/json; charset=utf-8",
        "maintenances.ics": "text/calendar; charset=utf-8",
        "badge.svg": "image/svg+xml",
        "404.html": "text/html; charset=utf-8",
    }  # fmt: skip
    assert there["index.html"]["CacheControl"].startswith("public, max-age=5")
    (style,) = (name for name in there if name.startswith("static/page.") and name.endswith(".css"))
    assert there[style]["CacheControl"] == "public, max-age=31536000, immutable"


def test_the_compressed_forms_stand_beside_it(s3: Any, engine: Engine) -> None:
    export_to(f"s3://{BUCKET}", engine)
    there = objects(s3)
    packed = there["index.html.gz"]
    assert (packed["ContentEncoding"], packed["ContentType"]) == (
        "gzip",
        "text/html; charset=utf-8",
    )
    assert there["index.html.br"]["ContentEncoding"] == "br"
    assert "ContentEncoding" not in there["index.html"]
    assert gzip.decompress(packed["Body"].read()) == there["index.html"]["Body"].read()


def test_a_second_run_writes_nothing(s3: Any, engine: Engine) -> None:
    export_to(f"s3://{BUCKET}/status/page", engine)
    assert all(name.startswith("status/page/") for name in objects(s3))
    again = export_to(f"s3://{BUCKET}/status/page", engine)
    assert (again.written, again.removed) == (0, 0)


def test_what_is_gone_is_removed_and_what_differs_is_put_right(s3: Any, engine: Engine) -> None:
    export_to(f"s3://{BUCKET}", engine)
    s3.put_object(Bucket=BUCKET, Key="index.html", Body=b"hacked")
    with writing() as session:
        session.query(Incident).update({"visibility": Visibility.INTERNAL})
        bump(session)
    export_to(f"s3://{BUCKET}", engine)
    there = objects(s3)
    assert [name for name in there if "payments0000" in name] == []
    assert b"All Systems Operational" in there["index.html"]["Body"].read()


def test_an_export_of_another_release_is_written_again(s3: Any, engine: Engine) -> None:
    first = export_to(f"s3://{BUCKET}", engine)
    s3.put_object(Bucket=BUCKET, Key=".statuspage", Body=b"0")
    assert export_to(f"s3://{BUCKET}", engine).written == first.written


def test_a_bucket_with_other_peoples_objects_is_refused(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="photos/me.jpg", Body=b"mine")
    with pytest.raises(files.UnusableTarget, match="holds other objects"):
        targets.open_target(f"s3://{BUCKET}")
    targets.open_target(f"s3://{BUCKET}/status")
    assert set(objects(s3)) == {"photos/me.jpg", "status/.statuspage"}


def test_a_bucket_that_is_not_there_is_told_in_a_line(s3: Any) -> None:
    with pytest.raises(OSError, match=r"s3://nowhere: .*NoSuchBucket") as found:
        targets.open_target("s3://nowhere")
    assert "\n" not in str(found.value)


def test_the_worker_keeps_a_bucket_once_it_is_there_and_tells_until_then(
    s3: Any, app: Flask, engine: Engine
) -> None:
    keeper = exporter.Keeper(app, "s3://later/page", AtOnce(app))  # type: ignore[arg-type]
    assert keeper.step() == 1.0
    alarm = db.session.scalars(select(Alarm)).one()
    assert "s3://later/page: " in alarm.text
    assert "NoSuchBucket" in alarm.text
    db.session.remove()
    s3.create_bucket(Bucket="later")
    while keeper.step() != keeping.LOOK_SECONDS:
        pass
    assert db.session.scalars(select(Alarm)).one().cleared_at is not None
    listed = s3.list_objects_v2(Bucket="later", Prefix="page/incidents/")["Contents"]
    assert "page/incidents/payments0000" in {entry["Key"] for entry in listed}
    with writing() as session:
        session.query(Incident).update({"visibility": Visibility.INTERNAL})
        bump(session)
    keeper.step()
    assert s3.list_objects_v2(Bucket="later", Prefix="page/incidents/").get("Contents", []) == []
    db.session.remove()
