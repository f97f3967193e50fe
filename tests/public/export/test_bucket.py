"""The public site in an S3 bucket, against a server that speaks S3."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import time_machine
from flask import Flask
from moto.server import ThreadedMotoServer
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.core.enums import Visibility
from statuspage.models import Alarm, Incident
from statuspage.models.revision import bump
from statuspage.public.document import TEXT, make_document
from statuspage.public.export import exporter, files, sync, targets
from statuspage.public.export import exporter as keeping
from statuspage.runtime.application import create_app
from tests.databases import SqliteTemplate
from tests.editions import AtOnce, in_three_languages
from tests.factories import LINKS, NOON, make_component, make_incident, make_page

BUCKET = "status"

pytestmark = pytest.mark.usefixtures("frozen")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture(scope="module")
def anywhere(server: str) -> Iterator[Any]:
    """boto3's own settings lead to the server."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL_S3": server,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        yield boto3.client("s3")


@pytest.fixture
def s3(anywhere: Any) -> Iterator[Any]:
    """One empty bucket."""
    anywhere.create_bucket(Bucket=BUCKET)
    yield anywhere
    gone = [{"Key": key} for key in keys(anywhere)]
    if gone:
        anywhere.delete_objects(Bucket=BUCKET, Delete={"Objects": gone})
    anywhere.delete_bucket(Bucket=BUCKET)


@pytest.fixture(scope="module")
def site(
    sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """A page with one incident, in three languages."""
    folder = tmp_path_factory.mktemp("site")
    sqlite_template.copy_to(folder)
    app = create_app(load_settings({"DATA_DIR": str(folder), "PUBLIC_URL": LINKS.base}))

    def write(session: Session) -> None:
        make_page(session)
        make_incident(session, code="payments0000", components=[make_component(session)])

    with in_three_languages():
        with time_machine.travel(NOON, tick=False), app.app_context(), writing() as session:
            write(session)
            bump(session)
        yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(site: Flask) -> Iterator[Flask]:
    """The same, to change."""
    yield site
    with site.app_context(), writing() as session:
        session.query(Incident).update({"visibility": Visibility.PUBLIC})
        session.query(Alarm).delete()
        bump(session)


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    with app.app_context():
        yield db.engine


@pytest.fixture(scope="module")
def exported(anywhere: Any, site: Flask) -> str:
    """Where an export is; whoever changes it puts it back."""
    anywhere.create_bucket(Bucket="exported")
    with site.app_context(), time_machine.travel(NOON, tick=False):
        export_to("s3://exported/status/page", db.engine)
    return "status/page/"


def keys(client: Any, bucket: str = BUCKET) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


def export_to(place: str, engine: Engine) -> sync.Report:
    target = targets.open_target(place)
    return sync.export_site(target, engine, LINKS, progress=lambda done, total: None)


def test_each_address_is_an_object_of_its_type(anywhere: Any, exported: str) -> None:
    types = {
        "index.html": "text/html; charset=utf-8",
        "history": "text/html; charset=utf-8",
        "incidents/payments0000": "text/html; charset=utf-8",
        "incidents/payments0000/updates.rss": "application/rss+xml; charset=utf-8",
        "updates.json": "application/feed+json; charset=utf-8",
        "api/v2/summary.json": "application/json; charset=utf-8",
        "maintenances.ics": "text/calendar; charset=utf-8",
        "badge.svg": "image/svg+xml",
        "404.html": "text/html; charset=utf-8",
    }
    there = {name: anywhere.get_object(Bucket="exported", Key=exported + name) for name in types}
    assert {name: there[name]["ContentType"] for name in types} == types
    assert there["index.html"]["CacheControl"].startswith("public, max-age=5")
    (style,) = (
        name
        for name in keys(anywhere, "exported")
        if name.startswith(f"{exported}static/page.") and name.endswith(".css")
    )
    kept = anywhere.get_object(Bucket="exported", Key=style)
    assert kept["CacheControl"] == "public, max-age=31536000, immutable"


def test_the_compressed_forms_stand_beside_it(anywhere: Any, exported: str) -> None:
    there = {
        ending: anywhere.get_object(Bucket="exported", Key=f"{exported}index.html{ending}")
        for ending in ("", ".gz", ".br")
    }
    packed = there[".gz"]
    assert (packed["ContentEncoding"], packed["ContentType"]) == (
        "gzip",
        "text/html; charset=utf-8",
    )
    assert there[".br"]["ContentEncoding"] == "br"
    assert "ContentEncoding" not in there[""]
    assert gzip.decompress(packed["Body"].read()) == there[""]["Body"].read()


def test_a_second_run_writes_nothing(anywhere: Any, exported: str, engine: Engine) -> None:
    assert all(name.startswith(exported) for name in keys(anywhere, "exported"))
    again = export_to("s3://exported/status/page", engine)
    assert (again.written, again.removed) == (0, 0)


def test_what_is_gone_is_removed_and_what_differs_is_put_right(
    anywhere: Any, exported: str, engine: Engine
) -> None:
    home = {"Bucket": "exported", "Key": f"{exported}index.html"}
    before = keys(anywhere, "exported")
    anywhere.put_object(**home, Body=b"hacked")
    assert export_to("s3://exported/status/page", engine).written == 1
    with writing() as session:
        session.query(Incident).update({"visibility": Visibility.INTERNAL})
        bump(session)
    export_to("s3://exported/status/page", engine)
    assert [name for name in keys(anywhere, "exported") if "payments0000" in name] == []
    assert b"All Systems Operational" in anywhere.get_object(**home)["Body"].read()
    with writing() as session:
        session.query(Incident).update({"visibility": Visibility.PUBLIC})
        bump(session)
    export_to("s3://exported/status/page", engine)
    assert keys(anywhere, "exported") == before


def test_an_export_of_another_release_is_written_again(s3: Any) -> None:
    documents = [
        make_document(text * 99, content_type=TEXT, last_modified=NOON) for text in ("one", "two")
    ]
    bundles = [
        files.bundle(f"/{number}.txt", document, has_folders=False)
        for number, document in enumerate(documents)
    ]
    assert targets.open_target(f"s3://{BUCKET}").write(bundles) == 6
    assert targets.open_target(f"s3://{BUCKET}").write(bundles) == 0
    s3.put_object(Bucket=BUCKET, Key=".statuspage", Body=b"0")
    assert targets.open_target(f"s3://{BUCKET}").write(bundles) == 6


def test_a_bucket_with_other_peoples_objects_is_refused(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="photos/me.jpg", Body=b"mine")
    with pytest.raises(files.UnusableTarget, match="holds other objects"):
        targets.open_target(f"s3://{BUCKET}")
    targets.open_target(f"s3://{BUCKET}/status")
    assert set(keys(s3)) == {"photos/me.jpg", "status/.statuspage"}


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
