"""What an authenticator signed: a key that is made, and each use of it, or nothing is proven."""

from __future__ import annotations

import json

import pytest

from statuspage.access.passkey_proofs import (
    Made,
    NotProven,
    RelyingParty,
    check_made,
    check_used,
    creation_options,
    name_of,
    request_options,
)
from tests.fakes.authenticator import Authenticator

SITE = RelyingParty("status.example.com", "https://status.example.com")
PERSON = {"service": "Acme", "account_id": 7, "email": "kim@example.com", "name": "Kim"}


def make(key: Authenticator) -> Made:
    asked, challenge = creation_options(SITE, **PERSON, known=[])  # type: ignore[arg-type]
    return check_made(key.create(asked), challenge=challenge, site=SITE)


def use(key: Authenticator, made: Made, *, uses: int = 0) -> int:
    asked, challenge = request_options(SITE, known=[made.credential])
    return check_used(
        key.get(asked), challenge=challenge, site=SITE, public_key=made.public_key, uses=uses
    )


def test_a_browser_is_asked_for_a_key_of_this_host_that_asks_for_its_owner() -> None:
    known = make(Authenticator()).credential
    asked, _ = creation_options(SITE, **PERSON, known=[known])  # type: ignore[arg-type]
    said = json.loads(asked)
    assert (said["rp"], said["user"]["name"]) == (
        {"id": "status.example.com", "name": "Acme"}, "kim@example.com",
    )  # fmt: skip
    assert said["authenticatorSelection"]["userVerification"] == "required"
    assert [one["id"] for one in said["excludeCredentials"]] == [known]
    assert json.loads(request_options(SITE, known=[])[0])["allowCredentials"] == []


def test_no_challenge_is_given_twice() -> None:
    assert len({request_options(SITE, known=[])[1] for _ in range(20)}) == 20


def test_a_key_that_was_made_proves_each_of_its_uses() -> None:
    key = Authenticator()
    made = make(key)
    assert [use(key, made), use(key, made, uses=1)] == [1, 2]


@pytest.mark.parametrize("flaw", ["unverified", "elsewhere"])
def test_a_key_without_its_owner_or_made_for_another_page_is_none(flaw: str) -> None:
    key = Authenticator("https://evil.example.com") if flaw == "elsewhere" else Authenticator()
    key.verifies = flaw != "unverified"
    with pytest.raises(NotProven):
        make(key)


@pytest.mark.parametrize("flaw", ["unverified", "elsewhere", "copied", "unknown"])
def test_a_use_is_proven_by_that_key_and_its_owner_at_this_page_alone(flaw: str) -> None:
    key = Authenticator()
    made = make(key)
    key.verifies = flaw != "unverified"
    key.origin = "https://evil.example.com" if flaw == "elsewhere" else key.origin
    with pytest.raises(NotProven):
        use(
            Authenticator() if flaw == "unknown" else key, made,
            uses=5 if flaw == "copied" else 0,
        )  # fmt: skip


def test_an_answer_to_another_question_proves_nothing() -> None:
    key = Authenticator()
    made = make(key)
    answer = key.get(request_options(SITE, known=[])[0])
    with pytest.raises(NotProven):
        check_used(
            answer, challenge=request_options(SITE, known=[])[1], site=SITE,
            public_key=made.public_key, uses=0,
        )  # fmt: skip


@pytest.mark.parametrize("answer", ["", "{]", "[]", "7", "{}", '{"id": ' + "[" * 30_000])
def test_an_answer_that_cannot_be_read_proves_nothing(answer: str) -> None:
    with pytest.raises(NotProven):
        name_of(answer)
    with pytest.raises(NotProven):
        check_made(answer, challenge="AAAA", site=SITE)
