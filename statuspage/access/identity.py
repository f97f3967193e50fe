"""Who somebody is by the word of an OpenID Connect provider, and what may go wrong on the way.

What asks the provider is in :mod:`.oidc`, which brings libraries along that nobody else needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


class Unavailable(Exception):
    """The provider does not answer, or answers with an error."""


class Refused(Exception):
    """What came from the provider does not prove who somebody is; the text is for the log."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that began at this browser and has not come back; kept in its session."""

    state: str
    nonce: str
    verifier: str
    # Seconds since 1970.
    began: float
    # Somebody who is signed in proves it again: the provider must ask, not remember.
    is_proof: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as the provider proves it."""

    issuer: str
    subject: str
    # Empty where the provider does not vouch for it.
    email: str
    name: str
    groups: frozenset[str]
    id_token: str = field(repr=False)
    # The provider's own session; None where it names none.
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Logout:
    """The provider's word that somebody's session there has ended, or all of them."""

    issuer: str
    # Empty where only the session is named.
    subject: str
    # None for every session of the subject.
    session: str | None
    # Sign-ins that began later are none of it.
    began_before: datetime
