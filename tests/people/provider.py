"""A small OpenID Connect provider on loopback: whoever is chosen in `says` logs in, with a signed token."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "scviz", "a-secret-of-the-test"


class Provider:
    """What it says of the next person who logs in, and whom it was asked for."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.says: dict[str, Any] = {"sub": "ada"}
        self.logged_out = 0
        self._key = RSAKey.generate_key(2048, parameters={"kid": "one"})
        self._nonces: dict[str, str] = {}

    def answer(self, path: str, query: dict[str, str]) -> tuple[str, Any]:
        """Return a place to go to, or JSON."""
        if path == "/.well-known/openid-configuration":
            places = {
                "authorization_endpoint": "authorize",
                "token_endpoint": "token",
                "jwks_uri": "keys",
                "end_session_endpoint": "logout",
            }
            found = {name: f"{self.issuer}/{place}" for name, place in places.items()}
            return "json", {
                **found,
                "issuer": self.issuer,
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        if path == "/keys":
            return "json", {"keys": [self._key.as_dict(private=False)]}
        if path == "/authorize":
            code = f"code-{len(self._nonces)}"
            self._nonces[code] = query.get("nonce", "")
            back = urlencode({"code": code, "state": query["state"]})
            return "go", f"{query['redirect_uri']}?{back}"
        if path == "/logout":
            self.logged_out += 1
            return "go", query["post_logout_redirect_uri"]
        return "json", {}

    def token(self, code: str) -> dict[str, Any]:
        """Return the token of a login."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 600,
            "nonce": self._nonces[code],
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, {**claims, **self.says}, self._key)
        return {"access_token": "none", "token_type": "Bearer", "expires_in": 600, "id_token": signed}


@contextmanager
def provider() -> Iterator[Provider]:
    """Run a provider."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            kind, what = here.answer(parts.path, query)
            if kind == "go":
                self.send_response(302)
                self.send_header("Location", what)
                self.end_headers()
            else:
                self._json(what)

        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._json(here.token(asked["code"][0]))

        def _json(self, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
