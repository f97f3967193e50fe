"""Single sign-on by OpenID Connect: what a provider says of somebody, and whether to believe it.

The code flow with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9700).  Where
anything is missing or differs from what was agreed, nobody is let in: every function here returns a
proven value or raises.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from statuspage.access.identity import Identity, Logout, Pending, Refused, Unavailable
from statuspage.core import clock
from statuspage.core.config import Settings
from statuspage.core.fetching import FetchFailed, fetch

SKEW: Final = timedelta(seconds=60)
"""How far the provider's clock may be from ours."""
WAIT: Final = timedelta(minutes=10)
"""How long somebody may take at the provider."""

# Keys of the provider alone sign: with HS256 whoever knows our secret would, and "none" is nobody.
_ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
_SECONDS: Final = 5
_MOST_BYTES: Final = 1_000_000
_KEPT: Final = timedelta(hours=1)
_KEYS_KEPT: Final = timedelta(minutes=1)
_PAUSE: Final = timedelta(seconds=5)
_LONGEST_NAME: Final = 255
_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
_LOCAL: Final = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/|$)")


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What the provider says of itself, and the keys that it signs with."""

    issuer: str
    authorize: str
    token: str
    userinfo: str
    end_session: str
    jwks: str
    methods: tuple[str, ...]
    keys: KeySet
    read_at: datetime


_lock = Lock()
_known: dict[str, ProviderMetadata] = {}
_asked_at: dict[str, datetime] = {}


def discover(settings: Settings, *, fresh_keys: bool = False) -> ProviderMetadata:
    """The provider, as its discovery document says; read once an hour.

    ``fresh_keys`` reads it again, once a minute at most: for a key that is not known.  Raises
    :class:`Unavailable`, at once for some seconds where it did not answer: whoever asks waits
    behind one lock, and strangers can.  Raises :class:`Refused` for a document about somebody else.
    """
    issuer, moment = settings.oidc_issuer or "", clock.now()
    with _lock:
        known = _known.get(issuer)
        since_read = moment - known.read_at if known else _KEPT
        since_asked = moment - _asked_at[issuer] if issuer in _asked_at else _KEPT
        if known and (since_asked < _KEYS_KEPT if fresh_keys else since_read < _KEPT):
            return known
        if since_asked < _PAUSE:
            raise Unavailable(f"{issuer} did not answer a moment ago")
        _asked_at[issuer] = moment
        found = _known[issuer] = _read_provider(issuer)
        return found


def begin(
    settings: Settings, *, redirect_to: str, is_proof: bool = False, hint: str = ""
) -> tuple[str, Pending]:
    """Where to send a browser, and what its session must keep until it comes back.

    ``hint`` is the address of whoever is expected.  Raises :class:`Unavailable` and
    :class:`Refused`.
    """
    provider = discover(settings)
    pending = Pending(
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(64),
        clock.now().timestamp(),
        is_proof,
    )
    asked = {"nonce": pending.nonce, "response_mode": "query"}
    if is_proof:
        asked |= {"prompt": "login", "max_age": "0"}
    if hint:
        asked["login_hint"] = hint
    if settings.oidc_acr:
        asked["acr_values"] = " ".join(settings.oidc_acr)
    with _session(settings, provider, redirect_to) as client:
        url, _ = client.create_authorization_url(
            provider.authorize, state=pending.state, code_verifier=pending.verifier, **asked
        )
    return url, pending


def finish(
    settings: Settings, answer: Mapping[str, str], pending: Pending, *, redirect_to: str
) -> Identity:
    """Who came back with that answer to what was ``pending``.

    Raises :class:`Unavailable` and :class:`Refused`.
    """
    provider = discover(settings)
    _check_answer(answer, pending, provider)
    tokens = _redeem(settings, provider, answer["code"], pending, redirect_to)
    id_token = tokens.get("id_token")
    if not isinstance(id_token, str):
        raise Refused("no ID token")
    claims = read_id_token(settings, provider, id_token, pending)
    if provider.userinfo and not {"email", settings.oidc_groups_claim} <= claims.keys():
        claims = _ask_more(provider, str(tokens.get("access_token", "")), claims)
    return _identity(settings, claims, id_token)


def read_id_token(
    settings: Settings, provider: ProviderMetadata, token: str, pending: Pending
) -> dict[str, Any]:
    """The claims of an ID token that the provider signed for us and for this sign-in.

    Raises :class:`Refused` (OpenID Connect Core 1.0, 3.1.3.7).
    """
    claims = _read_token(settings, provider, token, kind="jwt")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), pending.nonce.encode()):
        raise Refused("of another sign-in")
    if not _text(claims, "sub"):
        raise Refused("about nobody")
    asked_at = pending.began - SKEW.total_seconds()
    if pending.is_proof and _seconds(claims, "auth_time") < asked_at:
        raise Refused("the provider did not ask again")
    if settings.oidc_acr and claims.get("acr") not in settings.oidc_acr:
        raise Refused("another authentication context")
    return claims


def read_logout(settings: Settings, token: str) -> Logout:
    """Whose session has ended at the provider, by its logout token.

    Raises :class:`Unavailable` and :class:`Refused` (OpenID Connect Back-Channel Logout 1.0, 2.6;
    the type that it recommends is required, as ASVS 5.0, 10.5.5, has it).  One that comes twice
    ends nothing that began after it, so none is remembered.
    """
    provider = discover(settings)
    claims = _read_token(settings, provider, token, kind="logout+jwt")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(_LOGOUT), dict):
        raise Refused("not about the end of a session")
    if "nonce" in claims:
        raise Refused("made of an ID token")
    if not _text(claims, "jti"):
        raise Refused("without a name of its own")
    subject, session = _text(claims, "sub"), _text(claims, "sid")
    if not subject and not session:
        raise Refused("about nobody")
    issued_at = datetime.fromtimestamp(_seconds(claims, "iat"), UTC)
    return Logout(provider.issuer, subject, session or None, issued_at + SKEW)


def sign_out_address(settings: Settings, id_token: str, *, back_to: str) -> str | None:
    """Where a browser signs out at the provider; None where it offers that not, or is away."""
    try:
        provider = discover(settings)
    except (Unavailable, Refused):
        return None
    if not provider.end_session:
        return None
    asked = {
        "id_token_hint": id_token,
        "client_id": settings.oidc_client_id,
        "post_logout_redirect_uri": back_to,
    }
    return requests.Request("GET", provider.end_session, params=asked).prepare().url


def _read_provider(issuer: str) -> ProviderMetadata:
    said = _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if said.get("issuer") != issuer:
        raise Refused(f"the provider calls itself {said.get('issuer')!r}, not {issuer!r}")
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    jwks = _endpoint(said, "jwks_uri", issuer)
    try:
        keys = KeySet.import_key_set(_get(jwks))  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"its keys cannot be read: {error}") from None
    return ProviderMetadata(
        issuer,
        _endpoint(said, "authorization_endpoint", issuer),
        _endpoint(said, "token_endpoint", issuer),
        _endpoint(said, "userinfo_endpoint", issuer, optional=True),
        _endpoint(said, "end_session_endpoint", issuer, optional=True),
        jwks,
        tuple(methods) if isinstance(methods, list) else (),
        keys,
        clock.now(),
    )


def _endpoint(said: Mapping[str, Any], name: str, issuer: str, *, optional: bool = False) -> str:
    """An address of the provider: by TLS, but for one on this very machine."""
    value = said.get(name)
    if value is None and optional:
        return ""
    is_safe = isinstance(value, str) and urlsplit(value).scheme == "https"
    if not is_safe and not (_LOCAL.match(issuer) and _LOCAL.match(str(value))):
        raise Refused(f"{name} is no https:// address")
    return str(value)


def _get(url: str, token: str = "") -> dict[str, Any]:
    """A JSON object of the provider's; no redirect is followed, and nothing endless is read."""
    headers = {"Accept": "application/json"} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    try:
        answer = fetch(url, headers=headers, seconds=_SECONDS, most_bytes=_MOST_BYTES)
        if answer.status != 200:
            raise Unavailable(f"{url} answered {answer.status}")
        found = json.loads(answer.body)
    except (FetchFailed, ValueError) as error:
        raise Unavailable(f"{url}: {error}") from None
    if not isinstance(found, dict):
        raise Unavailable(f"{url} answered no object")
    return found


