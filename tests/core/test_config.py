"""Settings: what is not right stops the start, with a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from statuspage.core.config import ConfigError, Settings, load_settings
from statuspage.core.links import Links

pytestmark = pytest.mark.only_on("sqlite")

SMTP = {"SMTP_URL": "smtp://mail.example", "MAIL_FROM": "status@example.com"}
SENDGRID = {"SENDGRID_API_KEY": "SG.x", "MAIL_FROM": "status@example.com"}


def load(folder: Path, **environ: str) -> Settings:
    return load_settings({"DATA_DIR": str(folder), **environ})


@pytest.mark.parametrize("provider", [SMTP, SENDGRID])
def test_who_sends_mail_must_say_where_its_links_lead(
    tmp_path: Path, provider: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match="PUBLIC_URL: must be set where email is sent by"):
        load(tmp_path, **provider, HOST="0.0.0.0")
    made = load(tmp_path, **provider, PUBLIC_URL="https://status.example.com/")
    assert made.public_url == "https://status.example.com"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://störung.example.de", "https://xn--strung-xxa.example.de"),
        ("https://STÖRUNG.example.de:8443/x/", "https://xn--strung-xxa.example.de:8443/x"),
        ("https://状态.example", "https://xn--t7t692b.example"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://Status.example.com", "https://Status.example.com"),
    ],
)
def test_the_page_s_host_is_written_in_ascii_once_for_all(
    tmp_path: Path, given: str, kept: str
) -> None:
    made = load(tmp_path, PUBLIC_URL=given)
    assert made.public_url == kept
    links = Links(made.public_url)
    assert links.unsubscribe("t").startswith(f"{kept}/unsubscribe/t")
    assert links.host.isascii()


@pytest.mark.parametrize(
    "given",
    [
        "https://exa mple.de",
        "https://a..ü.example",
        "https://status.example.com/störung",
        "https://status.example.com:http",
        "https://sta<tus.example.com",
        "status.example.com",
        "https://status.example.com/#x",
    ],
)
def test_an_address_that_would_have_to_be_changed_stops_the_start(
    tmp_path: Path, given: str
) -> None:
    with pytest.raises(ConfigError, match=r"^PUBLIC_URL: "):
        load(tmp_path, PUBLIC_URL=given)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://status:pa/ss@mail.example:587",
        "smtp://status:pa#ss@mail.example:587",
        "smtp://status:pa?ss@mail.example:587",
        "smtp://mail.example/box",
        "smtp://mail.example#box",
        "smtp://mail.example:port",
    ],
)
def test_a_password_that_is_not_encoded_stops_the_start_and_is_not_repeated(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(ConfigError, match=r"^SMTP_URL: .*percent-encode") as refused:
        load(tmp_path, SMTP_URL=url, MAIL_FROM="status@example.com", PUBLIC_URL="https://a.example")
    assert "ss@" not in str(refused.value)


@pytest.mark.parametrize("urls", ["nonsense", "#general", "https:/hooks.example", "a://b ://c"])
def test_a_chat_room_that_is_no_address_stops_the_start(tmp_path: Path, urls: str) -> None:
    with pytest.raises(ConfigError, match=r"^CHAT_URLS: address . must look like"):
        load(tmp_path, CHAT_URLS=urls)


def test_mail_comes_from_an_address_that_every_server_takes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^MAIL_FROM: is not an email address"):
        load(tmp_path, MAIL_FROM="störung@example.com")


def test_a_mail_server_is_greeted_with_the_domain_that_mail_comes_from(tmp_path: Path) -> None:
    made = load(tmp_path, MAIL_FROM="status@störung.example.de")
    assert made.mail_domain == "xn--strung-xxa.example.de"


def test_without_a_chat_nothing_is_queued_where_mail_is_sent_and_a_laptop_keeps_it_in_files(
    tmp_path: Path,
) -> None:
    mailing = load(tmp_path, **SMTP, PUBLIC_URL="https://a.example")
    laptop = load(tmp_path)
    assert (mailing.has_chat, mailing.chat_rooms) == (False, {})
    assert (laptop.has_chat, laptop.chat_rooms) == (False, {"file": ""})


def test_the_database_is_a_file_beside_the_rest_unless_another_is_named(tmp_path: Path) -> None:
    # Installations have this file: another name would start them with an empty page.
    assert load(tmp_path).database_url == f"sqlite:///{tmp_path / 'statuspage.db'}"


def test_the_room_of_the_nightly_test_is_one_address_and_gets_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^DELIVERY_TEST_CHAT_URL: must be one address"):
        load(tmp_path, DELIVERY_TEST_CHAT_URL="json://a json://b")
    with pytest.raises(ConfigError, match=r"^SLACK_BOT_TOKEN: must be set"):
        load(tmp_path, DELIVERY_TEST_CHAT_URL="slack-bot://C0123456789")
    own = load(tmp_path, CHAT_URLS="json://a", DELIVERY_TEST_CHAT_URL="json://b")
    assert (list(own.chat_rooms.values()), list(own.postable_rooms.values())) == (
        ["json://a"], ["json://a", "json://b"],
    )  # fmt: skip
    shared = load(tmp_path, CHAT_URLS="json://a", DELIVERY_TEST_CHAT_URL="json://a")
    assert shared.postable_rooms == shared.chat_rooms
    assert [one.has_delivery_test for one in (own, load(tmp_path))] == [True, False]


def test_who_serves_on_a_unix_socket_must_say_where_the_page_is(tmp_path: Path) -> None:
    place = str(tmp_path / "web.sock")
    with pytest.raises(ConfigError, match="PUBLIC_URL: must be set where HOST is a Unix socket"):
        load(tmp_path, HOST=place)
    assert load(tmp_path, HOST=place, PUBLIC_URL="https://status.example.com").host == place
