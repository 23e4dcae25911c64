"""The tests' identity provider behind a layer that lies as it is told, and the program before it, both over
HTTP on this machine.

The provider is the real one of the other tests. The layer has its own key and signs its ID tokens anew,
so that any claim and header can be forged; it holds codes to their PKCE challenge, which the provider does
not.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import flask
import requests
from joserfc import jws
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

from settings import Settings
from settings import load as load_settings
from storage.database import Database
from tests.webworld import WebWorld, make

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its use of a library's older names
    import oidc_provider_mock

KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": kid}, private=True) for kid in ("one", "two"))
Claims = dict[str, Any]
NUMBER = itertools.count(1)


def segment(content: bytes) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(header: Claims, claims: Claims, key: RSAKey = KEY) -> str:
    """An ID token under a key of the layer."""
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=["RS256"])


@dataclass
class Lies:
    """Changes to what the provider says; none to begin with."""

    claims: Callable[[Claims], Claims] = lambda claims: claims
    header: Claims = field(default_factory=dict)
    sign: Callable[[Claims, Claims], str] = signed
    answers: dict[str, Callable[[], flask.Response]] = field(default_factory=dict)
    """Whole answers, by path."""
    discovery: Claims = field(default_factory=dict)
    back: dict[str, str | None] = field(default_factory=dict)
    """Parameters of the way back: set, or taken away."""
    challenges: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Paths that were asked for."""


@dataclass
class LyingProvider:
    """A provider at an address, the lies of which a test sets."""

    issuer: str = ""
    lies: Lies = field(default_factory=Lies)

    def application(self) -> flask.Flask:
        """The real provider with the layer around it."""
        app = oidc_provider_mock.app(require_nonce=True)
        app.before_request(self._before)
        app.after_request(self._after)
        return app

    def knows(self, sub: str, **claims: object) -> str:
        """Has the provider know a person."""
        answer = requests.put(f"{self.issuer}/users/{sub}", json=claims, timeout=10)
        assert answer.status_code == 204, answer.text
        return sub

    def _before(self) -> flask.Response | None:
        path = flask.request.path
        self.lies.asked.append(path)
        if path in self.lies.answers:
            return self.lies.answers[path]()
        if path == "/oauth2/token":
            verifier = flask.request.form.get("code_verifier", "")
            challenge = segment(hashlib.sha256(verifier.encode()).digest())
            if self.lies.challenges.get(flask.request.form.get("code", "")) != challenge:
                return flask.make_response({"error": "invalid_grant"}, 400)
        return None

    def _after(self, answer: flask.Response) -> flask.Response:
        path, lies = flask.request.path, self.lies
        if path in lies.answers:
            return answer
        if path == "/.well-known/openid-configuration":
            answer.set_data(json.dumps(answer.get_json() | lies.discovery))
        elif path == "/jwks":
            answer.set_data(json.dumps({"keys": [KEY.as_dict(private=False)]}))
        elif path == "/oauth2/authorize" and answer.status_code == 302:
            self._back(answer)
        elif path == "/oauth2/token" and answer.status_code == 200:
            token = answer.get_json()
            payload = token["id_token"].split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
            header = {"alg": "RS256", "kid": "one"} | lies.header
            token["id_token"] = lies.sign(header, lies.claims(claims))
            answer.set_data(json.dumps(token))
        return answer

    def _back(self, answer: flask.Response) -> None:
        parts = urlsplit(answer.headers["Location"])
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if "code" in query:
            self.lies.challenges[query["code"]] = flask.request.args["code_challenge"]
        query |= {key: value for key, value in self.lies.back.items() if value is not None}
        for key in [key for key, value in self.lies.back.items() if value is None]:
            query.pop(key, None)
        answer.headers["Location"] = parts._replace(query=urlencode(query)).geturl()


@dataclass
class LateApplication:
    """An application that is made when its address is known."""

    application: Any = None

    def __call__(self, environ: Any, start: Any) -> Any:
        return self.application(environ, start)


