from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import api_keys
from statuspage.access.api_keys import KeyHolder
from statuspage.access.audit import Actor
from statuspage.access.permissions import of_scopes
from statuspage.core import clock
from statuspage.core.enums import KeyScope
from statuspage.core.errors import Invalid
from statuspage.models import ApiKey
from statuspage.models.columns import hash_token
from tests.actors import acting
from tests.browsing import make_account

ADDRESS = "192.0.2.7"
ACTOR = acting("Kim")


def test_a_key_acts_under_its_name_until_it_is_withdrawn(session: Session) -> None:
    made, token = api_keys.make_key(" The  shop ", actor=ACTOR)
    assert token.startswith(made.beginning)
    assert token not in {made.beginning, made.token_hash}
    assert api_keys.use_key(token, address=ADDRESS) == KeyHolder(
        made.id,
        Actor("API key “The shop”", permissions=of_scopes([KeyScope.CUSTOMERS])),
        frozenset({KeyScope.CUSTOMERS}),
    )
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


def test_a_key_is_known_by_its_beginning_and_its_checksum(session: Session) -> None:
    _, token = api_keys.make_key("The shop", actor=ACTOR)
    assert api_keys.FORM.fullmatch(token)
    assert api_keys.is_well_formed(token)
    other = "1" if token[20] == "0" else "0"
    assert not api_keys.is_well_formed(token[:20] + other + token[21:])
    assert not api_keys.is_well_formed("statuspage_wrong")


def test_a_key_from_before_there_were_scopes_keeps_customers(session: Session) -> None:
    token = "statuspage_" + "a-_9" * 10 + "abc"
    session.execute(
        insert(ApiKey.__table__).values(
            name="CRM", beginning=token[:16], token_hash=hash_token(token), created_at=clock.now()
        )
    )
    session.commit()
    holder = api_keys.use_key(token, address=ADDRESS)
    assert holder is not None
    assert [scope for scope in KeyScope if holder.may(scope)] == [KeyScope.CUSTOMERS]


def test_a_key_does_what_its_scopes_say(session: Session) -> None:
    _, drafting = api_keys.make_key("Bot", actor=ACTOR, scopes=[KeyScope.DRAFT, KeyScope.READ])
    _, ruling = api_keys.make_key("Terraform", actor=ACTOR, scopes=[KeyScope.ADMIN])
    allowed = []
    for token in (drafting, ruling):
        holder = api_keys.use_key(token, address=ADDRESS)
        assert holder is not None
        allowed.append([scope for scope in KeyScope if holder.may(scope)])
    assert allowed == [[KeyScope.READ, KeyScope.DRAFT], list(KeyScope)]
    with pytest.raises(Invalid, match="scopes: Choose at least one"):
        api_keys.make_key("Nothing", actor=ACTOR, scopes=[])


def test_a_key_ends_when_its_time_is_over(session: Session, frozen: Traveller) -> None:
    made, token = api_keys.make_key("The shop", actor=ACTOR, lifetime=timedelta(days=30))
    frozen.shift(timedelta(days=30, seconds=-1))
    assert api_keys.is_key(session, token)
    frozen.shift(timedelta(seconds=1))
    assert not api_keys.is_key(session, token)
    assert api_keys.has_expired(made, clock.now())
    assert api_keys.use_key(token, address=ADDRESS) is None
    lasting, _ = api_keys.make_key("Lasting", actor=ACTOR)
    assert not api_keys.has_expired(lasting, clock.now())
    assert [key.name for key in api_keys.all_keys(session)] == ["Lasting", "The shop"]


def test_a_key_has_an_owner(session: Session) -> None:
    ada, bo = make_account("Ada", "ada@example.com"), make_account("Bo", "bo@example.com")
    session.add_all([ada, bo])
    session.commit()
    maker = acting("Ada", account_id=ada.id)
    api_keys.make_key("Hers", actor=maker)
    api_keys.make_key("His", actor=maker, owner_id=bo.id)
    assert [key.owner.name for key in api_keys.all_keys(session) if key.owner] == ["Bo", "Ada"]
    with pytest.raises(Invalid, match="owner_id: This account no longer exists"):
        api_keys.make_key("Nobody's", actor=maker, owner_id=4711)