def _session(settings: Settings, provider: ProviderMetadata, redirect_to: str) -> OAuth2Session:
    method = "none"
    if settings.oidc_client_secret:
        is_basic = "client_secret_basic" in provider.methods
        method = "client_secret_basic" if is_basic else "client_secret_post"
    return OAuth2Session(
        settings.oidc_client_id,
        settings.oidc_client_secret,
        token_endpoint_auth_method=method,
        scope=settings.oidc_scopes,
        redirect_uri=redirect_to,
        code_challenge_method="S256",
    )


def _check_answer(answer: Mapping[str, str], pending: Pending, provider: ProviderMetadata) -> None:
    if not hmac.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
        raise Refused("an answer to another sign-in")
    if clock.now().timestamp() - pending.began > WAIT.total_seconds():
        raise Refused("too late")
    # RFC 9207: a provider that names itself must be ours.
    if answer.get("iss", provider.issuer) != provider.issuer:
        raise Refused("an answer from another issuer")
    if "error" in answer or not answer.get("code"):
        raise Refused(f"the provider says {answer.get('error', 'nothing')!r}")


def _redeem(
    settings: Settings, provider: ProviderMetadata, code: str, pending: Pending, redirect_to: str
) -> Mapping[str, Any]:
    """The tokens that a code stands for."""
    try:
        with _session(settings, provider, redirect_to) as client:
            tokens: Mapping[str, Any] = client.fetch_token(
                provider.token,
                code=code,
                code_verifier=pending.verifier,
                grant_type="authorization_code",
                timeout=_SECONDS,
                allow_redirects=False,
            )
    except AuthlibBaseError as error:
        raise Refused(f"the code was refused: {error}") from None
    except (requests.RequestException, OSError, ValueError) as error:
        raise Unavailable(f"{provider.token}: {error}") from None
    return tokens


