"""A stand-in for an OpenID Connect provider: discovery, keys, codes, tokens and userinfo.

It checks what a provider checks: the client, its secret, PKCE, the redirect address, and that a
code is used once.  ``claims`` are what it says of whoever signs in; ``forge`` may change a token
before it leaves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from statuspage.core import clock

CLIENT, SECRET = "status-page", "a secret of the provider's"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


class FakeProvider:
    """The server; ``asked`` are the authorization requests that came."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "one", "alg": "ES256", "use": "sig"})
        self.claims: dict[str, Any] = {
            "sub": "248289761001",
            "email": "kim@example.com",
            "email_verified": True,
            "name": "Kim",
            "groups": [],
        }
        self.userinfo: dict[str, Any] = {}
        self.said: dict[str, Any] = {}
        self.forge: Callable[[dict[str, Any]], str] = self.sign
        self.asked: list[dict[str, str]] = []
        self.redeemed: list[dict[str, str]] = []
        # What was kept of a provider before, at the same port, is not this one's.
        self._realm = secrets.token_hex(8)
        self._codes: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                path = parts.path.removeprefix(f"/{fake._realm}")
                found = fake.get(path, dict(parse_qsl(parts.query)))
                if isinstance(found, str):
                    self.send_response(302)
                    self.send_header("Location", found)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.answer(404 if found is None else 200, found or {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.answer(
                    *fake.redeem(dict(parse_qsl(body)), self.headers.get("Authorization", ""))
                )

            def answer(self, status: int, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{self._realm}"

    def get(self, path: str, query: dict[str, str]) -> dict[str, Any] | str | None:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "end_session_endpoint": f"{self.issuer}/end",
                "jwks_uri": f"{self.issuer}/keys",
                **self.said,
            }
        if path == "/keys":
            return KeySet([self.key]).as_dict(private=False)
        if path == "/userinfo":
            return {"sub": self.claims["sub"], **self.userinfo}
        return self.authorize(query) if path == "/authorize" else None

    def authorize(self, query: dict[str, str]) -> str:
        """Somebody signs in; returns where their browser is sent."""
        self.asked.append(query)
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        self.redeemed.append(form)
        asked = self._codes.pop(form.get("code", ""), None)
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != basic:
            return 401, {"error": "invalid_client"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["code_challenge_method"] != "S256"
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        token = self.forge(self.id_claims(asked["nonce"]))
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": token}

    def id_claims(self, nonce: str) -> dict[str, Any]:
        """What an ID token says."""
        now = int(clock.now().timestamp())
        return {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": nonce,
            **self.claims,
        }

    def logout_claims(self) -> dict[str, Any]:
        """What a logout token says: that the session of whoever signed in has ended."""
        now = int(clock.now().timestamp())
        return {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 120,
            "jti": "one",
            "sub": self.claims["sub"],
            "sid": "of Kim's laptop",
            "events": {LOGOUT: {}},
        }

    def sign_logout(self, claims: dict[str, Any]) -> str:
        """A logout token as the provider makes it."""
        return self.sign(claims, typ="logout+jwt")

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """An ID token as the provider makes it."""
        return jwt.encode({"alg": "ES256", "kid": "one", **header}, claims, self.key)
