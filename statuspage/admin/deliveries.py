"""Who was sent what: a message's deliveries, the history of each, and the very mail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, download, page, refused, show_time, the_page
from statuspage.admin.forms import read_number
from statuspage.admin.marked_texts import _, forms, ngettext
from statuspage.admin.previews import framed_mail
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, read_once
from statuspage.core.enums import Audience, Channel, DeliveryState, Step
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_, prefix
from statuspage.core.links import current_links, delivery_token
from statuspage.core.richtext import clean_line
from statuspage.delivery import cancellation, control, corrections, report, resend
from statuspage.delivery.channels.provider import fill_html, fill_subject, fill_text
from statuspage.delivery.queue import MAILED
from statuspage.delivery.report import Tally
from statuspage.incidents import explain_recipient, mail_corrections
from statuspage.incidents.announcement import of_step
from statuspage.incidents.explain_recipient import RecipientExplanation
from statuspage.messages.tokens import token_values
from statuspage.models import Breaker, Delivery, IncidentUpdate, Message
from statuspage.recipients.customer_csv_rows import csv_lines

_COLUMNS: Final = (
    "address", "name", "channel", "state", "reason", "why", "attempts", "queued", "changed",
)  # fmt: skip


# The count above it has those too of whom more is known.
_SO_FAR: Final = {DeliveryState.ACCEPTED: N_("Accepted, no delivery report")}


@admin.get("/messages/<int:message_id>")
def message(message_id: int) -> ResponseReturnValue:
    """A message's report, and its deliveries by state and address."""
    session = current_session()
    found = session.get_one(Message, message_id)
    state, address = _asked()
    after = max(0, request.args.get("after", 0, type=read_number))
    counts = report.tally(session, message_id)
    deliveries = report.search(session, message_id, state=state, address=address, after=after)
    return page(
        "admin/message.html",
        explanation=None if deliveries.deliveries else _why_not(found, address),
        **_progress(counts, found),
        found=deliveries,
        states=[
            (one, _SO_FAR.get(one, one.label), counts[one]) for one in DeliveryState if counts[one]
        ],
        state=state,
        address=address,
        asked={"state": state.value if state else None, "address": address or None},
        after=after,
        can_correct=mail_corrections.may_be_corrected(session, found),
        correction=corrections.correction_of(session, message_id),
        can_resend=control.count_failed(session, message_id),
    )


@admin.get("/messages/<int:message_id>/progress")
def message_progress(message_id: int) -> ResponseReturnValue:
    """How it goes, for the script that looks again while something waits."""
    found = current_session().get_one(Message, message_id)
    counts = report.tally(current_session(), message_id)
    return page("admin/message_progress.html", **_progress(counts, found))


@admin.get("/messages/<int:message_id>/deliveries.csv")
def export_deliveries(message_id: int) -> ResponseReturnValue:
    """The deliveries of a message as CSV, those that were asked for; no cell runs as a formula."""
    current_session().get_one(Message, message_id)
    state, address = _asked()
    return download(
        f"message-{message_id}.csv", lambda: csv_lines(_rows(message_id, state, address))
    )


@admin.post("/messages/<int:message_id>/resend")
def resend_failed(message_id: int) -> ResponseReturnValue:
    """Queue what failed or came too late once more."""
    current_session().get_one(Message, message_id)
    count = control.resend_failed(message_id, actor=actor())
    notice = _("%(count)s queued again.", count=f"{count:,}") if count else _("Nothing to resend.")
    return done(notice, "admin.message", message_id=message_id)


@admin.get("/deliveries/<int:delivery_id>")
def delivery(delivery_id: int) -> ResponseReturnValue:
    """Everything that happened to a delivery, and what was sent."""
    session = current_session()
    found = session.get_one(Delivery, delivery_id)
    values = _values(found)
    _, subject, text, _ = found.message.read_in(found.language)
    return page(
        "admin/delivery.html",
        delivery=found,
        events=report.incident(session, found),
        subject=fill_subject(subject, values),
        text=fill_text(text, values),
        is_mail=found.channel is Channel.EMAIL,
        again=resend.sending_again(session, found),
    )


