"""Dispatch: the incident of one send.

Claim a batch and commit; close the session; call the provider; record each outcome as soon as it
is certain.  No transaction is open while a stranger answers, and an outcome that the database
cannot take yet is offered again until it can: forgetting it would send the mail twice.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from statuspage.access import alarms
from statuspage.core.config import ConfigError, Settings
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Channel, Step
from statuspage.core.languages import prefix
from statuspage.core.links import Links, account_token, delivery_token, subscription_token
from statuspage.core.setting_readers import SLACK
from statuspage.delivery import claims, control, superseded
from statuspage.delivery.channels.chat import Chat, SlackBot, unreadable
from statuspage.delivery.channels.mail_files import MailFiles
from statuspage.delivery.channels.provider import (
    Fault,
    Outcome,
    OutgoingMessage,
    Provider,
    Recipient,
    Result,
    Thread,
    fill_text,
    results,
)
from statuspage.delivery.channels.sendgrid import SendGrid
from statuspage.delivery.channels.smtp import Smtp
from statuspage.delivery.chat_threads import first_mails, note_threads, thread_of
from statuspage.delivery.claims import Claim, Claimed
from statuspage.delivery.outcomes import record_outcomes
from statuspage.messages.tokens import greeting, salutation, token_values
from statuspage.models import Message, Page
from statuspage.recipients.drill_recipients import BARRED, drill_recipients_of

log = logging.getLogger(__name__)

T = TypeVar("T")

SENDGRID_CALLS = 8
FAULT_SECONDS = 60.0
"""How long a channel must have sent without a fault of our own before its alarm ends."""
RECHECK_SECONDS = 1.0
"""How old the knowledge that a claim is still ours may be between two mails of one batch."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A channel's provider, how many batches may be in hand at a time, and how large one is."""

    provider: Provider
    parallel: int
    batch: int


def open_lanes(settings: Settings) -> dict[Channel, Lane]:
    """The doors that the settings name; :class:`ConfigError` for one that cannot be used.

    Without SendGrid's event webhook nothing reports the fate of a request that was cut off, so
    only one is under way at a time: a crash then doubles one batch at most.
    """
    mail = _open_mail(settings)
    parallel, batch = 1, min(settings.delivery_batch, mail.max_batch)
    if settings.mail_channel == "sendgrid" and settings.sendgrid_webhook_key:
        parallel = SENDGRID_CALLS
    if settings.mail_channel == "smtp":
        parallel = settings.smtp_connections
    bot = SlackBot(settings.slack_bot_token or "", settings.slack_api_url, settings.slack_rooms)
    chat = Chat(settings.postable_rooms, settings.data_dir, slack=bot)
    return {Channel.EMAIL: Lane(mail, parallel, batch), Channel.CHAT: Lane(chat, 1, 1)}


def _open_mail(settings: Settings) -> Provider:
    if settings.sendgrid_api_key:
        try:
            return SendGrid(
                settings.sendgrid_api_key,
                host=settings.sendgrid_api_host,
                sandbox=settings.sendgrid_sandbox,
            )
        except ValueError as error:
            raise ConfigError("SENDGRID_API_HOST", str(error)) from None
    if settings.smtp_url:
        try:
            return Smtp(settings.smtp_url, hostname=settings.mail_domain)
        except ValueError as error:
            raise ConfigError("SMTP_URL", str(error)) from None
    return MailFiles(settings.data_dir)


def check_rooms(settings: Settings) -> None:
    """:class:`ConfigError` for a chat room that Apprise could not post to, before it is needed."""
    rooms = settings.postable_rooms.values()
    urls = [url for url in rooms if url and not url.startswith(SLACK)]
    number = unreadable(urls) if urls else None
    if number is None:
        return
    advice = "percent-encode what a password has of / ? # @ :"
    if urls[number] not in settings.chat_urls:
        raise ConfigError("DELIVERY_TEST_CHAT_URL", f"Apprise cannot read this address; {advice}")
    place = settings.chat_urls.index(urls[number]) + 1
    raise ConfigError("CHAT_URLS", f"Apprise cannot read address {place}; {advice}")


