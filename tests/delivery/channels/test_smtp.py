"""Mail over SMTP, against two stand-ins on real sockets."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from statuspage.delivery.channels.smtp import Smtp, SmtpServer, Tls, read_url
from tests.delivery.channels.samples import (
    OUTGOING,
    outcomes,
    recipient,
    recipients,
    send_all,
    yes_times,
)
from tests.fakes.certificates import Certificate, make_certificate
from tests.fakes.smtp import Does, FastSmtpSink, SmtpSink

ACCEPTED = ("accepted", "none")


@pytest.fixture
def sink() -> Iterator[FastSmtpSink]:
    with FastSmtpSink() as server:
        yield server


@pytest.fixture
def channel(sink: FastSmtpSink) -> Iterator[Smtp]:
    provider = Smtp(sink.url, timeout=5.0)
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    return certificate.context()


def test_each_recipient_gets_a_mail_of_their_own(sink: FastSmtpSink, channel: Smtp) -> None:
    results = send_all(channel, recipients(3))
    assert [(result.outcome, result.provider_id) for result in results] == [
        ("accepted", "4F2A")
    ] * 3
    assert [(mail.sender, mail.address) for mail in sink.mails] == [
        ("status@example.com", f"customer{number}@example.org") for number in (1, 2, 3)
    ]
    message = message_from_bytes(sink.mails[1].message, policy=policy.default)
    assert (message["To"], message["Message-ID"]) == (
        "Customer 2 <customer2@example.org>",
        "<2@status.example.com>",
    )
    assert sink.connections == 1


def test_results_come_one_by_one(channel: Smtp) -> None:
    chunks = list(channel.send(OUTGOING, recipients(3), still_ours=lambda: True))
    assert [len(chunk) for chunk in chunks] == [1, 1, 1]


def test_a_line_that_is_a_dot_arrives_as_a_dot(sink: FastSmtpSink, channel: Smtp) -> None:
    text = ".\n..\n.hidden\n\n.\n"
    send_all(channel, recipients(2), outgoing=replace(OUTGOING, text=text))
    message = message_from_bytes(sink.mails[0].message, policy=policy.default)
    part = message.get_body(preferencelist=("plain",))  # type: ignore[attr-defined]
    assert part.get_content().replace("\r\n", "\n") == text
    assert len(sink.mails) == 2


def test_a_server_without_pipelining_gets_one_command_at_a_time(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    sink.manners.features = ("8BITMIME",)
    sink.manners.by_address = {"customer2@example.org": Does.RCPT_5XX}
    assert [result.outcome for result in send_all(channel, recipients(3))] == [
        "accepted",
        "refused",
        "accepted",
    ]
    assert sink.connections == 1


@pytest.mark.parametrize("features", [("PIPELINING",), ()])
@pytest.mark.parametrize(
    ("does", "expected"),
    [
        (Does.MAIL_4XX, ("not_sent", "provider")),
        (Does.RCPT_4XX, ("not_sent", "recipient")),
        (Does.RCPT_5XX, ("refused", "recipient")),
        (Does.DATA_4XX, ("not_sent", "provider")),
        (Does.DATA_5XX, ("refused", "recipient")),  # the next one is accepted
        (Does.READ_DROP, ("unknown", "provider")),
        (Does.ACCEPT_DROP, ("unknown", "provider")),
        (Does.GARBAGE, ("unknown", "provider")),
    ],
)
def test_trouble_with_one_leaves_the_others_alone(
    sink: FastSmtpSink,
    channel: Smtp,
    does: Does,
    expected: tuple[str, str],
    features: tuple[str, ...],
) -> None:
    sink.manners.features = features
    sink.manners.script.extend([Does.ACCEPT, does, Does.ACCEPT])
    assert outcomes(send_all(channel, recipients(3))) == {
        "customer1@example.org": ACCEPTED,
        "customer2@example.org": expected,
        "customer3@example.org": ACCEPTED,
    }


def test_a_refusal_comes_with_the_server_s_own_words(sink: FastSmtpSink, channel: Smtp) -> None:
    sink.manners.script.append(Does.RCPT_5XX)
    assert [result.reason for result in send_all(channel, recipients(1))] == [
        "550 5.1.1 no such user"
    ]


def test_the_server_is_greeted_with_the_domain_that_we_are_given(sink: FastSmtpSink) -> None:
    channel = Smtp(sink.url, hostname="example.com")
    send_all(channel, recipients(1))
    channel.close()
    assert sink.greeted == ["example.com"]


def test_a_server_that_ends_at_the_greeting_is_quoted(sink: FastSmtpSink) -> None:
    sink.manners.hello = "421 4.7.0 Try again later, closing connection. (EHLO)"
    results = send_all(Smtp(sink.url), recipients(2))
    assert {(result.outcome, result.fault) for result in results} == {("not_sent", "provider")}
    assert results[0].reason == (
        "the mail server answered 421 4.7.0 Try again later, closing connection. (EHLO)"
    )


# What servers answer to each and every recipient while the trouble is with us: of Gmail, Exchange
# Online, Amazon SES, Postfix, and of servers that send no enhanced code.
ABOUT_US = [
    "550 5.4.5 Daily user sending limit exceeded",
    "550-5.4.5 Daily user sending limit exceeded. For more\r\n550 5.4.5 information see Gmail",
    "550 5.1.90 Your message can't be sent because you've reached your daily limit",
    "550 5.1.8 Access denied, bad outbound sender",
    "550 5.7.1 Unauthenticated email is not accepted due to the domain's DMARC policy",
    "554 5.7.1 <someone@example.org>: Relay access denied",
    "554 Message rejected: Email address is not verified",
    "550 5.3.2 System not accepting network messages",
    "503 5.5.1 sender not yet given",
    "530 5.7.0 Authentication required",
    "550 quota",
]


@pytest.mark.parametrize("reply", ABOUT_US)
@pytest.mark.parametrize("at_the_end", [False, True])
def test_what_is_about_us_ends_nobody_s_delivery(
    sink: FastSmtpSink, channel: Smtp, reply: str, at_the_end: bool
) -> None:
    sink.manners.features = ()
    if at_the_end:
        sink.manners.last_words = reply
    else:
        sink.manners.refusals = {"*": reply}
    results = send_all(channel, recipients(30))
    assert len(outcomes(results)) == len(results) == 30
    assert {result.outcome for result in results} == {"not_sent"}
    assert {result.fault for result in results} <= {"provider", "credentials"}
    assert reply.partition("\r")[0][-30:] in results[-1].reason
    assert sink.transactions <= 10
    sink.manners = type(sink.manners)()
    assert {result.outcome for result in send_all(channel, recipients(30))} == {"accepted"}


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "550 who?", "552 5.2.2 mailbox full"])
def test_a_few_unknown_addresses_are_refused_and_the_others_are_sent(
    sink: FastSmtpSink, channel: Smtp, reply: str
) -> None:
    bad = {recipient(number).address for number in (1, *range(20, 29), 40)}
    sink.manners.refusals = dict.fromkeys(bad, reply)
    found = outcomes(send_all(channel, recipients(40)))
    assert {address for address, (outcome, _) in found.items() if outcome == "refused"} == bad
    assert len(sink.mails) == 40 - len(bad)


def test_a_policy_that_lets_the_next_one_through_is_about_the_recipient(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    sink.manners.refusals = {"customer2@example.org": "550 5.7.133 only for members of the group"}
    assert outcomes(send_all(channel, recipients(3)))["customer2@example.org"] == (
        "refused",
        "recipient",
    )
    # Alone, nothing says whether it is: it waits, and raises no alarm.
    assert outcomes(send_all(channel, [recipient(2)])) == {
        "customer2@example.org": ("not_sent", "recipient")
    }


def test_a_run_of_refusals_is_remembered_by_the_next_batch(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    send_all(channel, recipients(1))
    sink.manners.refusals = {"*": "550 no"}
    assert {each.outcome for each in send_all(channel, recipients(6))} == {"refused"}
    later = [recipient(number) for number in range(7, 13)]
    assert {each.outcome for each in send_all(channel, later)} == {"not_sent"}
    asked = sink.transactions
    assert {each.outcome for each in send_all(channel, recipients(50))} == {"not_sent"}
    assert sink.transactions == asked + 1


def test_a_sender_that_is_not_let_through_is_our_own_trouble(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    sink.manners.script.append(Does.MAIL_5XX)
    assert outcomes(send_all(channel, recipients(3))) == {
        person.address: ("not_sent", "credentials") for person in recipients(3)
    }


def test_a_drop_before_the_text_is_tried_once_more_at_once(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    sink.manners.script.extend([Does.ACCEPT, Does.DROP])
    assert [result.outcome for result in send_all(channel, recipients(3))] == ["accepted"] * 3
    assert [mail.address for mail in sink.mails] == [each.address for each in recipients(3)]
    assert sink.connections == 2


def test_a_server_that_drops_everything_is_left_alone(sink: FastSmtpSink, channel: Smtp) -> None:
    sink.manners.mix = {Does.DROP: 1.0}
    assert outcomes(send_all(channel, recipients(50))) == {
        person.address: ("not_sent", "provider") for person in recipients(50)
    }
    assert sink.connections == 2


def test_a_server_that_closes_after_so_many_mails_is_called_again(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    sink.manners.per_connection = 2
    assert {result.outcome for result in send_all(channel, recipients(7))} == {"accepted"}
    assert len(sink.mails) == 7
    assert sink.connections == 4


def test_a_server_that_is_going_down_takes_nothing(sink: FastSmtpSink, channel: Smtp) -> None:
    sink.manners.mix = {Does.RCPT_421: 1.0}
    results = send_all(channel, recipients(3))
    assert {(result.outcome, result.fault) for result in results} == {("not_sent", "provider")}
    assert "421 4.3.2 going down" in results[0].reason


@pytest.mark.parametrize("does", [Does.HANG, Does.ACCEPT_HANG, Does.TRICKLE])
def test_silence_after_the_text_is_uncertain_for_one_alone(sink: FastSmtpSink, does: Does) -> None:
    sink.manners.mix = {does: 1.0}
    channel = Smtp(sink.url, timeout=1.0)
    began = time.monotonic()
    assert outcomes(send_all(channel, recipients(3))) == {
        "customer1@example.org": ("unknown", "provider"),
        "customer2@example.org": ("not_sent", "provider"),
        "customer3@example.org": ("not_sent", "provider"),
    }
    assert time.monotonic() - began < 10


def test_an_unreachable_server_means_not_sent() -> None:
    with FastSmtpSink() as gone:
        url = gone.url
    results = send_all(Smtp(url), recipients(3))
    assert {(result.outcome, result.fault) for result in results} == {("not_sent", "provider")}
    assert "cannot be reached" in results[0].reason


@pytest.mark.parametrize("greeting", [b"554 go away\r\n", b"SSH-2.0-x\r\n", b"", b"421 busy\r\n"])
def test_a_server_that_does_not_greet_gets_no_mail(sink: FastSmtpSink, greeting: bytes) -> None:
    sink.manners.greeting = greeting
    results = send_all(Smtp(sink.url, timeout=0.3), recipients(2))
    assert {(result.outcome, result.fault) for result in results} == {("not_sent", "provider")}


def test_connections_are_kept_and_used_again(sink: FastSmtpSink, channel: Smtp) -> None:
    for _ in range(3):
        send_all(channel, recipients(2))
    assert (len(sink.mails), sink.connections) == (6, 1)


def test_a_kept_connection_that_was_closed_meanwhile_is_not_used(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    send_all(channel, recipients(1))
    sink.drop_idle()
    assert outcomes(send_all(channel, recipients(1))) == {"customer1@example.org": ACCEPTED}


def test_threads_share_a_channel_and_have_a_connection_each(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    people = recipients(200)
    parts = [people[start : start + 20] for start in range(0, 200, 20)]
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda part: send_all(channel, part), parts))
    assert {result.outcome for results in sent for result in results} == {"accepted"}
    assert sorted(mail.address for mail in sink.mails) == sorted(each.address for each in people)
    assert sink.connections <= 4


def test_the_text_is_not_written_when_it_is_not_ours_any_more(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    results = send_all(channel, recipients(5), still_ours=yes_times(2))
    assert [result.recipient.delivery_id for result in results] == ["1", "2"]
    assert len(sink.mails) == 2


def test_a_connection_that_was_left_in_the_middle_of_a_mail_is_not_used_again(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    def fails() -> bool:
        raise RuntimeError("a fault of our own")

    with pytest.raises(RuntimeError):
        send_all(channel, recipients(1), still_ours=fails)
    began = time.monotonic()
    assert [*outcomes(send_all(channel, recipients(2))).values()] == [ACCEPTED, ACCEPTED]
    # Else it would wait, until the deadline, for an answer to what looks like a text.
    assert time.monotonic() - began < 3
    assert [mail.address for mail in sink.mails] == [one.address for one in recipients(2)]


def test_what_is_no_address_is_refused_without_asking(sink: FastSmtpSink, channel: Smtp) -> None:
    address = "a@b.example>\r\nRCPT TO:<eve@example.com"
    assert outcomes(send_all(channel, [recipient(1, address=address), recipient(2)])) == {
        address: ("refused", "recipient"),
        "customer2@example.org": ACCEPTED,
    }
    assert [mail.address for mail in sink.mails] == ["customer2@example.org"]


def test_an_unusable_sender_is_our_own_trouble(sink: FastSmtpSink, channel: Smtp) -> None:
    results = send_all(channel, recipients(2), outgoing=replace(OUTGOING, sender="nobody"))
    assert {(result.outcome, result.fault) for result in results} == {("not_sent", "credentials")}
    assert sink.connections == 0


def test_an_address_of_another_alphabet_goes_where_it_can(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    wide = recipient(1, address="用户@例子.example")
    assert outcomes(send_all(channel, [wide])) == {wide.address: ACCEPTED}
    assert sink.mails[0].address == "用户@xn--fsqu00a.example"


def test_an_address_of_another_alphabet_is_refused_where_it_cannot_go(
    sink: FastSmtpSink, channel: Smtp
) -> None:
    sink.manners.features = ("PIPELINING",)
    people = [recipient(1, address="用户@example.org"), recipient(2, address="zoe@münchen.example")]
    results = send_all(channel, people)
    assert outcomes(results) == {
        "用户@example.org": ("refused", "recipient"),
        "zoe@münchen.example": ACCEPTED,
    }
    assert "SMTPUTF8" in results[0].reason


def test_a_real_server_takes_mail_in_the_clear_on_this_machine() -> None:
    with SmtpSink() as server:
        channel = Smtp(server.url)
        wide = recipient(2, address="zoë@example.org")
        assert {each.outcome for each in send_all(channel, [recipient(1), wide])} == {"accepted"}
        channel.close()
    assert [mail.address for mail in server.mails] == ["customer1@example.org", "zoë@example.org"]


def test_it_logs_in_and_encrypts_where_asked(trusted: ssl.SSLContext) -> None:
    with SmtpSink(tls=trusted, login=("zoe", "s3cret pass")) as server:
        url = server.url.replace("127.0.0.1", "zoe:s3cret%20pass@localhost")
        channel = Smtp(f"{url}?starttls=require")
        results = send_all(channel, recipients(1))
        channel.close()
    assert outcomes(results) == {"customer1@example.org": ACCEPTED}
    assert server.encrypted == [True]


def test_it_encrypts_from_the_first_byte_with_smtps(trusted: ssl.SSLContext) -> None:
    with SmtpSink(tls=trusted, implicit_tls=True) as server:
        channel = Smtp(server.url.replace("127.0.0.1", "localhost"))
        assert outcomes(send_all(channel, recipients(1))) == {"customer1@example.org": ACCEPTED}
        channel.close()


@pytest.mark.parametrize("implicit", [True, False])
def test_a_certificate_nobody_vouches_for_gets_no_mail(
    certificate: Certificate, implicit: bool
) -> None:
    with SmtpSink(tls=certificate.context(), implicit_tls=implicit) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        channel = Smtp(url if implicit else f"{url}?starttls=require")
        results = send_all(channel, recipients(2))
    assert {(result.outcome, result.fault) for result in results} == {("not_sent", "provider")}
    assert "certificate" in results[0].reason
    assert server.mails == []


def test_a_server_without_starttls_gets_no_mail_where_it_is_required(sink: FastSmtpSink) -> None:
    results = send_all(Smtp(f"{sink.url}?starttls=require"), recipients(1))
    assert outcomes(results) == {"customer1@example.org": ("not_sent", "provider")}
    assert "STARTTLS" in results[0].reason


def test_a_refused_password_is_our_own_trouble_and_is_not_repeated() -> None:
    with SmtpSink(login=("zoe", "right")) as server:
        url = server.url.replace("127.0.0.1", "zoe:very-wrong@127.0.0.1")
        results = send_all(Smtp(url), recipients(2))
    assert outcomes(results) == {
        person.address: ("not_sent", "credentials") for person in recipients(2)
    }
    assert results[0].reason.startswith("the mail server answered 535 ")
    assert "very-wrong" not in results[0].reason


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer("mail.example", 25, Tls.OFFERED)),
        ("smtp://u:p@mail.example", SmtpServer("mail.example", 587, Tls.REQUIRE, "u", "p")),
        ("smtp://u%40x:%2F@mx.example:99", SmtpServer("mx.example", 99, Tls.REQUIRE, "u@x", "/")),
        ("smtps://u:p@mail.example", SmtpServer("mail.example", 465, Tls.IMPLICIT, "u", "p")),
        ("smtp://mail.example?starttls=never", SmtpServer("mail.example", 25, Tls.NEVER)),
        ("smtp://mail.example?starttls=require", SmtpServer("mail.example", 25, Tls.REQUIRE)),
        ("smtp://u:p@localhost:1025", SmtpServer("localhost", 1025, Tls.NEVER, "u", "p")),
        ("smtp://[::1]:25", SmtpServer("::1", 25, Tls.NEVER)),
    ],
)  # fmt: skip
def test_a_url_names_a_server(url: str, server: SmtpServer) -> None:
    assert read_url(url) == server


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://mail.example", "must look like smtp://"),
        ("smtp://", "must look like smtp://"),
        ("smtp://mail.example?starttls=maybe", "starttls must be require or never"),
        ("smtp://mail.example?tls=1", "unknown option 'tls'"),
        ("smtp://u:gehe%C3%AFm@mail.example", "user and password must be ASCII"),
        ("smtp://u:p@mail.example?starttls=never", "would send the password in the clear"),
    ],
)
def test_a_wrong_url_is_refused_with_a_reason(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_url(url)
