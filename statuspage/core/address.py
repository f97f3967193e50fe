"""When two mail addresses are one.

Somebody is known by the normalised form of their address: lower case on both sides of the ``@``,
the domain in ASCII (RFC 5891).  The local part is lowered too: RFC 5321 lets it matter, no provider
does, and a customer must not be written to twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

# What nearly every address looks like.  The validator says the same of these (a test compares the
# two), but takes a hundred times as long, so it is asked about the others only.
_PLAIN = re.compile(
    r"(?=.{3,254}\Z)(?=[^@]{1,64}@)"
    r"[a-z0-9_!#$%&'*+/=?^`{|}~-]+(?:\.[a-z0-9_!#$%&'*+/=?^`{|}~-]+)*"
    r"@(?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"(?!(?:arpa|invalid|local|localhost|onion)\Z)[a-z]{2,63}\Z"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A mail address: ``email`` as it was given, ``identity`` the form that decides who is who."""

    email: str
    identity: str


def read_address(text: str) -> Address:
    """The address in ``text``; ``ValueError`` with a sentence for people where it is none.

    Nobody is asked whether it exists.  A local part outside ASCII is refused: few servers take it,
    and one such recipient makes a provider refuse everybody in the same request.
    """
    email = text.strip()
    lowered = email.lower()
    if email.isascii() and _PLAIN.match(lowered):
        return Address(email, lowered)
    if not email:
        raise ValueError("There’s no email address.")
    try:
        # "test" is a reserved domain like "example", which is let through as well.
        valid = validate_email(
            email,
            check_deliverability=False,
            test_environment=True,
            allow_smtputf8=False,
            strict=True,
        )
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    if "." not in valid.ascii_domain:
        raise ValueError("The part after the @-sign is not valid. It should have a period.")
    return Address(email, f"{valid.local_part}@{valid.ascii_domain}".lower())


def identity_of(text: str) -> str:
    """The form that decides who is who, also of what is no address: that equals itself alone."""
    try:
        return read_address(text).identity
    except ValueError:
        return text.strip().lower()