def _verify(
    settings: Settings, provider: ProviderMetadata, token: str
) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """A token's header and claims, its signature proven; keys are read again for an unknown one."""
    for fresh in (False, True):
        keys = (discover(settings, fresh_keys=True) if fresh else provider).keys
        try:
            read = jwt.decode(token, keys, algorithms=list(_ALGORITHMS))
        except (JoseError, ValueError, KeyError, TypeError) as error:
            if not fresh:
                continue
            raise Refused(f"no signature of the provider's: {error}") from None
        return read.header, dict(read.claims)
    raise Refused("no signature of the provider's")


def _read_token(
    settings: Settings, provider: ProviderMetadata, token: str, *, kind: str
) -> dict[str, Any]:
    """The claims of a token of that kind that the provider signed for us, and in time."""
    header, claims = _verify(settings, provider, token)
    now, skew = clock.now().timestamp(), SKEW.total_seconds()
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if str(header.get("typ", "JWT")).lower() != kind:
        raise Refused("another kind of token")
    if claims.get("iss") != provider.issuer:
        raise Refused("another issuer")
    if not isinstance(audiences, list) or settings.oidc_client_id not in audiences:
        raise Refused("meant for another client")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != settings.oidc_client_id:
        raise Refused("issued to another client")
    if _seconds(claims, "exp") <= now - skew:
        raise Refused("expired")
    if not now - WAIT.total_seconds() - skew <= _seconds(claims, "iat") <= now + skew:
        raise Refused("issued at another time")
    if "nbf" in claims and _seconds(claims, "nbf") > now + skew:
        raise Refused("not valid yet")
    return claims


def _text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that names somebody or something; empty where it does not."""
    value = claims.get(name)
    return value if isinstance(value, str) and len(value) <= _LONGEST_NAME else ""


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{name} is no time")
    return value


def _ask_more(provider: ProviderMetadata, token: str, claims: dict[str, Any]) -> dict[str, Any]:
    """The claims with those that the provider gives at its userinfo endpoint only."""
    more = _get(provider.userinfo, token)
    if more.get("sub") != claims["sub"]:
        raise Refused("the userinfo endpoint speaks of somebody else")
    return {**more, **claims}


def _identity(settings: Settings, claims: Mapping[str, Any], id_token: str) -> Identity:
    email, groups = claims.get("email"), claims.get(settings.oidc_groups_claim, [])
    is_trusted = claims.get("email_verified") is True or settings.oidc_trust_email
    return Identity(
        issuer=settings.oidc_issuer or "",
        subject=claims["sub"],
        email=email if isinstance(email, str) and is_trusted else "",
        name=str(claims.get("name") or claims.get("preferred_username") or ""),
        groups=frozenset(str(group) for group in groups)
        if isinstance(groups, list)
        else frozenset(),
        id_token=id_token,
        session=_text(claims, "sid") or None,
    )
