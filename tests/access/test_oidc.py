"""What is believed of a provider, and what is not."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from time_machine import Traveller

from statuspage.access import oidc
from statuspage.access.identity import Identity, Logout, Pending, Refused, Unavailable
from statuspage.core.config import Settings, load_settings
from tests.factories import NOON
from tests.fakes.oidc import CLIENT, LOGOUT, SECRET, FakeProvider

BACK = "https://status.example.com/admin/sso/callback"
Forgery = Callable[[FakeProvider, dict[str, Any]], str]


@pytest.fixture
def provider(frozen: Traveller) -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture
def settings(provider: FakeProvider, tmp_path: Any) -> Settings:
    return load_settings(
        {
            "DATA_DIR": str(tmp_path),
            "OIDC_ISSUER": provider.issuer,
            "OIDC_CLIENT_ID": CLIENT,
            "OIDC_CLIENT_SECRET": SECRET,
        }
    )


def begin(settings: Settings, provider: FakeProvider, **options: Any) -> tuple[dict, Pending]:
    """Go to the provider, and come back with what it says."""
    url, pending = oidc.begin(settings, redirect_to=BACK, **options)
    back = provider.authorize(dict(parse_qsl(urlsplit(url).query)))
    return dict(parse_qsl(urlsplit(back).query)), pending


def sign_in(settings: Settings, provider: FakeProvider, **options: Any) -> Identity:
    answer, pending = begin(settings, provider, **options)
    return oidc.finish(settings, answer, pending, redirect_to=BACK)


def test_who_comes_back_is_who_the_provider_says(
    settings: Settings, provider: FakeProvider
) -> None:
    provider.claims["groups"] = ["On call", "Comms"]
    found = sign_in(settings, provider)
    assert (found.issuer, found.subject) == (provider.issuer, "248289761001")
    assert (found.email, found.name) == ("kim@example.com", "Kim")
    assert found.groups == {"On call", "Comms"}


def test_what_is_asked_has_state_nonce_and_a_challenge(
    settings: Settings, provider: FakeProvider
) -> None:
    url, pending = oidc.begin(settings, redirect_to=BACK)
    asked = dict(parse_qsl(urlsplit(url).query))
    assert (asked["state"], asked["nonce"]) == (pending.state, pending.nonce)
    assert asked["code_challenge_method"] == "S256"
    assert pending.verifier not in url
    assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT, BACK)
    assert (asked["response_type"], asked["scope"]) == ("code", "openid email profile")


def test_claims_that_only_the_userinfo_endpoint_gives_are_asked_for(
    settings: Settings, provider: FakeProvider
) -> None:
    del provider.claims["groups"], provider.claims["email"]
    provider.userinfo = {"email": "dana@example.com", "groups": ["Comms"]}
    found = sign_in(settings, provider)
    assert (found.email, found.groups) == ("dana@example.com", {"Comms"})
    provider.userinfo["sub"] = "somebody else"
    with pytest.raises(Refused, match="speaks of somebody else"):
        sign_in(settings, provider)


def test_an_address_that_the_provider_does_not_vouch_for_is_none(
    settings: Settings, provider: FakeProvider
) -> None:
    provider.claims["email_verified"] = False
    assert sign_in(settings, provider).email == ""
    trusting = replace(settings, oidc_trust_email=True)
    assert sign_in(trusting, provider).email == "kim@example.com"


def _changed(provider: FakeProvider, claims: dict[str, Any]) -> str:
    head, _, signature = provider.sign(claims).split(".")
    return f"{head}.{_coded(json.dumps(claims | {'sub': 'the boss'}).encode())}.{signature}"


def _unsigned(_: FakeProvider, claims: dict[str, Any]) -> str:
    return _by_hand(claims, alg="none") + "."


def _by_our_secret(_: FakeProvider, claims: dict[str, Any]) -> str:
    return _by_hand(claims, alg="HS256", secret=SECRET.encode())


def _by_the_public_key(provider: FakeProvider, claims: dict[str, Any]) -> str:
    return _by_hand(claims, alg="HS256", secret=provider.key.as_pem(private=False))


def _by_hand(claims: dict[str, Any], *, alg: str, secret: bytes = b"") -> str:
    """A token that no library makes."""
    parts = (json.dumps(part).encode() for part in ({"alg": alg, "kid": "one"}, claims))
    signed = ".".join(map(_coded, parts))
    if not secret:
        return signed
    return f"{signed}.{_coded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _by_another_key(_: FakeProvider, claims: dict[str, Any]) -> str:
    other = ECKey.generate_key("P-256", {"kid": "one"})
    return jwt.encode({"alg": "ES256", "kid": "one"}, claims, other)


def _by_a_key_it_brings(_: FakeProvider, claims: dict[str, Any]) -> str:
    own = ECKey.generate_key("P-256", {"kid": "mine"})
    header = {"alg": "ES256", "kid": "mine", "jwk": own.as_dict(private=False)}
    return jwt.encode(header, claims, own)


def _with(**changes: Any) -> Forgery:
    def forge(provider: FakeProvider, claims: dict[str, Any]) -> str:
        moved = {
            name: claims["iat"] + value if name in {"exp", "iat", "nbf"} else value
            for name, value in changes.items()
        }
        return provider.sign(claims | moved)

    return forge


FORGERIES: dict[str, Forgery] = {
    "changed after it was signed": _changed,
    "not signed": _unsigned,
    "signed with our secret": _by_our_secret,
    "signed with the public key as a secret": _by_the_public_key,
    "signed with another key": _by_another_key,
    "signed with a key that it brings": _by_a_key_it_brings,
    "of another issuer": _with(iss="https://evil.example.com"),
    "for another client": _with(aud="another-client"),
    "for several clients, issued to another": _with(aud=[CLIENT, "b"], azp="b"),
    "expired": _with(exp=-61),
    "issued long ago": _with(iat=-700),
    "issued in the future": _with(iat=61),
    "not valid yet": _with(nbf=61),
    "of another sign-in": _with(nonce="another"),
    "about nobody": _with(sub=""),
    "without an end": lambda provider, claims: provider.sign(claims | {"exp": True}),
    "of another kind": lambda provider, claims: provider.sign(claims, typ="logout+jwt"),
    "no token": lambda _, __: "nonsense",
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_token_is_refused(settings: Settings, provider: FakeProvider, kind: str) -> None:
    provider.forge = lambda claims: FORGERIES[kind](provider, claims)
    with pytest.raises(Refused):
        sign_in(settings, provider)


def test_clocks_may_differ_by_a_minute(settings: Settings, provider: FakeProvider) -> None:
    for forge in (_with(exp=-59), _with(iat=59), _with(nbf=59)):
        provider.forge = lambda claims, forge=forge: forge(provider, claims)
        assert sign_in(settings, provider).subject == "248289761001"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "another"}, "an answer to another sign-in"),
        ({"iss": "https://evil.example.com"}, "from another issuer"),
        ({"error": "access_denied"}, "access_denied"),
        ({"code": ""}, "nothing"),
        ({"code": "guessed"}, "invalid_grant"),
    ],
)
def test_an_answer_is_refused(
    settings: Settings, provider: FakeProvider, change: dict[str, str], reason: str
) -> None:
    answer, pending = begin(settings, provider)
    with pytest.raises(Refused, match=reason):
        oidc.finish(settings, answer | change, pending, redirect_to=BACK)


def test_an_answer_that_took_too_long_is_refused(
    settings: Settings, provider: FakeProvider, frozen: Traveller
) -> None:
    answer, pending = begin(settings, provider)
    frozen.shift(timedelta(minutes=10, seconds=1))
    with pytest.raises(Refused, match="too late"):
        oidc.finish(settings, answer, pending, redirect_to=BACK)


def test_a_proof_takes_that_the_provider_asked_again(
    settings: Settings, provider: FakeProvider
) -> None:
    assert sign_in(settings, provider, is_proof=True).subject == "248289761001"
    assert provider.asked[-1].items() >= {"prompt": "login", "max_age": "0"}.items()
    provider.claims["auth_time"] = provider.id_claims("")["iat"] - 3600
    with pytest.raises(Refused, match="did not ask again"):
        sign_in(settings, provider, is_proof=True)


def test_the_authentication_context_can_be_required(
    settings: Settings, provider: FakeProvider
) -> None:
    strict = replace(settings, oidc_acr=("mfa", "phr"))
    with pytest.raises(Refused, match="another authentication context"):
        sign_in(strict, provider)
    provider.claims["acr"] = "phr"
    assert sign_in(strict, provider).subject == "248289761001"
    assert provider.asked[-1]["acr_values"] == "mfa phr"


def test_a_new_key_of_the_provider_is_fetched_once_a_minute(
    settings: Settings, provider: FakeProvider, frozen: Traveller
) -> None:
    sign_in(settings, provider)
    provider.key = ECKey.generate_key("P-256", {"kid": "two", "alg": "ES256", "use": "sig"})
    provider.forge = lambda claims: provider.sign(claims, kid="two")
    with pytest.raises(Refused, match="signature"):
        sign_in(settings, provider)
    frozen.shift(timedelta(minutes=1))
    assert sign_in(settings, provider).subject == "248289761001"


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example.com"},
        {"token_endpoint": "http://evil.example.com/token"},
        {"jwks_uri": None},
        {"issuer": None},
    ],
)
def test_a_provider_that_is_another_is_refused(
    settings: Settings, provider: FakeProvider, said: dict[str, Any]
) -> None:
    provider.said = said
    with pytest.raises(Refused):
        oidc.begin(settings, redirect_to=BACK)


def test_no_redirect_is_followed(settings: Settings, provider: FakeProvider) -> None:
    there = urlencode({"state": "a", "redirect_uri": f"{provider.issuer}/keys"})
    provider.said = {"jwks_uri": f"{provider.issuer}/authorize?{there}"}
    with pytest.raises(Unavailable, match="answered 302"):
        oidc.begin(settings, redirect_to=BACK)


def test_a_provider_that_is_away_is_told_apart(settings: Settings, provider: FakeProvider) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        away = replace(settings, oidc_issuer=f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(Unavailable):
            oidc.begin(away, redirect_to=BACK)
        assert oidc.sign_out_address(away, "token", back_to=BACK) is None


def test_a_provider_that_is_away_is_not_asked_again_by_everybody(
    settings: Settings, provider: FakeProvider, frozen: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(settings, provider)
    asked: list[str] = []

    def away(issuer: str) -> NoReturn:
        asked.append(issuer)
        raise Unavailable("timed out")

    monkeypatch.setattr(oidc, "_read_provider", away)
    for later, errors in (
        # Its keys are read again, and then those that are known count.
        (timedelta(minutes=1), (Unavailable, Refused, Refused)),
        (timedelta(hours=1), (Unavailable, Unavailable)),
    ):
        frozen.shift(later)
        for error in errors:
            with pytest.raises(error):
                oidc.read_logout(settings, "no.logout.token")
    assert asked == [provider.issuer] * 2


def test_an_answer_that_is_cut_off_is_none(settings: Settings) -> None:
    def cut_off(server: socket.socket) -> None:
        client, _ = server.accept()
        with client:
            client.recv(10_000)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=cut_off, args=(server,), daemon=True).start()
        cut = replace(settings, oidc_issuer=f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(Unavailable):
            oidc.begin(cut, redirect_to=BACK)


def test_signing_out_at_the_provider_names_the_token(
    settings: Settings, provider: FakeProvider, frozen: Traveller
) -> None:
    url = oidc.sign_out_address(settings, "token", back_to="https://status.example.com/admin/login")
    assert dict(parse_qsl(urlsplit(url or "").query)) == {
        "id_token_hint": "token",
        "client_id": CLIENT,
        "post_logout_redirect_uri": "https://status.example.com/admin/login",
    }
    provider.said = {"end_session_endpoint": None}
    frozen.shift(timedelta(hours=1))
    assert oidc.sign_out_address(settings, "token", back_to=BACK) is None


def test_a_logout_token_says_whose_session_has_ended(
    settings: Settings, provider: FakeProvider
) -> None:
    claims, soon = provider.logout_claims(), NOON + timedelta(minutes=1)
    said = Logout(provider.issuer, "248289761001", "of Kim's laptop", soon)
    assert oidc.read_logout(settings, provider.sign_logout(claims)) == said
    of_everywhere = provider.sign_logout({**claims, "sid": None})
    assert oidc.read_logout(settings, of_everywhere) == replace(said, session=None)


LOGOUT_FORGERIES = {
    kind: forge
    for kind, forge in FORGERIES.items()
    if kind not in {"about nobody", "of another kind"}
} | {
    "an ID token": lambda provider, _: provider.sign(provider.id_claims("of a sign-in")),
    "an ID token that ends a session": lambda provider, claims: provider.sign(
        provider.id_claims("of a sign-in") | claims
    ),
    "about another event": _with(events={f"{LOGOUT}s": {}}),
    "about an event that is no object": _with(events={LOGOUT: True}),
    "without a name of its own": _with(jti=None),
    "about nobody": _with(sub="", sid=""),
    "of another kind": lambda provider, claims: provider.sign(claims, typ="at+jwt"),
    "of no kind": lambda provider, claims: provider.sign(claims, typ="JWT"),
}


@pytest.mark.parametrize("kind", LOGOUT_FORGERIES)
def test_a_logout_token_is_refused(settings: Settings, provider: FakeProvider, kind: str) -> None:
    sign = provider.sign
    provider.sign = lambda claims, **header: sign(claims, **{"typ": "logout+jwt"} | header)  # type: ignore[method-assign]
    forged = LOGOUT_FORGERIES[kind](provider, provider.logout_claims())
    with pytest.raises(Refused):
        oidc.read_logout(settings, forged)
