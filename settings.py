"""The environment, read once into one frozen Settings. A wrong value names its variable."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from aggregators.domains import DOMAINS
from aggregators.measure import LOWER

PREFIX = "VIGILO_"
SECRETS = ("key", "password", "url")
"""How the names of fields end that hold a secret, or may: their values are never told."""
OF_OTHERS = ("VIGILO_ACCEPTANCE_DATA", "VIGILO_EXHAUSTIVE")
"""What the Makefile and the tests read."""


class WrongSetting(SystemExit):
    """Stops the start with the variable's name and what it takes."""


class Settings(BaseSettings):
    """Everything that an operator can set. Field ``x`` is read from ``VIGILO_X``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: str | None = Field(
        None,
        description="PostgreSQL >= 15, as the web role; unset: an embedded one in the data directory",
    )
    owner_database_url: str | None = Field(
        None, description="the tables' owner, for migrations and jobs, with an external database"
    )
    job_database_url: str | None = Field(
        None, description="the job role, where the owner's address is not at hand"
    )
    read_database_url: str | None = Field(
        None,
        description="a streaming replica, as the web role: serves the executive dashboard while it is"
        " not behind",
    )
    distributed: Literal["citus"] | None = Field(
        None, description="`citus`: migrating distributes the tenant tables over its nodes"
    )
    data_dir: Path = Field(
        Path("var"), description="a folder for the embedded database, exports and mails"
    )
    cache_dir: Path | None = Field(
        None,
        description="a folder on a local disk for computed dashboards; unset: in the data directory",
    )
    secret_key: str | None = Field(
        None,
        min_length=32,
        description="at least 32 characters; required with an external database, else made once",
    )
    org_name: str = Field(
        "Vigilo", min_length=1, max_length=120, description="the organisation's name"
    )
    time_zone: str = Field("UTC", description="the reporting time zone, an IANA name")
    strict_residency: bool = Field(
        False, description="true: leave workspaces outside the caller's home region out"
    )
    redis_url: str | None = Field(None, description="set: Celery runs the export jobs")
    smtp_url: str | None = Field(
        None,
        description="where mails go, `smtp://[USER:PASSWORD@]HOST[:PORT]` (`?tls=required`,"
        " `?from=ADDRESS`) or `smtps://`; unset: `.eml` files in the data directory",
    )
    base_url: str | None = Field(
        None, description="where people reach it, such as https://vigilo.example.com"
    )
    proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="how many proxies in front add to X-Forwarded-For; by it sign-in attempts are"
        " counted for each address",
    )
    export_sync_seconds: int = Field(
        10, ge=0, le=600, description="how long an export may take before it is mailed"
    )
    exports_in_process: bool = Field(
        True,
        description="false: the processes that serve make no exports; `flask --app app worker` does",
    )
    sprint_days: int = Field(
        14, ge=1, le=90, description="length of a sprint, anchored on a Monday"
    )
    review_days: Annotated[tuple[int, int, int, int], NoDecode] = Field(
        (365, 365, 730, 730),
        description="days between vendor reviews for tiers 1 to 4, as a JSON list",
    )
    thresholds: Annotated[dict[str, tuple[float | None, float | None]], NoDecode] = Field(
        {},
        description='`{"domain.measure": [watch, bad]}` as JSON, over the declared thresholds',
    )
    today: date | None = Field(
        None, description="a date that freezes the clock, for demos and tests"
    )
    demo_password: str | None = Field(
        None, min_length=8, description="the demo accounts' password; unset: random, printed"
    )
    debug: bool = Field(False, description="true: local development, plain cookies and reload")
    host: str = Field("127.0.0.1", validation_alias="HOST", description="the address to serve on")
    port: int = Field(
        8050, ge=1, le=65535, validation_alias="PORT", description="the port to serve on"
    )

    @field_validator("review_days", mode="before")
    @classmethod
    def _four(cls, days: object) -> object:
        if not isinstance(days, (list, tuple)) or len(days) != 4:
            raise ValueError("takes a list of four numbers of days")
        return days

    # Pydantic runs the last of these first.
    @field_validator("review_days", "thresholds", mode="before")
    @classmethod
    def _json(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given)
        except ValueError as error:
            raise ValueError(f"takes JSON: {error}") from error

    @field_validator("review_days")
    @classmethod
    def _cadence(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= d <= 3660 for d in days):
            raise ValueError("takes four numbers of days from 1 to 3660")
        return days

    @field_validator("thresholds")
    @classmethod
    def _known_measures(cls, given: dict[str, Any]) -> dict[str, Any]:
        known = {f"{d.key}.{m.key}": m for d in DOMAINS for m in d.measures}
        if unknown := sorted(set(given) - set(known)):
            raise ValueError(f"takes domain.measure keys; there is no {', '.join(unknown)}")
        for key, (watch, bad) in given.items():
            lower = known[key].better is LOWER
            if None not in (watch, bad) and (watch > bad if lower else watch < bad):
                worse = "higher" if lower else "lower"
                raise ValueError(
                    f"takes [watch, bad]: of {key} {worse} is worse, so bad is not first"
                )
        return given

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("takes an IANA time zone such as Europe/Berlin")
        return name

    @field_validator("database_url", "owner_database_url", "job_database_url", "read_database_url")
    @classmethod
    def _postgres(cls, url: str | None) -> str | None:
        if url and not url.startswith(("postgresql://", "postgresql+psycopg2://", "postgres://")):
            raise ValueError("takes a PostgreSQL URL such as postgresql://user@host/database")
        return url or None

    @field_validator("read_database_url")
    @classmethod
    def _beside_a_primary(cls, url: str | None, given: ValidationInfo) -> str | None:
        if url and not given.data.get("database_url"):
            raise ValueError("takes a replica of VIGILO_DATABASE_URL, which is not set")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if url and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
            raise ValueError("takes smtp://[USER:PASSWORD@]HOST[:PORT] or smtps://HOST")
        return url or None

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: str | None) -> str | None:
        if url and not url.startswith(("redis://", "rediss://")):
            raise ValueError("takes redis://HOST:PORT/NUMBER or rediss://")
        return url or None

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("takes a web address such as https://vigilo.example.com")
        return url.rstrip("/") if url else None

    @property
    def zone(self) -> ZoneInfo:
        """The reporting time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def address(self) -> str:
        """Where people reach the installation."""
        return self.base_url or f"http://{self.host}:{self.port}"

    @property
    def is_secure(self) -> bool:
        """Whether people reach it over TLS: everywhere but in debug and on plain HTTP of this very
        machine, where browsers and scripts would drop Secure cookies."""
        host = urlsplit(self.address).hostname or ""
        local = host in ("localhost", "127.0.0.1", "::1")
        return not self.debug and not (local and self.address.startswith("http://"))

    def now(self) -> datetime:
        """This instant in the reporting zone; noon of VIGILO_TODAY when the clock is frozen."""
        if self.today is not None:
            return datetime(self.today.year, self.today.month, self.today.day, 12, tzinfo=self.zone)
        return datetime.now(self.zone)


