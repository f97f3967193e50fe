"""Suppression: whether an address may be written to, and why not."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.models import Customer, Suppression
from statuspage.recipients import suppression
from statuspage.recipients.pseudonyms import pseudonymize
from statuspage.recipients.suppression import SuppressionKind

SAM = "sam@example.com"
LEFT = SuppressionKind.UNSUBSCRIBED
GRAVE = [SuppressionKind.BOUNCED, SuppressionKind.COMPLAINED]


def suppress(*kinds: SuppressionKind, address: str = SAM) -> None:
    with writing() as session:
        for kind in kinds:
            suppression.suppress(session, address, kind)


def kinds(session: Session) -> list[str]:
    session.expire_all()
    return list(session.scalars(select(Suppression.kind)))


def notices_barred_for(session: Session, *, contractual: bool) -> bool | None:
    with writing():
        session.add(Customer(email=SAM, address=SAM, contractual=contractual))
    return session.scalar(select(suppression.is_suppressed(Customer.address)))


def test_an_address_without_a_suppression_may_be_written_to(session: Session) -> None:
    assert suppression.barring_reason(session, SAM, owed=False) is None


@pytest.mark.parametrize("kind", GRAVE)
def test_an_address_that_bounced_or_complained_gets_no_mail_at_all(
    session: Session, kind: SuppressionKind
) -> None:
    suppress(kind)
    assert suppression.barring_reason(session, SAM) == suppression.REASONS[kind]
    assert notices_barred_for(session, contractual=True)


@pytest.mark.parametrize("contractual", [True, False])
def test_somebody_who_left_gets_only_what_is_owed(session: Session, *, contractual: bool) -> None:
    suppress(LEFT)
    assert suppression.barring_reason(session, SAM) is None
    assert suppression.barring_reason(session, SAM, owed=False) == suppression.REASONS[LEFT]
    assert notices_barred_for(session, contractual=contractual) is not contractual


def test_an_erased_address_is_barred_by_its_pseudonym_unless_its_owner_asks(
    session: Session,
) -> None:
    suppress(SuppressionKind.ERASED, address=pseudonymize(SAM))
    assert suppression.barring_reason(session, SAM) == "erased at their own request"
    assert suppression.barring_reason(session, SAM, though_erased=True) is None
    assert suppression.erased_among(session, [SAM, "bo@example.com"]) == {SAM}


@pytest.mark.parametrize("kind", GRAVE)
def test_a_graver_kind_takes_the_place_of_leaving_and_never_the_other_way(
    session: Session, kind: SuppressionKind
) -> None:
    suppress(LEFT, kind, LEFT)
    assert kinds(session) == [kind]


def test_a_lifted_suppression_is_gone(session: Session) -> None:
    suppress(LEFT)
    with writing():
        assert suppression.lift(session, SAM) == 1
    assert suppression.suppression_kind(session, SAM) is None
