"""The client with which sources ask: pinned addresses, bounds, the sender's limits, retries with jitter.

Each request has a deadline of its own over the wall clock, since a read timeout never fires on a host that
drips bytes. It waits at most a minute for a sender that asks for it; longer waits end the run.
"""

from __future__ import annotations

import math
import random
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import orjson
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from ingest.documents import LARGEST
from ingest.pulling.guard import AddressGuard, Target
from ingest.pulling.problems import SourceProblem, SourceWaits
from ingest.pulling.wire.allowance import Allowance
from ingest.pulling.wire.answers import NO_LIMITS, Limits, Quota, SenderAnswer, number, same_origin
from ingest.pulling.wire.bodies import body_of
from ingest.pulling.wire.turning import PageTurns

DEADLINE, CONNECT, READ = 60.0, 10.0, 30.0
TRIES, LONGEST_WAIT, FIRST_WAIT = 5, 60.0, 1.0
RESERVED = 0.2
"""Part of the sender's quota that is left to others who use the same token."""
REDIRECTS = 3
UNASKED = (
    "The sender says that nothing has changed, and was told nothing that it could be the same as."
)


@dataclass(slots=True)
class Client:
    """Asks one sender, one request at a time. ``headers`` sign in; they go to the sender's origin alone."""

    base: str
    guard: AddressGuard
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: Limits = NO_LIMITS
    ca_file: str | None = None
    proxy: str | None = None
    authority: str = ""
    """The one authority (PEM) whose certificates this sender may show, where it has one of its own."""
    sleep: Callable[[float], None] = time.sleep
    allowance: Allowance | None = None
    """Bounds of it all, where somebody waits for what is asked."""
    requests: int = 0
    quota: Quota | None = None
    ahead: timedelta = timedelta(0)
    """How far the sender's clock is ahead of ours, by its last answer."""
    expires: datetime | None = None
    """Instant after which the sender takes the secret no more, where it says so."""
    _pool: urllib3.HTTPConnectionPool | urllib3.PoolManager | None = None
    _silent: set[str] = field(default_factory=set)
    """Addresses of the sender at which nobody answered."""
    _rests_until: datetime | None = None

    def get(
        self,
        path: str,
        parameters: Mapping[str, str] | None = None,
        *,
        etag: str = "",
        changed_since: str = "",
        accepts: tuple[int, ...] = (),
    ) -> SenderAnswer:
        """The answer to a GET of a path below the base, or of an address of the same origin; the same again
        is not sent where its ``etag`` is told, or else when it was last changed. Statuses that it
        ``accepts`` are returned, others raise SourceProblem."""
        url = path if path.startswith(("http://", "https://")) else self.base.rstrip("/") + path
        if not same_origin(self.base, url):
            raise SourceProblem("moved_elsewhere")
        if parameters:
            url += ("&" if "?" in url else "?") + urlencode(parameters)
        condition = {"If-None-Match": etag, "If-Modified-Since": "" if etag else changed_since}
        headers = {name: value for name, value in condition.items() if value}
        answer = self._send_with_retries("GET", url, headers, None, accepts)
        if answer.is_same and not headers:
            raise SourceProblem("changed_shape", UNASKED)
        return answer

    def pages(
        self,
        path: str,
        parameters: Mapping[str, str] | None = None,
        *,
        accepts: tuple[int, ...] = (),
    ) -> Iterator[SenderAnswer]:
        """Answers of a list, page after page to its end. Raises SourceProblem where it has none."""
        turns, following = PageTurns(), str(path)
        while True:
            answer = self.get(following, parameters, accepts=accepts)
            turns.turn(following, answer.body)
            yield answer
            if answer.next is None:
                return
            following, parameters = answer.next, None

    def post(self, path: str, document: Any) -> SenderAnswer:
        """The answer to a query that changes nothing, sent as JSON."""
        headers = {"Content-Type": "application/json"}
        url = path if path.startswith(("http://", "https://")) else self.base.rstrip("/") + path
        return self._send_with_retries("POST", url, headers, orjson.dumps(document), ())

    def post_once(self, body: bytes, headers: Mapping[str, str]) -> SenderAnswer:
        """The answer, whatever it is, to one POST of bytes to the base: not tried again, and no redirection
        is followed. Raises SourceProblem."""
        return self._send_once("POST", self.base, headers, body)

    def _send_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        accepts: tuple[int, ...],
    ) -> SenderAnswer:
        """Tries until there is an answer that stands. Raises SourceProblem, SourceWaits."""
        if self._rests_until is not None:
            raise SourceWaits(self._rests_until)
        problem: SourceProblem | None = None
        for attempt in range(TRIES):
            is_asked_for = False
            wait = FIRST_WAIT * 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311 -- jitter
            try:
                answer = self._send_with_redirects(method, url, headers, body)
            except SourceProblem as error:
                if error.code not in ("unreachable", "proxy"):
                    raise
                problem = error
            else:
                if answer.status < 400 or answer.status in accepts:
                    self._spare(answer)
                    return answer
                problem = refusal(answer)
                wait_seconds = self._told_wait(answer)
                if wait_seconds is None and answer.status < 500:
                    raise problem
                wait, is_asked_for = (wait, False) if wait_seconds is None else (wait_seconds, True)
            if wait > LONGEST_WAIT or (is_asked_for and wait > self._seconds_left):
                raise SourceWaits(datetime.now(UTC) + timedelta(seconds=wait))
            if wait > self._seconds_left:
                break
            if attempt < TRIES - 1:
                self.sleep(wait)
        assert problem is not None
        raise problem

    @property
    def _seconds_left(self) -> float:
        """Seconds that are left of the allowance."""
        return self.allowance.left if self.allowance else math.inf

    def _told_wait(self, answer: SenderAnswer) -> float | None:
        """Seconds that the sender asks to wait, None where it refuses for another reason."""
        if answer.status not in (403, 420, 429, 503):
            return None
        if (seconds := number(answer.headers.get("retry-after"))) is not None:
            return seconds
        if self._remaining(answer) == 0:
            return self._until_reset(answer) or LONGEST_WAIT
        if answer.status == 403:
            return LONGEST_WAIT if b"secondary rate limit" in answer.body[:2000] else None
        return FIRST_WAIT * 4 if answer.status != 503 else None

    def _remaining(self, answer: SenderAnswer) -> float | None:
        return number(answer.headers.get(self.limits.remaining)) if self.limits.remaining else None

    def _until_reset(self, answer: SenderAnswer) -> float | None:
        """Seconds until the quota is whole again, None where the sender tells none that can be."""
        reset = number(answer.headers.get(self.limits.reset)) if self.limits.reset else None
        if reset is None:
            return None
        if self.limits.is_wait:
            return max(reset, 0.0)
        now = answer.instant or datetime.now(UTC)
        left = reset - now.timestamp()
        return max(left, 1.0) if left > -86_400 else None

    def _spare(self, answer: SenderAnswer) -> None:
        """Ends the run before the last part of the quota, which others need. A limit of nothing is none."""
        limit = number(answer.headers.get(self.limits.limit)) if self.limits.limit else None
        remaining = self._remaining(answer)
        if not limit or remaining is None:
            return
        wait = self._until_reset(answer)
        self.quota = Quota(limit, remaining, wait or 0.0)
        if wait is not None and remaining <= limit * RESERVED:
            self._rests_until = datetime.now(UTC) + timedelta(seconds=wait)

    def _send_with_redirects(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> SenderAnswer:
        """The answer, after redirections within the same origin."""
        for _ in range(REDIRECTS + 1):
            answer = self._send_once(method, url, headers, body)
            target = answer.headers.get("location")
            if answer.status not in (301, 302, 307, 308) or not target:
                return answer
            following = urljoin(url, target)
            if not same_origin(url, following):
                raise SourceProblem("moved_elsewhere")
            url = following
        raise SourceProblem("moved_elsewhere", "The sender sends one around in a circle.")

    def _send_once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> SenderAnswer:
        """Make one request to the pinned address, within its deadline. Raises SourceProblem."""
        if self.allowance:
            self.allowance.spend()
        self.requests += 1
        patience = max(min(DEADLINE, self._seconds_left), 0.1)
        deadline = time.monotonic() + patience
        sent = {"User-Agent": "vigilo", "Accept": "application/json", **self.headers, **headers}
        with self._problems():
            pool = self._pool_for(url)
            response = pool.urlopen(
                method,
                url if isinstance(pool, urllib3.PoolManager) else _path(url),
                body=body,
                headers={**sent, "Host": urlsplit(url).netloc},
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=min(CONNECT, patience), read=min(READ, patience)),
            )
            try:
                content = body_of(response, LARGEST, deadline)
            finally:
                response.close()
        lower_headers = {name.lower(): value for name, value in response.headers.items()}
        answer = SenderAnswer(response.status, lower_headers, content, url)
        self.ahead = (answer.instant or datetime.now(UTC)) - datetime.now(UTC)
        self.expires = answer.expires or self.expires
        return answer

    @contextmanager
    def _problems(self) -> Iterator[None]:
        """Raises what goes wrong with a request as SourceProblem."""
        try:
            yield
        except SSLError as error:
            raise SourceProblem("tls_untrusted", _untrusted_sentence(error)) from error
        except ProxyError as error:
            raise SourceProblem("proxy") from error
        except (HTTPError, OSError, zlib.error) as error:
            if isinstance(error, (NewConnectionError, ConnectTimeoutError)):
                self._leave_address()
            raise SourceProblem(
                "unreachable", f"The sender does not answer: {_error_in_brief(error)}."
            ) from error

    def _pool_for(self, url: str) -> urllib3.HTTPConnectionPool | urllib3.PoolManager:
        """A pool of one connection to the checked address; the name is that of the URL, for TLS as well.
        Behind a proxy it is the proxy that resolves names."""
        if self._pool is None:
            trusted = _trust_context(self.authority, self.ca_file)
            if self.proxy:
                self.guard.check_proxied(url)
                self._pool = urllib3.ProxyManager(self.proxy, ssl_context=trusted)
            else:
                self._pool = _pool_of_address(self._target(url), trusted)
        return self._pool

    def _target(self, url: str) -> Target:
        """The checked place, at an address where somebody may answer."""
        target = self.guard.target(url)
        every = (target.ip, *target.others)
        silent = self._silent if len(self._silent & {*every}) < len(every) else set()
        return target._replace(ip=next(each for each in every if each not in silent))

    def _leave_address(self) -> None:
        """Has the next try ask at another of the name's addresses, as where one is of IPv6 and nothing
        leads there."""
        if isinstance(self._pool, urllib3.HTTPConnectionPool):
            self._silent.add(str(self._pool.host))
            self._pool = None