@admin.post("/deliveries/<int:delivery_id>/again")
def send_again(delivery_id: int) -> ResponseReturnValue:
    """Send one email again that came to nothing."""
    message_id = current_session().get_one(Delivery, delivery_id).message_id
    try:
        email = resend.send_again(delivery_id, actor=actor())
    except Invalid as error:
        return refused(f"{error.reason}.", "admin.delivery", delivery_id=delivery_id)
    return done(
        _("Queued again, to %(email)s.", email=email), "admin.message", message_id=message_id
    )


@admin.get("/deliveries/<int:delivery_id>/mail")
def delivered_mail(delivery_id: int) -> ResponseReturnValue:
    """The HTML of exactly the mail that went to that address, for a frame."""
    found = current_session().get_one(Delivery, delivery_id)
    return framed_mail(fill_html(found.message.read_in(found.language)[3], _values(found)))


def _asked() -> tuple[DeliveryState | None, str]:
    """The state and the part of an address that are asked for."""
    asked = request.args.get("state", "")
    state = DeliveryState(asked) if asked in set(DeliveryState) else None
    return state, clean_line(request.args.get("address", ""))[:320]


def _progress(counts: Tally, message: Message) -> dict[str, Any]:
    """What the summary of a message shows, and shows again while something waits."""
    waits = _window(message) if counts.waiting else ""
    speed = report.pace(current_session(), message.id, counts) if counts.waiting else report.Pace()
    hindrance = (
        _hindrance(message, is_moving=speed.rate > 0) if counts.waiting and not waits else ""
    )
    if hindrance:
        # The speed of the last seconds says nothing about what comes.
        speed = report.Pace()
    return {
        "message": message,
        "counts": counts,
        "parts": _parts(counts),
        "pace": speed,
        "left": _left(speed),
        "hindrance": hindrance,
        "advice": waits or _advice(counts),
    }


def _left(speed: report.Pace) -> str:
    if not speed.left:
        return ""
    if speed.left < 60:
        return _("less than a minute")
    return _("about %(length)s", length=clock.show_duration(timedelta(seconds=speed.left + 59)))


def _window(message: Message) -> str:
    """Until when a message waits so that it can be cancelled; empty where it does not."""
    if message.step is not Step.RESOLVED:
        return ""
    due_at = cancellation.stand(current_session(), [message]).due_at
    if due_at is None or due_at <= clock.now():
        return ""
    until = show_time(due_at, seconds=True)
    return _(
        "They wait until %(until)s. Until then they can be cancelled on the incident.", until=until
    )


def _why_not(message: Message, address: str) -> RecipientExplanation | None:
    """Why a whole address is not among those whom a mail went to, by the present lists."""
    if message.audience not in MAILED or message.incident is None:
        return None
    try:
        return explain_recipient.explain(of_step(message.incident, message.step), address)
    except Invalid:
        return None


def _hindrance(message: Message, *, is_moving: bool) -> str:
    """Why a message does not go out just now, and what to do; empty where nothing is in the way."""
    # A screen asks for each of its messages.
    session = current_session()
    channels = {Channel.EMAIL.value}
    if message.audience is Audience.INTERNAL:
        channels.add(Channel.CHAT.value)
    stops = {control.EVERYTHING, *channels}
    holds = read_once(session, "holds", lambda: control.holds(session))
    hold = next((one for one in holds if one.channel in stops), None)
    if hold is not None:
        return _("Sending is paused: %(reason)s.", reason=hold.reason.removesuffix("."))
    failing = select(Breaker).order_by(Breaker.channel)
    breakers = read_once(session, "breakers", lambda: session.scalars(failing).all())
    breaker = next((one for one in breakers if one.channel in channels), None)
    if breaker and (not is_moving or breaker.failures >= control.FAILURES_BEFORE_ALARM):
        return _(
            "It cannot be sent now: %(reason)s. It’s retried automatically.", reason=breaker.reason
        )
    if is_moving:
        return ""
    return read_once(session, "worker trouble", lambda: report.worker_trouble(session))


def describe_posted(update: IncidentUpdate, step: str) -> str:
    """What is said once an update is posted: ``Posted: Identified, 13:40 UTC. It goes to …``."""
    counts = report.recipients_of(current_session(), update.id)
    said = [
        ngettext(*words, number)
        for place, words in _NOTIFIED.items()
        if (number := counts.get(place, 0))
    ]
    posted = _("Posted: %(step)s, %(time)s.", step=step, time=show_time(update.posted_at))
    if not said:
        return posted + _(" No one is notified.")
    return posted + _(" It goes to %(who)s.", who=", ".join(said))