@contextmanager
def on_a_port(application: Any) -> Iterator[str]:
    """Serves an application in threads; its address."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Attacked:
    """The program over HTTP, its two providers, and what an attacker does with them."""

    address: str
    web: WebWorld
    north: LyingProvider
    south: LyingProvider

    def forget(self) -> None:
        """Has the providers tell the truth again, and the program ask them anew."""
        for name, provider in (("north", self.north), ("south", self.south)):
            provider.lies = Lies()
            self.know_nothing(name)

    def know_nothing(self, name: str = "north") -> None:
        """Has the program ask a provider anew what it is."""
        clients = self.web.app.extensions["authlib.integrations.flask_client"]
        clients.create_client(name).forget()

    def browser(self) -> requests.Session:
        """A browser that keeps its cookies, and follows nothing on its own."""
        made = requests.Session()
        made.trust_env = False
        return made

    def somebody(self, **claims: object) -> tuple[str, str]:
        """A person whom the first provider knows, and who has an account: subject and address."""
        name = f"somebody{next(NUMBER)}"
        email = f"{name}@x.example"
        person = self.web.world.person(email)
        self.web.world.member(person, self.web.world.alpha, "viewer")
        said = {"email": email, "email_verified": True, "name": name} | claims
        return self.north.knows(name, **said), email

    def begin(
        self, browser: requests.Session, name: str = "north", query: str = ""
    ) -> requests.Response:
        """The way to the provider."""
        return browser.get(
            f"{self.address}/sign-in/{name}{query}", allow_redirects=False, timeout=60
        )

    def at_provider(self, there: requests.Response, sub: str) -> str:
        """Signs in at the provider; the address that it leads back to."""
        assert there.status_code == 302, there.text
        answer = requests.post(
            there.headers["Location"], data={"sub": sub}, allow_redirects=False, timeout=10
        )
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def finish(self, browser: requests.Session, back: str) -> requests.Response:
        """The way back into the program."""
        return browser.get(back, allow_redirects=False, timeout=60)

    def comes(
        self, sub: str, browser: requests.Session | None = None, query: str = ""
    ) -> requests.Response:
        """The whole way."""
        browser = browser or self.browser()
        return self.finish(browser, self.at_provider(self.begin(browser, query=query), sub))

    def who(self, browser: requests.Session) -> str:
        """Address of whoever is signed in there; empty where nobody is."""
        page = browser.get(f"{self.address}/logout", allow_redirects=False, timeout=10)
        return page.text if page.status_code == 200 else ""

    def refused(self, browser: requests.Session, answer: requests.Response) -> bool:
        """Whether an answer says in words that nobody was let in, and nobody was."""
        assert answer.status_code == 403, (answer.status_code, answer.text[:500])
        assert "Traceback" not in answer.text
        return not self.who(browser)


@contextmanager
def attacked(database: Database, settings: Settings, **more: object) -> Iterator[Attacked]:
    """The program with two providers, all of them served."""
    north, south, late = LyingProvider(), LyingProvider(), LateApplication()
    with (
        on_a_port(north.application()) as north.issuer,
        on_a_port(south.application()) as south.issuer,
        on_a_port(late) as address,
    ):
        named = {"north": north.issuer, "south": south.issuer}
        providers = {
            name: {"issuer": issuer, "client_id": "vigilo", "client_secret": "a secret of ours"}
            for name, issuer in named.items()
        }
        variables = {"oidc_providers": providers, **more}
        checked = load_settings(**{name: json.dumps(value) for name, value in variables.items()})
        own = {name: getattr(checked, name) for name in variables} | {"base_url": address}
        web = make(database, settings.model_copy(update=own))
        late.application = web.app
        yield Attacked(address, web, north, south)
        web.app.extensions["vigilo.exports"].stop()


def past(seconds: float) -> int:
    """Instant before now."""
    return int(time.time() - seconds)
