from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from statuspage.core.address import Address, identity_of, read_address


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        (" Ana.Lee+shop@Example.COM ", "ana.lee+shop@example.com"),
        ("ana@Bücher.example", "ana@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_known_by_its_lower_case_form_with_an_ascii_domain(
    text: str, identity: str
) -> None:
    assert read_address(text) == Address(text.strip(), identity)


@pytest.mark.parametrize(
    "text",
    ["", "ana", "ana@", "@example.com", "a b@example.com", "ana@localhost", "änna@a.example"],
)
def test_what_is_no_address_is_refused_and_equals_itself_alone(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|sign"):
        read_address(text)
    assert identity_of(f" {text.upper()}") == text.lower()


@pytest.mark.parametrize(
    ("given_text", "identity"),
    [
        ("ana@example.com", "ana@example.com"),
        (" Ana.Li+News@EXAMPLE.com ", "ana.li+news@example.com"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("Ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
        ("ana@shop.test", "ana@shop.test"),
    ],
)
def test_an_address_has_one_identity_however_it_is_written(given_text: str, identity: str) -> None:
    address = read_address(given_text)

    assert (address.email, address.identity) == (given_text.strip(), identity)


@pytest.mark.parametrize(
    "text",
    [
        "", "ana", "ana@", "@example.com", "ana@example", "a b@example.com", "ana@example.com,",
        "Ana <ana@example.com>", "ana@[192.0.2.1]", "ana@host.local", "ana@test", "ána@example.com",
        "ana..li@example.com", f"{'a' * 65}@example.com", f"ana@{'a' * 64}.com", "ana@-a.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_address(text)


_LOCAL = st.text("abzAZ09.!#$%&'*+/=?^_`{|}~-", min_size=0, max_size=66)


_LABEL = st.text("abzAZ09-", min_size=0, max_size=65)


_TOPS = st.sampled_from(
    ["com", "c", "local", "localhost", "invalid", "test", "onion", "arpa", "1a"]
)


@given(_LOCAL, st.lists(_LABEL, max_size=4), _TOPS)
def test_the_short_way_to_an_address_says_what_the_validator_says(
    local: str, labels: list[str], top: str
) -> None:
    email = f"{local}@{'.'.join([*labels, top])}"
    try:
        valid = validate_email(
            email, check_deliverability=False, test_environment=True, strict=True
        )
        expected = valid.normalized.lower() if "." in valid.ascii_domain else None
    except EmailNotValidError:
        expected = None
    try:
        identity = read_address(email).identity
    except ValueError:
        identity = None

    assert identity == expected
