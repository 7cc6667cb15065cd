"""A provider of identities for tests, over real HTTP: OpenID Connect's code flow with PKCE and signed ID tokens."""

import base64
import hashlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "entrepot", "only-for-tests"


class Provider:
    """Says of everybody that they are ``subject``; ``claims`` are put over what an ID token would say."""

    def __init__(self) -> None:
        self.address, self.subject, self.email = "", "mailbox-7", "grace@example.com"
        self.claims: dict[str, Any] = {}
        self.key = ECKey.generate_key("P-256", {"kid": "one"})
        self._asked: dict[str, dict[str, str]] = {}

    async def describe(self, _: web.Request) -> web.Response:
        """Answer what the provider says of itself."""
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return web.json_response({"issuer": self.address, **{k: f"{self.address}/{v}" for k, v in ends.items()}})

    async def keys(self, _: web.Request) -> web.Response:
        """Answer the public keys."""
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: web.Request) -> web.Response:
        """Send the browser back with a code: whoever asks is let in."""
        code, asked = os.urandom(8).hex(), dict(request.query)
        self._asked[code] = asked
        raise web.HTTPFound(f"{asked['redirect_uri']}?code={code}&state={asked['state']}")

    async def token(self, request: web.Request) -> web.Response:
        """Give the ID token for a code, once, to who began."""
        form = await request.post()
        asked = self._asked.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or asked["code_challenge"] != challenge or request.headers["Authorization"] != f"Basic {basic}":
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {"iss": self.address, "aud": CLIENT, "sub": self.subject, "iat": now, "exp": now + 60}
        claims |= {"nonce": asked["nonce"], "email": self.email, "email_verified": True, **self.claims}
        return web.json_response({"id_token": jwt.encode({"alg": "ES256", "kid": "one"}, claims, self.key)})


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """Serve a provider on a port of this machine."""
    one, app = Provider(), web.Application()
    app.router.add_get("/.well-known/openid-configuration", one.describe)
    app.router.add_get("/keys", one.keys)
    app.router.add_get("/authorize", one.authorize)
    app.router.add_post("/token", one.token)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()
