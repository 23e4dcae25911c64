"""A client of an identity provider: authlib's, held to what this program decides.

authlib checks signature, issuer, time, nonce and the authorised party. Checked here beside it: the
discovery document and the keys (``discovery``), the bounds of each request (``asking``), the audience, the
issuer that an answer names (RFC 9207), and the state before anybody is asked anything.
"""

from __future__ import annotations

import time
from hmac import compare_digest
from typing import Any

from authlib.integrations.base_client.errors import MismatchingStateError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from flask import request, session
from joserfc.errors import InvalidClaimError
from requests import RequestException

from auth.provider.asking import BoundedSession
from auth.provider.discovery import checked_keys, checked_parts

KNOWN_SECONDS = 3600
"""How long a provider's description of itself stands before it is read again."""
AGAIN_SECONDS = 60
"""Pause before it is read again after that failed; the former one stands meanwhile."""
BEGUN_AT_ONCE = 3
"""Sign-ins that one browser may have begun and not ended: their states lie in its cookie of 4 KB."""


class CheckedClient(FlaskOAuth2App):
    """Client of one provider."""

    client_cls: Any = BoundedSession

    def __init__(self, framework: Any, name: str, *, issuer: str, **named: Any) -> None:
        super().__init__(framework, name, **named)
        self.issuer = issuer
        self.description = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        self.described: dict[str, Any] = {}
        self.read_at = float("-inf")
        self.keys: dict[str, Any] = {"keys": []}

    def forget(self) -> None:
        """Has the provider's description and keys read again before they are next used."""
        self.described, self.read_at, self.keys = {}, float("-inf"), {"keys": []}

    def load_server_metadata(self) -> dict[str, Any]:
        """The provider's description of itself. Raises RequestException, ValueError; not where an older
        one is known."""
        if time.monotonic() < self.read_at + KNOWN_SECONDS:
            return self.described
        try:
            self.described = checked_parts(self.issuer, self._read(self.description))
            self.read_at = time.monotonic()
        except (RequestException, ValueError, RecursionError):
            if not self.described:
                raise
            self.read_at = time.monotonic() - KNOWN_SECONDS + AGAIN_SECONDS
        return self.described

    def fetch_jwk_set(self, force: bool = False) -> dict[str, Any]:
        """The provider's keys. Raises RequestException, ValueError."""
        if force or not self.keys["keys"]:
            self.keys = checked_keys(self._read(self.load_server_metadata()["jwks_uri"]))
        return self.keys

    def _read(self, url: str) -> Any:
        """JSON of an address of the provider's. Raises requests' errors."""
        with BoundedSession() as provider:
            answer = provider.request("GET", url, withhold_token=True)
            answer.raise_for_status()
            return answer.json()

    def save_authorize_data(self, **given: Any) -> None:
        """Remembers a sign-in that begins, and forgets the oldest where the browser has begun many."""
        begun = [key for key in session if key.startswith("_state_")]
        begun.sort(key=lambda key: session[key].get("exp", 0))
        for key in begun[: len(begun) + 1 - BEGUN_AT_ONCE] if len(begun) >= BEGUN_AT_ONCE else []:
            session.pop(key)
        super().save_authorize_data(**{k: v for k, v in given.items() if k != "url"})

    def authorize_access_token(self, **named: Any) -> dict[str, Any]:
        """The provider's answer to the code that a browser brings back. Raises AuthlibBaseError, JoseError,
        RequestException, and ValueError or its like for what is no answer."""
        state = request.args.get("state", "")
        if self.framework.get_state_data(session, state) is None:
            raise MismatchingStateError()
        self._check_issuer(request.args.get("iss"))
        # The keys of today: not every provider names its keys, by which a new one would be known.
        self.fetch_jwk_set(force=True)
        token: dict[str, Any] = super().authorize_access_token(**named)
        return token

    def parse_id_token(self, *given: Any, **named: Any) -> Any:
        """Claims of an ID token that was made for this client. Raises JoseError."""
        claims: Any = super().parse_id_token(*given, **named)
        audience = claims.get("aud")
        if self.client_id not in (audience if isinstance(audience, list) else [audience]):
            raise InvalidClaimError("aud")  # authlib takes an authorised party for it
        return claims

    def _check_issuer(self, named: str | None) -> None:
        metadata = self.load_server_metadata()
        must = metadata["authorization_response_iss_parameter_supported"]
        if (named is None and must) or (
            named is not None and not compare_digest(named.encode(), metadata["issuer"].encode())
        ):
            raise MismatchingStateError(description="the answer is that of another issuer")


class CheckedClients(OAuth):
    """Clients of all providers."""

    oauth2_client_cls: Any = CheckedClient
