"""Mail through SendGrid, against a stand-in on a real socket."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings

from statuspage.delivery.channels.provider import fill_html, fill_text
from statuspage.delivery.channels.sendgrid import SendGrid
from tests.delivery.channels.samples import (
    OUTGOING,
    outcomes,
    recipient,
    recipients,
    send_all,
    yes_times,
)
from tests.delivery.channels.test_mime import HOSTILE
from tests.fakes.sendgrid import Does, FakeSendGrid

OPENS_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

KEY = "SG.very-secret-key"
ACCEPTED = ("accepted", "none")


@pytest.fixture
def fake() -> Iterator[FakeSendGrid]:
    with FakeSendGrid() as server:
        yield server


@pytest.fixture
def channel(fake: FakeSendGrid) -> Iterator[SendGrid]:
    provider = SendGrid(KEY, host=fake.url, timeout=60.0)
    yield provider
    provider.close()


def quick(fake: FakeSendGrid) -> SendGrid:
    return SendGrid(KEY, host=fake.url, timeout=1.0)


def test_one_request_carries_a_whole_batch(fake: FakeSendGrid, channel: SendGrid) -> None:
    results = send_all(channel, recipients(1000))
    assert [result.outcome for result in results] == ["accepted"] * 1000
    assert {result.provider_id for result in results} != {None}
    assert (fake.requests, len(fake.mails)) == (1, 1000)


def test_each_recipient_reads_a_mail_of_their_own(fake: FakeSendGrid, channel: SendGrid) -> None:
    send_all(channel, [recipient(1), recipient(2, name="O'Neil & <b>Sons</b>")])
    first, second = fake.mails
    assert (first.address, first.name) == ("customer1@example.org", "Customer 1")
    assert first.subject == "Resolved: checkout"
    assert first.text == (
        "Hello Customer 1,\nit began at noon.\n\nLeave: https://status.example.com/unsubscribe/1\n"
    )
    assert first.html == "<p>Hello Customer 1, it began at noon.</p>"
    assert second.text.startswith("Hello O'Neil & <b>Sons</b>,\n")
    assert second.html.startswith("<p>Hello O&#x27;Neil &amp; &lt;b&gt;Sons&lt;/b&gt;, ")


def test_a_mail_alone_reads_the_same_as_in_a_batch(fake: FakeSendGrid, channel: SendGrid) -> None:
    send_all(channel, [recipient(1)])
    send_all(channel, recipients(2))
    alone, together, _ = fake.mails
    assert (alone.subject, alone.text, alone.html) == (
        together.subject,
        together.text,
        together.html,
    )


def test_a_request_carries_what_proves_and_what_lets_leave(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    send_all(channel, [recipient(1), recipient(2, unsubscribe_url=None)])
    first, second = fake.mails
    assert first.custom_args == {"delivery_id": "1", "attempt_id": "attempt-1"}
    assert first.headers == {
        "Message-ID": "<1@status.example.com>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Id": "<updates.status.example.com>",
        "List-Unsubscribe": "<https://status.example.com/unsubscribe/1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert "List-Unsubscribe" not in second.headers
    request = first.request
    assert request["from"] == {"email": "status@example.com", "name": "Acme Status"}
    assert request["reply_to"] == {"email": "help@example.com"}
    assert request["categories"] == ["customer-resolved"]
    assert request["mail_settings"] == {"sandbox_mode": {"enable": False}}
    assert not any(each["enable"] for each in request["tracking_settings"].values())


def test_a_value_that_holds_a_token_is_not_filled_again(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    tricky = recipient(1, name="[[started]] [[html:started]] [[unsubscribe_url]]")
    send_all(channel, [tricky, recipient(2)])
    assert fake.mails[0].text.startswith(f"Hello {tricky.name},\nit began at noon.")
    assert fake.mails[0].html == f"<p>Hello {tricky.name}, it began at noon.</p>"


def test_a_token_that_one_recipient_lacks_stays_text_there(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    send_all(channel, [recipient(1, values={}), recipient(2)])
    assert "it began [[started]]." in fake.mails[0].text
    assert "it began [[html:started]]." in fake.mails[0].html
    assert "it began at noon." in fake.mails[1].text


def test_values_too_long_for_substitution_travel_alone(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    incident = "ö" * 4000  # twice in the letter, two bytes each: over 10,000
    results = send_all(
        channel, [recipient(1), recipient(2, values={"started": incident}), recipient(3)]
    )
    assert {result.outcome for result in results} == {"accepted"}
    assert fake.requests == 2
    assert sorted(mail.address for mail in fake.mails if incident in mail.text) == [
        "customer2@example.org"
    ]


def test_names_and_subjects_open_no_header_and_no_list(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    outgoing = replace(OUTGOING, subject="=?utf-8?q?=0d=0aBcc:_e@example.com?=\r\nX: y [[name]]")
    send_all(
        channel, [recipient(1, name="Doe,\r\nJane; =?utf-8?q?x?="), recipient(2)], outgoing=outgoing
    )
    mail = fake.mails[0]
    assert mail.subject == (
        "=\u2060?utf-8?q?=0d=0aBcc:_e@example.com?= X: y Doe, Jane; =\u2060?utf-8?q?x?="
    )
    assert mail.name == "Doe  Jane  =\u2060?utf-8?q?x?="


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(HOSTILE, HOSTILE, HOSTILE)
@example("=?utf-8?q?=0d=0aBcc:_e@example.com?=", "\r\nBcc: e@example.com", "[[name]] -0-")
def test_whatever_is_typed_no_header_is_opened_and_no_value_is_filled_again(
    fake: FakeSendGrid, channel: SendGrid, subject: str, name: str, value: str
) -> None:
    fake.mails.clear()
    outgoing = replace(OUTGOING, subject=f"About {subject} [[started]]", sender_name=name)
    hostile = recipient(1, name=name, values={"started": value})
    # One in a batch, and one whose mail travels alone.
    send_all(channel, [hostile, recipient(2)], outgoing=outgoing)
    send_all(channel, [hostile], outgoing=outgoing)
    mails = [mail for mail in fake.mails if mail.address == hostile.address]
    assert len(mails) == 2
    for mail in mails:
        for written in (mail.subject, mail.name):
            assert not OPENS_A_LINE.search(written)
            assert "=?" not in written
        assert "," not in mail.name
        values = {**hostile.tokens(), "started": value}
        assert mail.text == fill_text(OUTGOING.text, values)
        assert mail.html == fill_html(OUTGOING.html, values)


def test_sandbox_mode_is_accepted_without_being_sent(fake: FakeSendGrid) -> None:
    channel = SendGrid(KEY, host=fake.url, sandbox=True)
    assert outcomes(send_all(channel, recipients(2))) == {
        "customer1@example.org": ACCEPTED,
        "customer2@example.org": ACCEPTED,
    }
    assert fake.mails == []
    channel.close()


def test_a_bad_address_is_found_by_halving_and_all_others_are_sent(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    fake.manners.bad = frozenset({"customer37@example.org"})
    found = outcomes(send_all(channel, recipients(100)))
    assert found.pop("customer37@example.org") == ("refused", "recipient")
    assert set(found.values()) == {ACCEPTED}
    assert len(found) == len(fake.mails) == 99
    assert fake.requests <= 2 * 7 + 1


def test_a_refused_address_comes_with_sendgrid_s_own_words(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    fake.manners.bad = frozenset({"customer1@example.org"})
    assert [result.reason for result in send_all(channel, recipients(1))] == [
        "SendGrid answered 400: Does not contain a valid address."
    ]


def test_when_every_address_is_refused_nobody_s_delivery_ends(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    fake.manners.bad = frozenset(person.address for person in recipients(1000))
    results = send_all(channel, recipients(1000))
    assert {(result.outcome, result.fault) for result in results} == {("not_sent", "provider")}
    assert len(outcomes(results)) == len(results) == 1000
    assert fake.requests < 50
    assert results[-1].reason == (
        "10 recipients in a row were refused, which is not about them: "
        "SendGrid answered 400: Does not contain a valid address."
    )


@pytest.mark.parametrize("does", [Does.TOO_LARGE, Does.BAD_REQUEST])
def test_what_something_in_between_refuses_ends_nobody_s_delivery(
    fake: FakeSendGrid, channel: SendGrid, does: Does
) -> None:
    """A gateway's answer names no address: by it nobody's address is wrong."""
    fake.manners.mix = {does: 1.0}
    results = send_all(channel, recipients(400))
    assert len(outcomes(results)) == len(results) == 400
    assert {(result.outcome, result.fault) for result in results} == {("not_sent", "provider")}
    assert fake.requests < 40
    fake.manners.mix = {}
    assert {result.outcome for result in send_all(channel, recipients(400))} == {"accepted"}


def test_an_address_that_comes_twice_is_sent_in_two_requests(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    people = [*recipients(3), recipient(4, address="Customer1@example.org")]
    results = send_all(channel, people)
    assert [result.outcome for result in results] == ["accepted"] * 4
    assert fake.requests == 2
    assert fake.statuses == {202: 2}


def test_what_is_no_address_is_refused_without_asking(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    results = outcomes(send_all(channel, [recipient(1), recipient(2, address="a@b\r\nc")]))
    assert results == {"customer1@example.org": ACCEPTED, "a@b\r\nc": ("refused", "recipient")}
    assert fake.requests == 1


@pytest.mark.parametrize("change", [{"sender": "nobody"}, {"reply_to": "nobody"}])
def test_an_unusable_sender_is_our_own_trouble(
    fake: FakeSendGrid, channel: SendGrid, change: dict[str, str]
) -> None:
    results = send_all(channel, recipients(1), outgoing=replace(OUTGOING, **change))  # type: ignore[arg-type]
    assert outcomes(results) == {"customer1@example.org": ("not_sent", "credentials")}
    assert fake.requests == 0


def test_a_letter_that_sendgrid_does_not_take_is_not_halved_and_ends_nobody_s_delivery(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    results = send_all(channel, recipients(8), outgoing=replace(OUTGOING, subject=""))
    assert {(result.outcome, result.fault) for result in results} == {("not_sent", "provider")}
    assert fake.requests == 1


@pytest.mark.parametrize(
    ("does", "expected"),
    [
        (Does.UNAUTHORIZED, ("not_sent", "credentials")),
        (Does.FORBIDDEN, ("not_sent", "credentials")),
        (Does.RATE_LIMIT, ("not_sent", "rate")),
        (Does.ERROR, ("unknown", "provider")),
        (Does.UNAVAILABLE, ("unknown", "provider")),
        (Does.READ_DROP, ("unknown", "provider")),
        (Does.ACCEPT_DROP, ("unknown", "provider")),
        (Does.GARBAGE, ("unknown", "provider")),
    ],
)
def test_trouble_is_told_for_what_it_is(
    fake: FakeSendGrid, channel: SendGrid, does: Does, expected: tuple[str, str]
) -> None:
    fake.manners.script.append(does)
    results = send_all(channel, recipients(3))
    assert outcomes(results) == {person.address: expected for person in recipients(3)}
    assert all(result.reason for result in results)
    assert {result.outcome for result in send_all(channel, recipients(3))} <= {
        "accepted",
        "not_sent",
    }


@pytest.mark.parametrize("does", [Does.HANG, Does.ACCEPT_HANG, Does.TRICKLE])
def test_silence_and_trickling_end_at_the_deadline(fake: FakeSendGrid, does: Does) -> None:
    fake.manners.script.append(does)
    channel = quick(fake)
    began = time.monotonic()
    assert outcomes(send_all(channel, recipients(1))) == {
        "customer1@example.org": ("unknown", "provider")
    }
    assert time.monotonic() - began < 10
    channel.close()


def test_a_status_that_came_counts_even_if_the_rest_trickles(fake: FakeSendGrid) -> None:
    fake.manners.script.append(Does.ACCEPT_TRICKLE)
    channel = quick(fake)
    assert outcomes(send_all(channel, recipients(1))) == {"customer1@example.org": ACCEPTED}
    assert outcomes(send_all(channel, recipients(1))) == {"customer1@example.org": ACCEPTED}
    assert fake.connections == 2
    channel.close()


def test_a_request_that_did_not_get_out_is_not_sent(fake: FakeSendGrid, channel: SendGrid) -> None:
    fake.manners.script.append(Does.DROP)
    outgoing = replace(OUTGOING, text="x" * 20_000_000)  # more than any socket takes unread
    assert outcomes(send_all(channel, recipients(2), outgoing=outgoing)) == {
        person.address: ("not_sent", "provider") for person in recipients(2)
    }


def test_an_unreachable_provider_means_not_sent() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        channel = SendGrid(KEY, host=f"http://127.0.0.1:{closed.getsockname()[1]}")
        results = send_all(channel, recipients(2))
    assert outcomes(results) == {
        person.address: ("not_sent", "provider") for person in recipients(2)
    }
    assert "cannot be reached" in results[0].reason


def test_a_server_without_tls_gets_no_request(fake: FakeSendGrid) -> None:
    channel = SendGrid(KEY, host=fake.url.replace("http:", "https:"), timeout=5)
    assert outcomes(send_all(channel, recipients(1))) == {
        "customer1@example.org": ("not_sent", "provider")
    }
    assert fake.requests == 0


@pytest.mark.parametrize("key", ["SG.\nkey", "SG.ключ"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ValueError, match=r"^the API key holds characters that no key has$"):
        SendGrid(key, host="https://api.example.com")


def test_a_rate_limit_says_how_long_and_stops_further_calls(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    fake.manners.script.append(Does.RATE_LIMIT)
    fake.manners.reset_after = 30
    first = send_all(channel, recipients(1))[0]
    second = send_all(channel, recipients(1))[0]
    assert first.retry_after is not None
    assert second.retry_after is not None
    assert 28 <= second.retry_after <= first.retry_after <= 31
    assert (second.outcome, second.fault, fake.requests) == ("not_sent", "rate", 1)


def test_the_last_request_of_a_window_says_when_the_next_one_opens(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    reset = str(int(time.time()) + 20)
    fake.manners.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    accepted = send_all(channel, recipients(1))[0]
    assert accepted.outcome == "accepted"
    assert accepted.retry_after is not None
    assert 18 <= accepted.retry_after <= 21
    assert outcomes(send_all(channel, recipients(1))) == {
        "customer1@example.org": ("not_sent", "rate")
    }


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}, 600.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 0.0),
        ({"X-RateLimit-Remaining": "0", "Retry-After": "7"}, 7.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, None),
        ({"X-RateLimit-Remaining": "499", "X-RateLimit-Reset": "99999999999"}, None),
    ],
)
def test_a_window_s_end_is_believed_within_reason(
    fake: FakeSendGrid, channel: SendGrid, headers: dict[str, str], seconds: float | None
) -> None:
    fake.manners.headers = headers
    assert send_all(channel, recipients(1))[0].retry_after == seconds


def test_after_one_failure_the_rest_of_a_batch_is_not_tried(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    fake.manners.bad = frozenset({"customer1@example.org"})
    fake.manners.script.extend([Does.ACCEPT, Does.UNAUTHORIZED])
    results = send_all(channel, recipients(8))
    assert {(result.outcome, result.fault) for result in results} == {("not_sent", "credentials")}
    assert (len(results), fake.requests) == (8, 2)


def test_connections_are_kept_and_used_again(fake: FakeSendGrid, channel: SendGrid) -> None:
    for _ in range(3):
        send_all(channel, recipients(2))
    assert (fake.requests, fake.connections) == (3, 1)


def test_a_kept_connection_that_was_closed_meanwhile_is_not_used(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    send_all(channel, recipients(1))
    fake.drop_idle()
    time.sleep(0.05)
    assert outcomes(send_all(channel, recipients(1))) == {"customer1@example.org": ACCEPTED}
    assert fake.connections == 2


def test_nothing_is_written_when_it_is_not_ours_any_more(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    assert send_all(channel, recipients(5), still_ours=lambda: False) == []
    assert fake.requests == 0


def test_halving_stops_when_it_is_not_ours_any_more(fake: FakeSendGrid, channel: SendGrid) -> None:
    fake.manners.bad = frozenset({"customer8@example.org"})
    results = send_all(channel, recipients(8), still_ours=yes_times(2))
    assert [result.recipient.delivery_id for result in results] == ["1", "2", "3", "4"]
    assert fake.requests == 2


def test_eight_threads_share_one_channel(fake: FakeSendGrid, channel: SendGrid) -> None:
    fake.manners.latency = 0.02
    people = recipients(2000)
    parts = [people[start : start + 50] for start in range(0, 2000, 50)]
    with ThreadPoolExecutor(8) as pool:
        results = [
            each for part in pool.map(lambda p: send_all(channel, p), parts) for each in part
        ]
    assert {result.outcome for result in results} == {"accepted"}
    assert sorted(mail.address for mail in fake.mails) == sorted(each.address for each in people)
    assert fake.connections <= 8


def test_a_mix_of_troubles_loses_nobody(fake: FakeSendGrid, channel: SendGrid) -> None:
    fake.manners.mix = {Does.ERROR: 0.2, Does.READ_DROP: 0.2, Does.ACCEPT_DROP: 0.2}
    people = recipients(100)
    results = [each for person in people for each in send_all(channel, [person])]
    accepted = {each.recipient.address for each in results if each.outcome == "accepted"}
    unknown = {each.recipient.address for each in results if each.outcome == "unknown"}
    assert accepted | unknown == {person.address for person in people}
    assert accepted <= {mail.address for mail in fake.mails} <= accepted | unknown


def test_the_key_is_in_no_log_and_in_no_reason(
    fake: FakeSendGrid, channel: SendGrid, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.manners.script = deque([Does.UNAUTHORIZED, Does.ERROR, Does.READ_DROP, Does.ACCEPT])
    results = [each for _ in range(4) for each in send_all(channel, recipients(1))]
    assert KEY not in caplog.text
    assert not [result for result in results if KEY in result.reason]


def test_a_key_never_travels_in_the_clear() -> None:
    with pytest.raises(ValueError, match="must be an https:// address"):
        SendGrid(KEY, host="http://api.example.com")


def test_one_channel_may_be_closed_while_another_thread_sends(
    fake: FakeSendGrid, channel: SendGrid
) -> None:
    fake.manners.latency = 0.1
    results: list[str] = []
    sender = threading.Thread(
        target=lambda: results.extend(each.outcome for each in send_all(channel, recipients(3)))
    )
    sender.start()
    time.sleep(0.03)
    channel.close()
    sender.join()
    assert results == ["accepted"] * 3
