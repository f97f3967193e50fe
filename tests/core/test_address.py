from __future__ import annotations

import pytest

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
