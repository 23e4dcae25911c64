"""Sign-in with an organisation's identity provider, by OpenID Connect: code flow, PKCE, state and nonce."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from cryptography.exceptions import UnsupportedAlgorithm
from flask import Flask, current_app, request, session
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError
from sqlalchemy import Engine

from auth.accounts import Account
from auth.joining import invitations
from auth.provider import linking, roles
from auth.provider.client import CheckedClients
from auth.provider.linking import ProviderRefused, Vouched
from settings import Settings
from web.guard import local_target
from web.people import entry
from web.people.inviting import PATH
from web.problem import Problem

SESSION_KEY = "signed_in_by"
UNREACHABLE = "The identity provider does not answer as it should. Try again in a moment."
NO_ANSWER = (AuthlibBaseError, JoseError, ValueError, TypeError, LookupError, AttributeError,
             ArithmeticError, UnsupportedAlgorithm)  # fmt: skip
"""Errors of reading what is no answer of a provider: it comes from the network, and may be anything."""


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers that the operator has named, and what becomes of those whom they vouch for."""

    settings: Settings
    jobs: Callable[[], Engine]
    oauth: Any

    @classmethod
    def on(cls, app: Flask, settings: Settings, jobs: Callable[[], Engine]) -> Providers:
        """Registers each; their discovery documents are fetched when somebody first signs in."""
        oauth: Any = CheckedClients(app)
        for name, provider in settings.oidc_providers.items():
            oauth.register(
                name,
                issuer=provider.issuer,
                client_id=provider.client_id,
                client_secret=provider.client_secret,
                client_kwargs={
                    "scope": "openid email profile",
                    "code_challenge_method": "S256",
                },
            )
        return cls(settings, jobs, oauth)

    @property
    def choices(self) -> dict[str, str]:
        """Title of each provider by its name."""
        return {name: p.title or name for name, p in self.settings.oidc_providers.items()}

    def client(self, name: str) -> Any:
        """Client of a provider. Raises Problem 404."""
        if name not in self.settings.oidc_providers:
            raise Problem(404)
        return self.oauth.create_client(name)

    def begin(self, name: str) -> ResponseReturnValue:
        """Sends the person to the provider. Raises ProviderRefused where it does not answer."""
        session["sign_in_next"] = local_target(request.args.get("next"))
        back = f"{self.settings.address}/sign-in/{name}/callback"
        try:
            answer: ResponseReturnValue = self.client(name).authorize_redirect(back)
        except (requests.RequestException, ValueError, RuntimeError) as error:
            raise _unreachable(name, error) from error
        return answer

    def finish(self, name: str) -> str:
        """Signs the person in who comes back from the provider; where they go on to. Raises
        ProviderRefused."""
        token = self._exchange_code(name)
        claims: Mapping[str, Any] = token.get("userinfo") or {}
        target = str(session.get("sign_in_next", "/"))
        account = self._account_of_claims(name, claims, target)
        entry.enter(self.jobs(), account, name)
        session[SESSION_KEY] = {"name": name, "id_token": token.get("id_token")}
        return target

    def _exchange_code(self, name: str) -> Mapping[str, Any]:
        """Answer to the code. State, nonce, PKCE, signature, issuer, audience and time are checked."""
        try:
            token: Mapping[str, Any] = self.client(name).authorize_access_token()
        except requests.RequestException as error:
            raise _unreachable(name, error) from error
        except NO_ANSWER as error:
            current_app.logger.warning("a sign-in with %s failed: %s", name, error)
            raise ProviderRefused("The sign-in was not completed. Try again.") from error
        except RuntimeError as error:
            raise _unreachable(name, error) from error
        return token

    def _account_of_claims(self, name: str, claims: Mapping[str, Any], target: str) -> Account:
        """The account of whoever the claims mean, with the roles of their groups; made for whoever comes
        from the link of their invitation. Raises ProviderRefused; what is refused is noted."""
        jobs, settings = self.jobs(), self.settings
        issuer = settings.oidc_providers[name].issuer
        try:
            vouched = Vouched.of(issuer, claims)
            link = target.removeprefix(PATH)
            creates = settings.oidc_create_accounts or invitations.is_for(jobs, link, vouched.email)
            account = linking.account_of(jobs, vouched, creates=creates)
        except ProviderRefused as error:
            entry.refuse(jobs, linking.claim_text(claims.get("email")) or name, name, str(error))
            raise
        groups = claims.get(settings.oidc_groups_claim)
        own = [g for g in groups if isinstance(g, str)] if isinstance(groups, list) else []
        roles.apply(jobs, account, settings.oidc_groups, own, f"provider:{name}")
        return account

    def sign_out_address(self) -> str | None:
        """Where the provider ends its own session, for whoever came by one that says so."""
        came_by = session.get(SESSION_KEY) or {}
        name = came_by.get("name")
        if name not in self.settings.oidc_providers:
            return None
        client = self.client(name)
        try:
            ends_at = client.load_server_metadata().get("end_session_endpoint")
        except (requests.RequestException, ValueError, RuntimeError) as error:
            current_app.logger.warning("provider %s does not answer: %s", name, error)
            return None
        if ends_at is None:
            return None
        given = {
            "id_token_hint": came_by.get("id_token"),
            "client_id": client.client_id,
            "post_logout_redirect_uri": f"{self.settings.address}/login",
        }
        query = urlencode({key: value for key, value in given.items() if value})
        return f"{ends_at}{'&' if urlsplit(ends_at).query else '?'}{query}"


def _unreachable(name: str, error: Exception) -> ProviderRefused:
    current_app.logger.warning("provider %s does not answer", name, exc_info=error)
    return ProviderRefused(UNREACHABLE)