class Dispatcher:
    """What a worker sends with: its id, its doors, and the claims it has in hand."""

    def __init__(self, app: Flask, worker_id: int, lanes: Mapping[Channel, Lane]) -> None:
        self._app = app
        self._settings: Settings = app.extensions["settings"]
        self._links: Links = app.extensions["links"]
        self._worker_id = worker_id
        self._lanes = lanes
        self._free = {
            channel: threading.Semaphore(lane.parallel) for channel, lane in lanes.items()
        }
        self._pool = ThreadPoolExecutor(
            max_workers=sum(lane.parallel for lane in lanes.values()), thread_name_prefix="send"
        )
        # A claim is committed before it is known to be in hand; a rescue must not fall between.
        self._claiming = threading.Lock()
        self._in_hand: set[str] = set()
        self._missed = claims.Missed()
        self._stopping = threading.Event()
        # When a fault of our own last kept a channel from sending.
        self._faults: dict[Channel, float] = {}

    def start_batches(self) -> int:
        """Claim what is due and begin to send it in the background; how many batches."""
        return sum(self._start(channel) for channel in self._lanes)

    def send_all(self) -> int:
        """Send everything that is due, here and now; how many batches.  For tests and commands."""
        sent = 0
        for channel in self._lanes:
            while not self._stopping.is_set() and (claim := self._claim(channel)) is not None:
                self._hand_over(claim)
                sent += 1
        return sent

    def rescue(self) -> int:
        """Take back what dead workers had in hand; how many deliveries."""
        with self._claiming, self._app.app_context():
            return claims.rescue(
                self._worker_id,
                own_attempts=frozenset(self._in_hand),
                missed=self._missed,
                uncertain_wait=self._settings.uncertain_wait,
            )

    def stop(self) -> None:
        """Begin no more calls, wait for those under way, put back the rest, close the doors."""
        self._stopping.set()
        self._pool.shutdown(wait=True)
        for lane in self._lanes.values():
            lane.provider.close()

    def _start(self, channel: Channel) -> int:
        started = 0
        while not self._stopping.is_set() and self._free[channel].acquire(blocking=False):
            try:
                claim = self._claim(channel)
            except BaseException:
                self._free[channel].release()
                raise
            if claim is None:
                self._free[channel].release()
                break
            self._pool.submit(self._hand_over_all, claim)
            started += 1
        return started

    def _hand_over_all(self, first: Claim) -> None:
        """Hand over a claim and what is due after it, with no pause in between."""
        channel = first.channel
        claim: Claim | None = first
        try:
            while claim is not None:
                self._hand_over(claim)
                claim = None if self._stopping.is_set() else self._claim(channel)
        except Exception:
            # The worker's next look tries again.
            log.warning("what is due next could not be claimed", exc_info=True)
        finally:
            self._free[channel].release()

    def _claim(self, channel: Channel) -> Claim | None:
        with self._claiming, self._app.app_context():
            claim = claims.claim(self._worker_id, channel, size=self._lanes[channel].batch)
            if claim is not None:
                self._in_hand.add(claim.attempt_id)
        return claim

    def _hand_over(self, claim: Claim) -> None:
        left = {str(delivery.id) for delivery in claim.deliveries}
        try:
            outgoing, recipients, barred = self._patiently(lambda: self._prepare(claim))
            if barred:
                log.error("a drill's seal held back %d deliveries", len(barred))
                self._patiently(partial(self._record, claim, barred))
                left -= {result.recipient.delivery_id for result in barred}
            provider = self._lanes[claim.channel].provider
            for results in provider.send(outgoing, recipients, still_ours=self._guard(claim)):
                self._patiently(partial(self._record, claim, results))
                left -= {result.recipient.delivery_id for result in results}
            self._patiently(partial(claims.put_back, claim, sorted(map(int, left))))
            self._calm(claim.channel)
        except Exception as error:
            # A fault of our own: what it leaves is rescued like a dead worker's.
            log.exception("sending failed", extra={"attempt": claim.attempt_id})
            self._alarm(claim.channel, error)
        finally:
            self._in_hand.discard(claim.attempt_id)

    def clear_faults(self) -> None:
        """A restarted worker may have the cure: alarms about faults end until they recur."""
        with self._app.app_context(), writing() as session:
            for channel in self._lanes:
                alarms.clear_alarm(session, control.fault_alarm(channel))

    def _alarm(self, channel: Channel, error: Exception) -> None:
        """Raise an alarm about a fault of our own: a line in a log is read by nobody."""
        self._faults[channel] = time.monotonic()
        text = (
            f"{channel.label} could not be sent because of a fault of this service "
            f"({type(error).__name__}; the worker's log has more). It’s retried automatically."
        )
        with contextlib.suppress(SQLAlchemyError), self._app.app_context(), writing() as session:
            alarms.raise_alarm(session, control.fault_alarm(channel), text)

    def _calm(self, channel: Channel) -> None:
        """End that alarm once the channel has sent for a while without a fault."""
        if time.monotonic() - self._faults.get(channel, float("inf")) < FAULT_SECONDS:
            return
        del self._faults[channel]
        with contextlib.suppress(SQLAlchemyError), self._app.app_context(), writing() as session:
            alarms.clear_alarm(session, control.fault_alarm(channel))

    def _guard(self, claim: Claim) -> Callable[[], bool]:
        """What a provider asks before each write: is the claim still ours, and are we not stopping.

        And has nothing been published, corrected, cancelled or stopped since: else what is left
        goes back, and the next claim looks what of it is still true.
        """
        checked_at = float("-inf")
        known: object = None

        def still_ours() -> bool:
            nonlocal checked_at, known
            if self._stopping.is_set():
                return False
            if time.monotonic() - checked_at < RECHECK_SECONDS:
                return True
            # A claim that was taken away while the database was away is not ours any more.
            if not self._patiently(partial(claims.begin_call, claim.attempt_id)):
                return False
            newest = self._patiently(
                lambda: superseded.newest_message(current_session(), claim.message_id)
            )
            if self._stopping.is_set() or known not in (None, newest):
                return False
            known = newest
            checked_at = time.monotonic()
            return True

        return still_ours

    def _record(self, claim: Claim, results: Sequence[Result]) -> None:
        with writing() as session:
            record_outcomes(session, claim, results, uncertain_wait=self._settings.uncertain_wait)
            if claim.channel is Channel.CHAT:
                note_threads(session, session.get_one(Message, claim.message_id), results)

    def _prepare(self, claim: Claim) -> tuple[OutgoingMessage, list[Recipient], list[Result]]:
        """The message and its recipients, as plain values: the session is closed before the call.

        And the results of those who are not on a drill's list: no provider ever sees them.
        """
        message = current_session().get_one(Message, claim.message_id)
        page = current_session().get_one(Page, 1)
        language, subject, text, html = message.read_in(claim.deliveries[0].language)
        outgoing = OutgoingMessage(
            subject=subject,
            text=text,
            html=html,
            sender=self._settings.mail_from,
            sender_name=page.name,
            reply_to=page.support_email or None,
            category=f"{message.audience}-{message.step}",
            more_url=self._links.admin_incident(message.incident.code) if message.incident else "",
        )
        fill = _Values(message.moments, language, page.time_zone)
        before = prefix(language, own=page.language)
        drill = drill_recipients_of(current_session(), message)
        firsts = first_mails(current_session(), message, [one.id for one in claim.deliveries])
        allowed: list[Recipient] = []
        barred: list[Recipient] = []
        for delivery in claim.deliveries:
            may_go = drill is None or drill.lets(claim.channel, delivery.address)
            recipient = self._recipient(
                delivery, claim, fill, message, before, drill=drill is not None
            )
            if first := firsts.get(delivery.address):
                recipient = replace(recipient, first_message_id=self._message_id(first))
            (allowed if may_go else barred).append(recipient)
        refused = results(barred, Outcome.REFUSED, fault=Fault.RECIPIENT, reason=BARRED)
        return outgoing, allowed, refused

    def _recipient(
        self,
        delivery: Claimed,
        claim: Claim,
        fill: _Values,
        message: Message,
        before: str,
        *,
        drill: bool,
    ) -> Recipient:
        key = delivery_token(self._settings.secret_key, delivery.id)
        values = fill.of(delivery)
        if message.audience is Audience.SUBSCRIBER:
            token = subscription_token(self._settings.secret_key, delivery.id)
            values["manage_url"] = self._links.subscription(token, before)
        if message.step is Step.ACCOUNT:
            values["account_url"] = self._links.account(
                account_token(self._settings.secret_key, delivery.id)
            )
        # Who has not confirmed yet has nothing to leave, nor has who only looks at a test.
        is_mailed = message.step not in {Step.CONFIRM, Step.TEST}
        may_leave = not drill and message.audience is not Audience.INTERNAL and is_mailed
        if message.step is Step.TEST:
            values["manage_url"] = self._links.subscription("preview")
            values["unsubscribe_url"] = self._links.unsubscribe("preview")
        return Recipient(
            delivery_id=str(delivery.id),
            attempt_id=claim.attempt_id,
            address=delivery.email,
            name=delivery.name,
            message_id=self._message_id(delivery.id),
            values=values,
            unsubscribe_url=self._links.unsubscribe(key, before) if may_leave else None,
            thread=self._thread(delivery, message, fill) if claim.channel is Channel.CHAT else None,
        )

    def _message_id(self, delivery_id: int) -> str:
        return f"<{delivery_token(self._settings.secret_key, delivery_id)}@{self._links.host}>"

    def _thread(self, delivery: Claimed, message: Message, fill: _Values) -> Thread | None:
        def opening_of(first: Message) -> str:
            values = _Values(first.moments, first.language, fill.page_zone).of(delivery)
            return fill_text(first.text, values)

        return thread_of(
            current_session(),
            message,
            room=delivery.address,
            settings=self._settings,
            opening_of=opening_of,
        )

    def _patiently(self, act: Callable[[], T]) -> T:
        """Do something with the database, again and again while the database is away."""
        wait = 0.1
        while True:
            try:
                with self._app.app_context():
                    return act()
            except (OperationalError, InterfaceError):
                log.warning("the database did not answer; trying again", exc_info=True)
            time.sleep(wait)
            wait = min(2.0, wait * 2)


class _Values:
    """The values of a message's tokens by recipient; those of one zone are computed once."""

    def __init__(self, moments: Mapping[str, str], language: str, page_zone: str) -> None:
        self._moments = moments
        self._language = language
        self.page_zone = page_zone
        self._by_zone: dict[str, dict[str, str]] = {}

    def of(self, delivery: Claimed) -> dict[str, str]:
        """What the tokens say to this recipient."""
        zone = delivery.time_zone or self.page_zone
        if zone not in self._by_zone:
            self._by_zone[zone] = token_values(self._moments, zone=zone, locale=self._language)
        known = self._by_zone[zone]
        called = delivery.name
        return {**known, "name": salutation(called), "greeting": greeting(called, self._language)}
