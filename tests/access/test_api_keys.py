from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import api_keys
from statuspage.access.audit import Actor
from statuspage.core import clock
from statuspage.core.errors import Invalid

ADDRESS = "192.0.2.7"
ACTOR = Actor("Kim")


def test_a_key_acts_under_its_name_until_it_is_withdrawn(session: Session) -> None:
    made, token = api_keys.make_key(" The  shop ", actor=ACTOR)
    assert token.startswith(made.beginning)
    assert token not in {made.beginning, made.token_hash}
    assert api_keys.use_key(token, address=ADDRESS) == Actor("API key “The shop”")
    assert api_keys.is_key(session, token)
    api_keys.withdraw_key(made.id, actor=ACTOR)
    api_keys.withdraw_key(made.id, actor=ACTOR)
    assert api_keys.use_key(token, address=ADDRESS) is None
    assert not api_keys.is_key(session, token)


@pytest.mark.parametrize(
    ("name", "reason"),
    [(" ", "Say what will use the key"), ("x" * 201, "Use at most 200 characters")],
)
def test_a_key_has_a_name(session: Session, name: str, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        api_keys.make_key(name, actor=ACTOR)
    assert (caught.value.field, caught.value.reason) == ("name", reason)


def test_the_last_use_is_written_down_once_a_minute(session: Session, frozen: Traveller) -> None:
    first, (_, token) = clock.now(), api_keys.make_key("The shop", actor=ACTOR)
    for seconds in (0, 60, 1):
        frozen.shift(timedelta(seconds=seconds))
        api_keys.use_key(token, address=ADDRESS)
        session.expire_all()
    (key,) = api_keys.all_keys(session)
    assert key.used_at == first + timedelta(seconds=61)


def test_whoever_guesses_keys_has_to_wait_and_a_right_key_has_not(session: Session) -> None:
    _, token = api_keys.make_key("The shop", actor=ACTOR)
    for _ in range(api_keys.TRIES):
        assert api_keys.use_key("statuspage_wrong", address=ADDRESS) is None
    with pytest.raises(api_keys.KeyThrottled):
        api_keys.use_key("statuspage_wrong", address=ADDRESS)
    assert api_keys.use_key(token, address=ADDRESS) is not None


def test_keys_that_work_are_listed_first_and_newest_first(session: Session) -> None:
    made = [api_keys.make_key(name, actor=ACTOR)[0] for name in ("a", "b", "c")]
    api_keys.withdraw_key(made[2].id, actor=ACTOR)
    assert [key.name for key in api_keys.all_keys(session)] == ["b", "a", "c"]
