from __future__ import annotations

from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core import clock
from statuspage.core.clock import EPOCH
from statuspage.core.db import writing
from statuspage.models import revision


def test_the_revision_moves_with_each_change_and_knows_its_moment(
    session: Session, frozen: Traveller
) -> None:
    assert (revision.read_revision(session), revision.current_number(session)) == ((0, EPOCH), 0)
    for _ in range(2):
        frozen.shift(60)
        with writing() as session:
            revision.bump(session)
    assert revision.read_revision(session) == (2, clock.now())
    assert revision.current_number(session) == 2
