"""Letters and recipients for the tests of the channels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from statuspage.delivery.channels.provider import OutgoingMessage, Provider, Recipient, Result

OUTGOING = OutgoingMessage(
    subject="Resolved: checkout",
    text="Hello [[name]],\nit began [[started]].\n\nLeave: [[unsubscribe_url]]\n",
    html="<p>Hello [[html:name]], it began [[html:started]].</p>",
    sender="status@example.com",
    sender_name="Acme Status",
    reply_to="help@example.com",
    category="customer-resolved",
)


def recipient(number: int = 1, **changes: object) -> Recipient:
    """The recipient of that number, with some of its facts changed."""
    sample = Recipient(
        delivery_id=str(number),
        attempt_id=f"attempt-{number}",
        address=f"customer{number}@example.org",
        name=f"Customer {number}",
        message_id=f"<{number}@status.example.com>",
        values={"started": "at noon"},
        unsubscribe_url=f"https://status.example.com/unsubscribe/{number}",
    )
    return replace(sample, **changes)  # type: ignore[arg-type]


def recipients(count: int) -> list[Recipient]:
    """The first ``count`` recipients."""
    return [recipient(number) for number in range(1, count + 1)]


def send_all(
    channel: Provider,
    people: Sequence[Recipient],
    *,
    outgoing: OutgoingMessage = OUTGOING,
    still_ours: Callable[[], bool] = lambda: True,
) -> list[Result]:
    """Every result, in the order in which they became certain."""
    chunks = channel.send(outgoing, people, still_ours=still_ours)
    return [result for chunk in chunks for result in chunk]


def outcomes(results: Iterable[Result]) -> Mapping[str, tuple[str, str]]:
    """Outcome and fault by address."""
    return {each.recipient.address: (each.outcome.value, each.fault.value) for each in results}


def yes_times(count: int) -> Callable[[], bool]:
    """A ``still_ours`` that says yes so many times and then no."""
    answers = iter([True] * count)
    return lambda: next(answers, False)