def _trust_context(authority: str, ca_file: str | None) -> ssl.SSLContext:
    """Trusts the authority alone, or those of the system and of the operator. Raises SourceProblem."""
    try:
        trusted = ssl.create_default_context(cadata=authority or None)
    except (ssl.SSLError, ValueError) as error:
        raise SourceProblem("setting", "The authority is no certificate in PEM.") from error
    if ca_file and not authority:
        trusted.load_verify_locations(ca_file)
    return trusted


def _pool_of_address(target: Target, trusted: ssl.SSLContext) -> urllib3.HTTPConnectionPool:
    """A pool of one connection to the address that was checked, TLS for the name."""
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(target.ip, target.port, maxsize=1)
    return urllib3.HTTPSConnectionPool(
        target.ip,
        target.port,
        maxsize=1,
        server_hostname=target.host,
        assert_hostname=target.host,
        ssl_context=trusted,
    )


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _error_in_brief(error: Exception) -> str:
    """First words of an error, without addresses of objects and without anything that was sent."""
    reason = getattr(error, "reason", None) or error
    return (
        f"{type(reason).__name__}" if not str(reason) else str(reason).split("(")[0].strip()[:120]
    )


def _untrusted_sentence(error: Exception) -> str:
    """Sentence about a certificate that is not trusted, with what an operator can do."""
    return (
        "The server's certificate is of no authority that is known here, or of another name"
        f" ({str(error).rpartition(':')[2].strip(' )')[:80]}): an operator adds the authority with"
        " VIGILO_SOURCE_CA."
    )


def refusal(answer: SenderAnswer) -> SourceProblem:
    """The problem that a status tells of."""
    if answer.status == 401:
        return SourceProblem("token_invalid")
    if answer.status == 403 and answer.headers.get("x-github-sso", "").startswith("required"):
        return SourceProblem("sso_required")
    if answer.status == 403:
        return SourceProblem(
            "scope_missing", f"The secret lacks a permission: {_words_of_sender(answer)}"
        )
    if answer.status in (404, 410):
        return SourceProblem(
            "not_found_or_hidden", f"Not there, or hidden: {urlsplit(answer.url).path}"
        )
    if answer.status in (420, 429):
        return SourceProblem("rate_limited")
    if answer.status >= 500:
        return SourceProblem("unreachable", f"The sender answers {answer.status}.")
    return SourceProblem(
        "changed_shape", f"The sender answers {answer.status}: {_words_of_sender(answer)}"
    )


def _words_of_sender(answer: SenderAnswer) -> str:
    """The sender's own words."""
    try:
        document = orjson.loads(answer.body)
    except ValueError:
        return f"it answers {answer.status}."
    words = document.get("message") or document.get("error") if isinstance(document, dict) else ""
    return str(words)[:200] or f"it answers {answer.status}."