_NOTIFIED: Final = {
    (Audience.SUBSCRIBER, Channel.EMAIL): forms("%(num)s subscriber", "%(num)s subscribers"),
    (Audience.CUSTOMER, Channel.EMAIL): forms("%(num)s customer", "%(num)s customers"),
    (Audience.INTERNAL, Channel.CHAT): forms("%(num)s chat room", "%(num)s chat rooms"),
    (Audience.INTERNAL, Channel.EMAIL): forms("%(num)s colleague", "%(num)s colleagues"),
}


def in_words(counts: Tally) -> str:
    """``2,341 accepted, 2,329 delivered, 9 bounced, 3 waiting``; what is none is left out."""
    return ", ".join(words for words, _state in _parts(counts))


def _parts(counts: Tally) -> list[tuple[str, DeliveryState | None]]:
    """How a message stands, piece by piece, each with the state to look for where it is one."""
    parts = [
        (counts.accepted, _("accepted"), None),
        (counts.in_files, _("kept in a file, not sent"), None),
        *((counts[state], state.label.lower(), state) for state in _TOLD_APART),
        (counts.waiting, _("waiting"), None),
    ]
    return [(f"{number:,} {name}", state) for number, name, state in parts if number]


_TOLD_APART: Final = (
    DeliveryState.DELIVERED,
    DeliveryState.BOUNCED,
    DeliveryState.FAILED,
    DeliveryState.EXPIRED,
    DeliveryState.SUPPRESSED,
    DeliveryState.SUPERSEDED,
    DeliveryState.CANCELLED,
)


def advise(message: Message, counts: Tally) -> str:
    """What to do next about a message, in words; empty where nothing is left to do."""
    if counts.waiting:
        waits = _window(message) or _hindrance(message, is_moving=False)
        if waits:
            return waits
    return _advice(counts)


def _advice(counts: Tally) -> str:
    sentences = []
    if counts.waiting:
        sentences.append(_("They’re sent automatically; you don’t need to wait here."))
    if counts[DeliveryState.UNCERTAIN]:
        sentences.append(_("Some deliveries aren’t confirmed yet; we’re checking."))
    if counts[DeliveryState.FAILED] or counts[DeliveryState.EXPIRED]:
        sentences.append(_("See why some failed; resend the rest with one click."))
    if counts[DeliveryState.BOUNCED]:
        sentences.append(_("Bounced addresses no longer work."))
    return " ".join(sentences)


def _values(found: Delivery) -> dict[str, str]:
    """What the tokens say to this recipient, as they did when it was sent."""
    settings = current_settings()
    site = the_page()
    zone = found.time_zone or (site.time_zone if site else "UTC")
    message = found.message
    language, *_ = message.read_in(found.language)
    values = token_values(message.moments, zone=zone, locale=language, name=found.name)
    if message.step is Step.ACCOUNT:
        # Not shown: with the real one anybody could sign in as its owner.
        values["account_url"] = current_links().account("theirs-alone")
    if message.audience is Audience.INTERNAL:
        return values
    # Shown, not to be pressed: this link is the customer's.
    token = delivery_token(settings.secret_key, found.id)
    before = prefix(language, own=site.language if site else language)
    values["unsubscribe_url"] = current_links().unsubscribe(token, before)
    if message.audience is Audience.SUBSCRIBER:
        # Not even shown: with it anybody could confirm in their name.
        values["manage_url"] = current_links().subscription("theirs-alone")
    return values


def _rows(message_id: int, state: DeliveryState | None, address: str) -> Iterator[Sequence[str]]:
    yield _COLUMNS
    for one in report.every_delivery(current_session(), message_id, state=state, address=address):
        yield (
            one.recipient, one.name, one.channel.value, one.state.value, one.reason, one.why,
            str(one.attempts), clock.as_utc(one.queued_at).isoformat(timespec="seconds"),
            clock.as_utc(one.changed_at).isoformat(timespec="seconds"),
        )  # fmt: skip