def variable(field: str) -> str:
    """The environment variable behind a field."""
    return field.upper() if field in ("host", "port", "HOST", "PORT") else PREFIX + field.upper()


def load(**overrides: Any) -> Settings:
    """Settings from the environment. Raises WrongSetting naming the variable and what it takes."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [_wrong(each) for each in error.errors()]
        raise WrongSetting("Wrong setting.\n" + "\n".join(lines)) from None


def _wrong(error: ErrorDetails) -> str:
    """What is wrong with a variable, where in it, and what it is for."""
    field, *within = map(str, error["loc"])
    name, wrong = field.lower(), error["msg"].removeprefix("Value error, ")
    at = f" at {'.'.join(within)}" if within else ""
    got = "" if name.endswith(SECRETS) else f" (got {error['input']!r})"
    meaning = Settings.model_fields[name].description
    return f"{variable(field)}{at}: {wrong}{got}. It is {meaning}."


def strangers(environment: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence about each variable that looks like one of ours and is none."""
    known = [variable(field) for field in Settings.model_fields]
    found = sorted(n for n in environment if n.startswith(PREFIX) and n not in (*known, *OF_OTHERS))
    return [f"{name} is no setting and was not read{_like(name, known)}." for name in found]


def _like(name: str, known: list[str]) -> str:
    """Compared without the prefix, which is half of a short name."""
    ours = [k.removeprefix(PREFIX) for k in known if k.startswith(PREFIX)]
    near = difflib.get_close_matches(name.removeprefix(PREFIX), ours, 1)
    return f"; {PREFIX}{near[0]} is" if near else ""
