"""Answers of senders, and the quotas that their headers tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import orjson

from ingest.pulling.problems import SourceProblem


class Limits(NamedTuple):
    """Names of the headers in which a sender tells its quota; ``reset`` is an instant in seconds since
    1970, or seconds to wait. ``window`` are the seconds for which a quota is."""

    limit: str = ""
    remaining: str = ""
    reset: str = ""
    is_wait: bool = False
    window: float = 3600.0


class Quota(NamedTuple):
    """A sender's quota by its last answer: the whole, what is left, seconds until it is whole again."""

    limit: float
    remaining: float
    wait: float


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class SenderAnswer:
    """An answer: what it says, and where its list goes on."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def json(self) -> Any:
        """The body. Raises SourceProblem."""
        try:
            return orjson.loads(self.body)
        except ValueError as error:
            raise SourceProblem("changed_shape", "The answer is no JSON.") from error

    @property
    def etag(self) -> str:
        """Tag by which the same answer is not sent twice."""
        return self.headers.get("etag", "")

    @property
    def is_same(self) -> bool:
        """Whether nothing has changed since the tag that was sent."""
        return self.status == 304

    @property
    def instant(self) -> datetime | None:
        """Present instant by the sender's clock."""
        try:
            return parsedate_to_datetime(self.headers["date"]).astimezone(UTC)
        except (KeyError, ValueError, TypeError):
            return None

    @property
    def expires(self) -> datetime | None:
        """Instant until which the sender takes the secret, as GitHub tells it: ``2026-12-31 10:00:00
        UTC``, or with an offset."""
        header = self.headers.get("github-authentication-token-expiration", "")
        try:
            at = datetime.fromisoformat(header.replace(" UTC", "+00:00").replace(" +", "+"))
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        except ValueError:
            return None

    @property
    def next(self) -> str | None:
        """Address of the next page of a list, of the same scheme, host and port."""
        for link in self.headers.get("link", "").split(","):
            address, _, parameters = link.partition(";")
            if 'rel="next"' in parameters.replace("rel=next", 'rel="next"'):
                following = urljoin(self.url, address.strip().strip("<>"))
                if not same_origin(self.url, following):
                    raise SourceProblem("moved_elsewhere")
                return following
        return None


def same_origin(address: str, other: str) -> bool:
    """Whether two addresses are of one scheme, host and port."""
    a, b = urlsplit(address), urlsplit(other)
    return (a.scheme, a.hostname, a.port) == (b.scheme, b.hostname, b.port)


def number(header: str | None) -> float | None:
    """The number of a header, None where it is none."""
    try:
        return float(header) if header is not None else None
    except ValueError:
        return None
