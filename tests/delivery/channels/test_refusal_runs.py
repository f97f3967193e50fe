"""Whose fault a refusal is: known only by what the server says to others."""

from __future__ import annotations

from collections.abc import Iterable

from statuspage.delivery.channels.provider import Fault, Outcome, Recipient, Result
from statuspage.delivery.channels.refusal_runs import MANY, RefusalRun, Trial

# What comes out: the number of the recipient, its outcome, and whose trouble it was.
Told = list[tuple[int, Outcome, Fault]]


def result(number: int, outcome: Outcome, fault: Fault = Fault.NONE) -> Result:
    recipient = Recipient(str(number), "1", f"c{number}@example.org", "", f"<{number}@host>")
    return Result(recipient, outcome, fault, reason="550 no")


def accepted(number: int) -> Result:
    return result(number, Outcome.ACCEPTED)


def refused(number: int, fault: Fault = Fault.RECIPIENT) -> Result:
    return result(number, Outcome.REFUSED, fault)


def told(results: Iterable[Result]) -> Told:
    return [(int(one.recipient.delivery_id), one.outcome, one.fault) for one in results]


def test_an_acceptance_says_that_the_refusals_before_it_were_about_their_recipients() -> None:
    trial = Trial(RefusalRun())
    assert trial.add([refused(1, Fault.PROVIDER)]) == []
    assert told(trial.add([accepted(2)])) == [
        (1, Outcome.REFUSED, Fault.RECIPIENT), (2, Outcome.ACCEPTED, Fault.NONE),
    ]  # fmt: skip
    assert trial.finish() == []


def test_a_long_run_of_refusals_is_about_us_whatever_they_say() -> None:
    trial = Trial(RefusalRun())
    for number in range(MANY - 1):
        assert trial.add([refused(number)]) == []
    assert not trial.is_hopeless
    found = trial.add([refused(MANY - 1)])
    assert trial.is_hopeless
    assert told(found) == [(n, Outcome.NOT_SENT, Fault.PROVIDER) for n in range(MANY)]
    assert found[0].reason == (
        "10 recipients in a row were refused, which is not about them: 550 no"
    )


def test_one_who_is_tried_again_and_again_makes_no_run() -> None:
    trial = Trial(RefusalRun())
    for _ in range(2 * MANY):
        trial.add([refused(1)])
    assert not trial.is_hopeless


def test_a_run_goes_on_in_the_next_batch_until_a_mail_is_accepted() -> None:
    run = RefusalRun()
    for start in (0, 6):
        trial = Trial(run)
        trial.add([refused(number) for number in range(start, start + 6)])
    assert run.count() == MANY
    Trial(run).add([accepted(99)])
    assert run.count() == 0


def test_what_names_the_recipient_is_believed_and_what_may_be_about_us_is_tried_again() -> None:
    named = Trial(RefusalRun())
    named.add([refused(1), refused(2)])
    assert told(named.finish()) == [(n, Outcome.REFUSED, Fault.RECIPIENT) for n in (1, 2)]
    unclear = Trial(RefusalRun())
    unclear.add([refused(1, Fault.PROVIDER), refused(2, Fault.PROVIDER)])
    assert told(unclear.finish()) == [(n, Outcome.NOT_SENT, Fault.PROVIDER) for n in (1, 2)]


def test_one_alone_that_may_be_about_us_is_tried_again_without_an_alarm() -> None:
    trial = Trial(RefusalRun())
    trial.add([refused(1, Fault.PROVIDER)])
    assert told(trial.finish()) == [(1, Outcome.NOT_SENT, Fault.RECIPIENT)]


def test_what_is_no_refusal_passes_at_once() -> None:
    unknown = result(1, Outcome.UNKNOWN, Fault.PROVIDER)
    trial = Trial(RefusalRun())
    assert trial.add([unknown, refused(2)]) == [unknown]
    assert told(trial.finish()) == [(2, Outcome.REFUSED, Fault.RECIPIENT)]
