"""The password once more, or a passkey, before what is dear: exports, erasing, people, keys.

A form that was sent is carried through the question and sent on with one click, so nothing typed is
lost and no link that somebody else made does anything.
"""

from __future__ import annotations

import json
from typing import Final

from flask import Response, make_response, redirect, request
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from statuspage.access import sign_ins
from statuspage.admin import auth
from statuspage.admin.base import admin, local_target, page
from statuspage.admin.forms import Form, SecretField
from statuspage.admin.sign_in import ask_for_passkey
from statuspage.core.languages import N_
from statuspage.public import http

_NOT_CARRIED: Final = frozenset({"csrf_token"})


class ProofForm(Form):
    """The password, where to go on, and the form that waits."""

    password = SecretField(
        N_("Password"), needed=N_("Enter your password"), autocomplete="current-password"
    )
    next = HiddenField()
    waiting = HiddenField()


@admin.errorhandler(auth.ProofNeeded)
def ask_for_proof(_: auth.ProofNeeded) -> ResponseReturnValue:
    """Ask for a fresh proof instead of doing what was asked."""
    target = request.full_path.removesuffix("?")
    waiting = ""
    if request.method == "POST":
        pairs = [pair for pair in request.form.items(multi=True) if pair[0] not in _NOT_CARRIED]
        waiting = json.dumps(pairs)
    answer = confirm_page(ProofForm(None, next=target, waiting=waiting))
    answer.status_code = 403
    return answer


@admin.route("/confirm", methods=["GET", "POST"])
def confirm_identity() -> ResponseReturnValue:
    """Take the password, and go on: to the page, or to the form that waits for one more click."""
    form = ProofForm.read(next=request.args.get("next", ""))
    person = auth.signed_in()
    if form.is_accepted() and person is not None:
        with form.refusals():
            token = sign_ins.prove(
                person.token,
                form.password.data,
                address=http.present_address(),
                actor=auth.actor(),
            )
            return go_on(token, form.next.data or "", form.waiting.data or "")
    return confirm_page(form)


def confirm_page(form: Form) -> Response:
    """The question for a fresh proof: a password, a passkey where there is one, or the provider."""
    person = auth.signed_in()
    asks_passkey = person is not None and person.has_passkey and not person.by_provider
    return page(
        "admin/confirm.html",
        form=form,
        passkey_options=ask_for_passkey(person.account_id) if person and asks_passkey else "",
    )


def go_on(token: str, target: str, waiting: str) -> Response:
    """Go on after a proof, with the session's new token: to a page, or to the form that waits."""
    target = local_target(target)
    answer = (
        page("admin/confirmed.html", target=target, pairs=_read(waiting))
        if waiting
        else make_response(redirect(target, 303))
    )
    auth.remember(answer, token)
    return answer


def _read(waiting: str) -> list[tuple[str, str]]:
    """The fields of the form that waits; none where somebody changed what we wrote."""
    try:
        return [(str(name), str(value)) for name, value in json.loads(waiting)]
    except (ValueError, TypeError):
        return []
