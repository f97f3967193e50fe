"""Slack as a bot: what is asked of its API, and what each of its answers means."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from statuspage.core.config import ConfigError, Settings, load_settings
from statuspage.delivery.channels.chat import Chat, SlackBot
from statuspage.delivery.channels.provider import Outcome, Thread
from tests.delivery.channels.samples import OUTGOING, recipient, send_all
from tests.fakes.slack import DROP, HANG, TOKEN, FakeSlack

ROOM = recipient(1, address="ops")
SEV1 = replace(OUTGOING, subject="SEV1 <!channel>", text="@here <http://x|y> & [sign in](http://x)")


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        yield server


def chat(api: str, folder: Path, *, token: str = TOKEN, timeout: float = 20.0) -> Chat:
    bot = SlackBot(token, api, {"ops": "C0123456789"})
    return Chat({"ops": "slack-bot://C0123456789"}, folder, slack=bot, timeout=timeout)


def test_a_message_calls_nobody_and_disguises_no_link(slack: FakeSlack, tmp_path: Path) -> None:
    (result,) = send_all(chat(slack.api, tmp_path), [ROOM], outgoing=SEV1)
    assert (result.outcome, result.provider_id) == (Outcome.ACCEPTED, "1700000000.000001")
    [(method, asked)] = slack.calls
    assert method == "chat.postMessage"
    assert asked["channel"] == "C0123456789"
    assert asked["text"] == (
        "SEV1 &lt;\u2060!channel&gt;\n\n"
        "@\u2060here &lt;\u2060http://x|y&gt; &amp; [sign in]\u2060(http://x)"
    )
    # Slack links addresses unless it is asked not to.
    assert "parse" not in asked
    for name in ("mrkdwn", "link_names", "unfurl_links", "unfurl_media"):
        assert asked[name] in {False, "0"}, name


def test_a_incident_is_told_in_one_thread_below_its_present_status(
    slack: FakeSlack, tmp_path: Path
) -> None:
    channel = chat(slack.api, tmp_path)
    outgoing = replace(OUTGOING, subject="Declared", text="All of it.")
    opened = replace(ROOM, thread=Thread("Investigating: <Shop>"))
    (first,) = send_all(channel, [opened], outgoing=outgoing)
    assert first.thread is not None
    later = replace(
        first.thread, headline="Resolved: Shop", opening="Declared\n\nAll of it.", is_current=False
    )
    answers = replace(ROOM, thread=later)
    (second,) = send_all(channel, [answers], outgoing=replace(outgoing, subject="Over"))
    assert second.thread == replace(later, is_current=True)
    assert slack.threads() == [("Resolved: Shop", ["Over"])]
    assert slack.messages[later.first].text == "Resolved: Shop\n\nDeclared\n\nAll of it."
    # What it says already is not said to Slack again.
    send_all(channel, [replace(ROOM, thread=second.thread)], outgoing=outgoing)
    assert [method for method, _ in slack.calls] == [
        "chat.postMessage", "pins.add", "chat.update", "chat.postMessage", "chat.postMessage",
    ]  # fmt: skip


def test_the_first_message_is_pinned_while_the_incident_is_open(
    slack: FakeSlack, tmp_path: Path
) -> None:
    channel = chat(slack.api, tmp_path)
    (opened,) = send_all(channel, [replace(ROOM, thread=Thread("Investigating"))])
    assert opened.thread is not None
    assert (opened.thread.is_pinned, slack.pinned) == (True, [opened.thread.first])
    over = replace(opened.thread, headline="Resolved", is_open=False, is_current=False)
    (ended,) = send_all(channel, [replace(ROOM, thread=over)])
    assert ended.thread is not None
    assert (ended.thread.is_pinned, slack.pinned) == (False, [])
    # What somebody unpinned by hand, or pinned, is as it shall be.
    send_all(channel, [replace(ROOM, thread=over)])
    again = replace(over, is_open=True, is_current=True, is_pinned=False)
    send_all(channel, [replace(ROOM, thread=again)])
    (last,) = send_all(channel, [replace(ROOM, thread=again)])
    assert (last.outcome, last.reason, slack.pinned) == ("accepted", "", [again.first])


@pytest.mark.parametrize("trouble", ["missing_scope", "ratelimited", "restricted_action"])
def test_a_pin_that_is_refused_holds_no_message_up(
    slack: FakeSlack, tmp_path: Path, trouble: str
) -> None:
    channel = chat(slack.api, tmp_path)
    (opened,) = send_all(channel, [replace(ROOM, thread=Thread("Investigating"))])
    assert opened.thread is not None
    slack.calls.clear()
    behind = replace(opened.thread, is_pinned=False)
    slack.script.extend(["", trouble])
    (result,) = send_all(channel, [replace(ROOM, thread=behind)])
    assert (result.outcome, result.fault) == ("accepted", "none")
    assert result.reason == f"the first message could not be pinned: {trouble}"
    assert result.thread == behind
    assert [method for method, _ in slack.calls] == ["chat.postMessage", "pins.add"]


def test_a_channel_is_opened_linked_and_told_the_declaration(
    slack: FakeSlack, tmp_path: Path
) -> None:
    channel = chat(slack.api, tmp_path)
    new = Thread("Investigating: Shop", channel_name="inc-20260304-shop")
    (result,) = send_all(channel, [replace(ROOM, thread=new)])
    [own] = slack.channels.values()
    assert result.thread is not None
    assert (result.thread.channel, list(slack.channels)) == (own, ["inc-20260304-shop"])
    link = f"Incident channel: https://slack.com/app_redirect?channel={own}"
    declared, copy = slack.messages.values()
    assert declared.text.split("\n")[:3] == ["Investigating: Shop", link, ""]
    assert (copy.channel, copy.text) == (own, declared.text.replace(f"{link}\n", ""))
    # The link stays when the headline is edited, and no second channel is opened.
    later = replace(result.thread, headline="Resolved: Shop", opening="All.", is_current=False)
    send_all(channel, [replace(ROOM, thread=later)])
    assert declared.text == f"Resolved: Shop\n{link}\n\nAll."
    assert len(slack.channels) == 1


def test_a_name_that_is_taken_gets_a_number(slack: FakeSlack, tmp_path: Path) -> None:
    channel = chat(slack.api, tmp_path)
    long = "inc-" + "x" * 76
    for name in ("inc-shop", "inc-shop", "inc-shop", long, long):
        send_all(channel, [replace(ROOM, thread=Thread("Investigating", channel_name=name))])
    assert list(slack.channels) == [
        "inc-shop", "inc-shop-2", "inc-shop-3", long, f"{long[:78]}-2",
    ]  # fmt: skip


def test_a_channel_that_is_refused_holds_no_declaration_up(
    slack: FakeSlack, tmp_path: Path
) -> None:
    slack.scopes -= {"channels:manage"}
    new = Thread("Investigating: Shop", channel_name="inc-shop")
    (result,) = send_all(chat(slack.api, tmp_path), [replace(ROOM, thread=new)])
    assert result.outcome == "accepted"
    assert result.reason == "no channel was opened for the incident: missing_scope"
    assert slack.threads() == [("Investigating: Shop", [])]


@pytest.mark.parametrize("is_current", [True, False])
def test_a_thread_that_was_deleted_is_opened_anew(
    slack: FakeSlack, tmp_path: Path, is_current: bool
) -> None:
    gone = Thread("Identified: Shop", "Long ago", first="1600000000.000001", is_current=is_current)
    (result,) = send_all(chat(slack.api, tmp_path), [replace(ROOM, thread=gone)])
    assert result.thread == replace(
        gone, first="1700000000.000001", is_current=True, is_pinned=True
    )
    assert slack.threads() == [("Identified: Shop", [])]


@pytest.mark.parametrize(
    ("answer", "means"),
    [
        (429, ("not_sent", "rate", 7.0)),
        ("ratelimited", ("not_sent", "rate", None)),
        ("token_expired", ("not_sent", "credentials", None)),
        ("channel_not_found", ("not_sent", "room", None)),
        ("is_archived", ("not_sent", "room", None)),
        ("msg_too_long", ("refused", "none", None)),
        ("internal_error", ("unknown", "provider", None)),
        (503, ("unknown", "provider", None)),
        (404, ("not_sent", "credentials", None)),
        (DROP, ("unknown", "provider", None)),
    ],
)
def test_every_answer_is_told_for_what_it_is(
    slack: FakeSlack, tmp_path: Path, answer: str | int, means: tuple[object, ...]
) -> None:
    slack.script.append(answer)
    (result,) = send_all(chat(slack.api, tmp_path), [ROOM])
    assert (result.outcome, result.fault, result.retry_after) == means
    assert TOKEN not in result.reason
    # It is for the outbox to say whether anything is sent again.
    assert len(slack.calls) == 1


def test_an_edit_that_fails_posts_nothing_or_stands_in_nobodys_way(
    slack: FakeSlack, tmp_path: Path
) -> None:
    channel = chat(slack.api, tmp_path)
    (first,) = send_all(channel, [replace(ROOM, thread=Thread("Investigating"))])
    assert first.thread is not None
    behind = replace(ROOM, thread=replace(first.thread, is_current=False))
    for trouble, outcome, count in ((429, "not_sent", 1), (DROP, "not_sent", 1),
                                    ("edit_window_closed", "accepted", 2)):  # fmt: skip
        slack.script.append(trouble)
        (result,) = send_all(channel, [behind])
        assert (result.outcome, len(slack.messages)) == (outcome, count)
    assert result.thread == behind.thread


def test_a_wrong_token_and_a_closed_port_are_told_apart(slack: FakeSlack, tmp_path: Path) -> None:
    (wrong,) = send_all(chat(slack.api, tmp_path, token="xoxb-wrong"), [ROOM])
    assert (wrong.outcome, wrong.fault) == ("not_sent", "credentials")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        api = f"http://127.0.0.1:{closed.getsockname()[1]}/api"
        (away,) = send_all(chat(api, tmp_path), [ROOM])
    assert (away.outcome, away.fault) == ("not_sent", "provider")


def test_an_api_that_hangs_is_left_at_the_deadline(slack: FakeSlack, tmp_path: Path) -> None:
    slack.script.append(HANG)
    (result,) = send_all(chat(slack.api, tmp_path, timeout=1.0), [ROOM])
    assert (result.outcome, result.fault) == ("unknown", "provider")


def settings(tmp_path: Path, **changes: str) -> Settings:
    given = {"CHAT_URLS": "slack-bot://C0123456789 json://localhost", "SLACK_BOT_TOKEN": TOKEN}
    return load_settings({"DATA_DIR": str(tmp_path), **given, **changes})


def test_the_bots_rooms_are_known_by_names_that_give_nothing_away(tmp_path: Path) -> None:
    [(name, channel)] = settings(tmp_path).slack_rooms.items()
    assert channel == "C0123456789"
    assert name in settings(tmp_path).chat_rooms
    assert "C0123456789" not in name


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb with spaces"}, "SLACK_BOT_TOKEN"),
        ({"CHAT_URLS": "slack-bot://#incidents"}, "CHAT_URLS"),
        ({"SLACK_API_URL": "http://slack.example/api"}, "SLACK_API_URL"),
    ],
)
def test_what_cannot_work_stops_the_start(
    tmp_path: Path, changes: dict[str, str], named: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        settings(tmp_path, **changes)
    assert refused.value.name == named
