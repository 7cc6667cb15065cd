"""OpenID Connect: the code flow with PKCE, state and nonce. What the provider says of itself is read from its own description.

An ID token counts only if it is signed by a key of the provider, for us, for this sign-in, and not over.
"""

import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, unquote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, EngineAwayError, SignInRefusedError
from entrepot.base.late import Late
from entrepot.partners.identity.port import Identity

if TYPE_CHECKING:
    import aiohttp
    from joserfc import errors, jwk, jwt
else:
    aiohttp = Late("aiohttp")
    errors, jwk, jwt = Late("joserfc.errors"), Late("joserfc.jwk"), Late("joserfc.jwt")

ROLE = "identity provider"
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LEEWAY_SECONDS = 60

_SECONDS_MAX = 1 << 36  # far beyond any moment that a calendar has, and small enough to reckon with

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_OK = 200
_REFUSED = range(400, 500)


class _Described(Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery), as far as we ask."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Told(Struct, frozen=True):
    id_token: str


class OidcProvider:
    """A provider by its URL: ``https://<client id>:<client secret>@<issuer>``."""

    def __init__(self, name: str, url: str) -> None:
        parts = urlsplit(url)
        plain = parts.hostname in _LOOPBACK
        if not parts.username or not parts.hostname or parts.scheme not in ({"https", "http"} if plain else {"https"}):
            raise BadInputError(
                f"ENTREPOT_OIDC_{name.upper()}_URL is no provider's: give https://<client id>:<client secret>@<issuer>."
            )
        self._name, self._id, self._secret = name, unquote(parts.username), unquote(parts.password or "")
        self._issuer = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._described: _Described | None = None
        self._keys: jwk.KeySet | None = None
        self._until = 0.0
        self._http: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        """What it is called here."""
        return self._name

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()

    async def address(self, *, back: str, state: str, nonce: str, verifier: str, anew: bool = False) -> str:
        """Return where somebody is sent to say who they are."""
        described, _ = await self._known()
        asked = {
            "response_type": "code",
            "client_id": self._id,
            "redirect_uri": back,
            "scope": "openid email",
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "max_age": str(int(limits.PROVIDER_SECONDS)),
            **({"prompt": "login"} if anew else {}),
        }
        joint = "&" if urlsplit(described.authorization_endpoint).query else "?"
        return f"{described.authorization_endpoint}{joint}{urlencode(asked)}"

    async def identity(self, code: str, *, back: str, nonce: str, verifier: str) -> Identity:
        """Return who came back with this code."""
        described, _ = await self._known()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        answer = await self._asked("POST", described.token_endpoint, form, self._basic())
        try:
            told = msgspec.json.decode(answer, type=_Told)
        except msgspec.MsgspecError as error:
            raise SignInRefusedError from error
        claims = await self._claims(told.id_token)
        if claims.get("nonce") != nonce or not isinstance(claims.get("sub"), str):
            raise SignInRefusedError
        email = claims.get("email") if claims.get("email_verified") is True else ""
        return Identity(subject=str(claims["sub"]), email=str(email or ""), proved_at=_proved_at(claims))

    def _basic(self) -> str:
        """Return how we say who we are (RFC 6749, 2.3.1: written as in a form, before they are joined)."""
        return "Basic " + base64.b64encode(f"{quote_plus(self._id)}:{quote_plus(self._secret)}".encode()).decode()

    async def _claims(self, token: str) -> dict[str, Any]:
        """Return what an ID token says; a key that is not known may be a new one, and is asked for once."""
        for fresh in (False, True):
            described, keys = await self._known(fresh=fresh)
            try:
                claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            except (errors.JoseError, ValueError) as error:
                if fresh:
                    raise SignInRefusedError from error
                continue
            registry = jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": described.issuer},
                aud={"essential": True, "value": self._id},
                exp={"essential": True},
                iat={"essential": True},
            )
            try:
                registry.validate(claims)
            except (errors.JoseError, ValueError) as error:
                raise SignInRefusedError from error
            several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
            if claims.get("azp", None if several else self._id) != self._id:
                raise SignInRefusedError
            return dict(claims)
        raise SignInRefusedError

    async def _known(self, *, fresh: bool = False) -> "tuple[_Described, jwk.KeySet]":
        now = time.monotonic()
        if self._described is None or self._keys is None or fresh or now > self._until:
            try:
                raw = await self._asked("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
                described = msgspec.json.decode(raw, type=_Described)
                keys = jwk.KeySet.import_key_set(msgspec.json.decode(await self._asked("GET", described.jwks_uri)))
            except (msgspec.MsgspecError, errors.JoseError, ValueError) as error:
                raise EngineAwayError(ROLE, f"{self._name} describes itself in a way that cannot be read") from error
            if described.issuer.rstrip("/") != self._issuer.rstrip("/"):
                raise EngineAwayError(ROLE, f"{self._name} calls itself otherwise than it is addressed")
            self._described, self._keys, self._until = described, keys, now + limits.OIDC_KEYS_SECONDS
        return self._described, self._keys

    async def _asked(self, method: str, url: str, form: dict[str, str] | None = None, authorization: str = "") -> bytes:
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(limits.OIDC_SECONDS_MAX))
        headers = {"Authorization": authorization} if authorization else {}
        try:
            async with self._http.request(method, url, data=form, headers=headers, allow_redirects=False) as answer:
                body = bytearray()
                async for part in answer.content.iter_chunked(1 << 14):
                    body += part
                    if len(body) > limits.OIDC_ANSWER_BYTES_MAX:
                        raise EngineAwayError(ROLE, "its answer has no end")
                if method == "POST" and answer.status in _REFUSED:
                    raise SignInRefusedError  # the code is not good, or not ours
                if answer.status != _OK:
                    raise EngineAwayError(ROLE, f"it answered {answer.status}")
                return bytes(body)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise EngineAwayError(ROLE, str(error) or type(error).__name__) from error


def _proved_at(claims: dict[str, Any]) -> int:
    """Return when somebody proved who they are.

    A provider that does not say it, as it must once a ``max_age`` is asked for, is taken to have asked when it wrote its token.
    """
    told = claims.get("auth_time", claims["iat"])
    if not isinstance(told, int) or not 0 <= told <= _SECONDS_MAX:
        raise SignInRefusedError
    return told


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
