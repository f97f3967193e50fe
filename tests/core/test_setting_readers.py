from __future__ import annotations

import pytest

from statuspage.core.enums import AccountRole
from statuspage.core.setting_readers import read_boolean, read_roles, read_web_address


def test_roles_are_named_or_all() -> None:
    assert read_roles("") == frozenset()
    assert read_roles("all") == frozenset(AccountRole)
    assert read_roles("admin, comms_lead") == {AccountRole.ADMIN, AccountRole.COMMS_LEAD}
    with pytest.raises(ValueError, match="must be all, or some of viewer, responder, comms_lead"):
        read_roles("admin boss")


def test_an_address_has_no_slash_at_its_end() -> None:
    assert read_web_address("https://status.example.com/") == "https://status.example.com"


def test_yes_and_no_have_several_words() -> None:
    assert [read_boolean(word) for word in ("yes", "ON", "", "0")] == [True, True, False, False]
