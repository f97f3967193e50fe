"""What browsers are asked about passkeys, and whether their answers prove it (WebAuthn level 3).

Loaded where a passkey is made or used: the library costs memory that nobody else has to pay.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import webauthn
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

_LONGEST_ANSWER: Final = 20_000
# What a wrong answer makes the library raise; whatever it is, nothing is proven.
_WRONG: Final = (
    WebAuthnException, ValueError, KeyError, TypeError, AttributeError, RecursionError,
)  # fmt: skip


class NotProven(Exception):
    """The answer proves nothing; the text is for the log."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The host that passkeys are bound to, and the origin that browsers say they are used at."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class Made:
    """A passkey that a browser made."""

    credential: str
    public_key: bytes
    uses: int


def creation_options(
    site: RelyingParty,
    *,
    service: str,
    account_id: int,
    email: str,
    name: str,
    known: Iterable[str],
) -> tuple[str, str]:
    """What a browser makes a passkey of, as JSON; and the challenge that it must sign."""
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=service,
        user_name=email,
        user_id=str(account_id).encode(),
        user_display_name=name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_described(known),
    )
    return webauthn.options_to_json(options), bytes_to_base64url(options.challenge)


def request_options(site: RelyingParty, *, known: Iterable[str]) -> tuple[str, str]:
    """What a browser has one of those passkeys prove, or any where none are given; as above."""
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        user_verification=UserVerificationRequirement.REQUIRED,
        allow_credentials=_described(known),
    )
    return webauthn.options_to_json(options), bytes_to_base64url(options.challenge)


def check_made(answer: str, *, challenge: str, site: RelyingParty) -> Made:
    """The passkey in a browser's answer; :class:`NotProven`."""
    try:
        made = webauthn.verify_registration_response(
            credential=_read(answer),
            expected_challenge=webauthn.base64url_to_bytes(challenge),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _WRONG as error:
        raise NotProven(str(error)) from None
    return Made(bytes_to_base64url(made.credential_id), made.credential_public_key, made.sign_count)


def name_of(answer: str) -> str:
    """Which passkey an answer says that it is of; :class:`NotProven` where it says none."""
    try:
        return str(_read(answer)["id"])
    except _WRONG as error:
        raise NotProven(str(error)) from None


def check_used(
    answer: str, *, challenge: str, site: RelyingParty, public_key: bytes, uses: int
) -> int:
    """How often the passkey was used, now that the answer proves it; :class:`NotProven`."""
    try:
        return webauthn.verify_authentication_response(
            credential=_read(answer),
            expected_challenge=webauthn.base64url_to_bytes(challenge),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=uses,
            require_user_verification=True,
        ).new_sign_count
    except _WRONG as error:
        raise NotProven(str(error)) from None


def _described(known: Iterable[str]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(credential))
        for credential in known
    ]


def _read(answer: str) -> dict[str, Any]:
    found = json.loads(answer[:_LONGEST_ANSWER])
    if not isinstance(found, dict):
        raise ValueError("no credential")
    return found
