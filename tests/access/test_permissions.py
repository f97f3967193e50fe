"""Roles and what each may do: every verb is asked, and the documentation says the same."""

from __future__ import annotations

import importlib
import inspect
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from statuspage.access import accounts, audit, permissions
from statuspage.access.permissions import EVERYTHING, ROLES, VERBS, Forbidden, Permission
from statuspage.core.db import writing
from statuspage.core.enums import AccountRole, KeyScope
from statuspage.delivery import account_changes, invitations
from statuspage.models import Account
from tests import permission_tables
from tests.accounts import KIM, accept, account_mails, add_account, refusal
from tests.actors import acting


def test_each_role_may_do_what_the_one_before_may_and_more() -> None:
    granted = [ROLES[role] for role in AccountRole]
    assert all(less < more for less, more in pairwise(granted))
    assert granted[-1] == EVERYTHING


def test_the_documentation_is_the_table(app: Flask) -> None:
    written = permission_tables.FILE.read_text()
    assert written == permission_tables.document(app), "python -m tests.permission_tables writes it"


def test_every_verb_says_what_it_needs() -> None:
    permission_tables.load_all()
    assert permission_tables.verbs() - set(VERBS) == set()


def test_every_verb_refuses_each_role_that_lacks_its_permission_and_no_other(
    session: Session,
) -> None:
    permission_tables.load_all()
    refused = {
        (name, role)
        for name, needed in VERBS.items()
        if needed is not None
        for role in AccountRole
        if _is_refused(name, role)
    }
    assert refused == {
        (name, role)
        for name, needed in VERBS.items()
        if needed is not None
        for role in AccountRole
        if needed not in ROLES[role]
    }
    assert len(refused) > 150


def _is_refused(name: str, role: AccountRole) -> bool:
    module, _, function = name.rpartition(".")
    verb = getattr(importlib.import_module(f"statuspage.{module}"), function)
    parameters = inspect.signature(verb).parameters
    given: dict[str, Any] = {
        one.name: object() for one in parameters.values() if one.default is inspect.Parameter.empty
    }
    actor = acting("Kim", role, account_id=1)
    if "actor" in parameters:
        given["actor"] = actor
    else:
        given["submission"] = type("Sheet", (), {"actor": actor, "form_key": ""})()
    try:
        verb(**given)
    except Forbidden as error:
        return error.permission is VERBS[name]
    except Exception:  # What it was given is nonsense; it was let in.
        return False
    return False


def test_an_actor_may_do_nothing_unless_something_says_so() -> None:
    with pytest.raises(Forbidden) as caught:
        accounts.rename(1, name="Dana", actor=audit.Actor("Dana", 1))
    assert caught.value.permission is Permission.OWN_ACCOUNT


def test_a_verb_that_never_asked_keeps_no_entry(session: Session) -> None:
    with pytest.raises(Forbidden), writing() as fresh:
        audit.record(fresh, acting("Kim"), "page.change", subject_kind="page", subject="x")


def test_nobody_changes_the_account_of_another_without_managing_people(session: Session) -> None:
    kim = add_account(KIM)
    with pytest.raises(Forbidden):
        accounts.rename(kim, name="Sam", actor=acting("Sam", AccountRole.COMMS_LEAD, account_id=7))


def test_a_scope_is_what_a_key_may_do() -> None:
    assert permissions.of_scopes([KeyScope.CUSTOMERS]) == {Permission.CUSTOMERS}
    assert permissions.of_scopes([KeyScope.ADMIN]) == EVERYTHING
    assert permissions.of_scopes([]) == frozenset()


# --- roles of accounts ---------------------------------------------------------------------------


def test_an_invited_account_has_the_role_of_its_invitation(session: Session) -> None:
    add_account(KIM)
    _, token = invitations.invite("dana@example.com", AccountRole.VIEWER, actor=acting("Kim"))
    assert accept(token).role is AccountRole.VIEWER


def test_another_role_ends_the_sign_ins_and_is_mailed(session: Session) -> None:
    add_account(KIM)
    sam = add_account("sam@example.com")
    account_changes.change_role(sam, AccountRole.RESPONDER, actor=acting("Kim"))
    assert session.get_one(Account, sam).role is AccountRole.RESPONDER
    [(delivery, message)] = account_mails(session)
    assert (delivery.address, message.subject) == ("sam@example.com", "Your role is Responder now")


def test_the_last_admin_keeps_the_role(session: Session) -> None:
    kim = add_account(KIM)
    with refusal(
        field="account", reason="This is the last admin: make somebody else an admin first"
    ):
        account_changes.change_role(kim, AccountRole.VIEWER, actor=acting("Kim"))
