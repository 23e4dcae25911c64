"""The environment, read once into one frozen Settings. A wrong value names its variable."""

from __future__ import annotations

import json
import reprlib
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

import addresses
import counting_settings
from counting_settings import LONGEST_NAME, MOST_DAYS, is_harmless, known_zone, of_its_years
from provider_settings import OidcProvider, named_for_addresses, of_known_roles
from source_settings import Authorities, Folders, Places, Proxy

PREFIX = "VIGILO_"
SECRETS = ("key", "key_former", "password", "url", "providers", "proxy")
"""Endings of the names of fields that hold a secret, or may: their values are never told."""
SHORTEST_KEY, SHORTEST_PASSWORD = 32, 8
"""Characters of a key that signs and seals, and of a person's password."""
DATABASES = tuple(f"{role}database_url" for role in ("", "owner_", "job_", "read_", "backup_"))
"""Fields with the address of the database in one role or another."""


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
        None, description="the tables' owner, for migrations; not for a process that serves"
    )
    job_database_url: str | None = Field(
        None,
        description="the job role: accounts, sessions, exports, records, snapshots; needed to serve with an"
        " external database",
    )
    read_database_url: str | None = Field(
        None,
        description="a streaming replica, as the web role: serves the executive dashboard while it is"
        " not behind",
    )
    backup_database_url: str | None = Field(
        None,
        description="a role with BYPASSRLS that may read all, for `backup`, with an external database",
    )
    backup_dir: Path | None = Field(
        None, description="a folder for backups; unset: `backups` in the data directory"
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
        min_length=SHORTEST_KEY,
        description=f"at least {SHORTEST_KEY} characters; required with an external database, else made"
        " once",
    )
    secret_key_former: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="keys that it was before, newest first, with commas between; what is signed or sealed"
        " under them still opens",
    )
    oidc_providers: Annotated[dict[str, OidcProvider], NoDecode] = Field(
        {},
        description="identity providers as JSON: name to {issuer, client_id, client_secret, title}",
    )
    oidc_groups: Annotated[dict[str, dict[str, str]], NoDecode] = Field(
        {},
        description="roles that the providers' groups stand for, as JSON:"
        ' `{"group": {"workspace": "role"}}`; `*` is every workspace',
    )
    oidc_groups_claim: str = Field(
        "groups", min_length=1, description="the claim in which a provider lists groups"
    )
    oidc_create_accounts: bool = Field(
        False,
        description="true: whoever a provider vouches for gets an account when they first come",
    )
    org_name: str = Field(
        "Vigilo",
        min_length=1,
        max_length=LONGEST_NAME,
        description="the organisation's name, until another is chosen on the page Settings",
    )
    logo: Path | None = Field(
        None, description="the organisation's logo, an SVG or PNG file, shown beside its name"
    )
    time_zone: str = Field("UTC", description="the reporting time zone, an IANA name")
    strict_residency: bool = Field(
        False, description="true: leave workspaces outside the caller's home region out"
    )
    redis_url: str | None = Field(
        None,
        description="set: Celery on this Redis brings the news of an export to `flask --app app worker`;"
        " without it, a folder of the data directory does",
    )
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
    downloads_a_person: int = Field(
        4, ge=1, le=100, description="how many files a person may be downloading at once"
    )
    statement_seconds: int = Field(
        30, ge=1, le=600, description="how long a statement of the web role may take"
    )
    stale_seconds: int = Field(
        90,
        ge=0,
        le=600,
        description="how long after a snapshot a page of the day before is still shown while the new one is"
        " computed; 0: everybody waits for the new one",
    )
    exports_in_process: bool = Field(
        True,
        description="false: the processes that serve make no exports and send no mails;"
        " `flask --app app worker` does",
    )
    scheduler: bool = Field(
        True,
        description="false: snapshots, packs and syncs of sources are not begun by the processes that"
        " serve; a cron job runs `flask --app app schedule run`",
    )
    source_allow: Annotated[Places, NoDecode] = Field(
        (),
        description="private networks and patterns of host names that sources may be asked at, beside"
        ' public ones, as a JSON list such as `["10.0.0.0/8", "*.corp.example"]`',
    )
    source_folders: Annotated[Folders, NoDecode] = Field(
        (),
        description="folders that sources may read files from, as a JSON list; unset: `inbox` in the data"
        " directory",
    )
    source_ca: Authorities = Field(
        None, description="a file of certificate authorities that sources trust beside the system's"
    )
    source_proxy: Proxy = Field(
        None, description="the proxy through which sources are asked, `http://HOST:PORT`"
    )
    sprint_days: int = Field(
        counting_settings.SPRINT_DAYS,
        ge=1,
        le=counting_settings.MOST_SPRINT_DAYS,
        description="length of a sprint, anchored on a Monday",
    )
    review_days: Annotated[tuple[int, int, int, int], NoDecode] = Field(
        counting_settings.REVIEW_DAYS,
        description="days between vendor reviews for tiers 1 to 4, as a JSON list",
    )
    asset_days: int = Field(
        counting_settings.ASSET_DAYS,
        ge=1,
        le=MOST_DAYS,
        description="days without a result after which an asset has left",
    )
    delivery_days: int = Field(
        30,
        ge=1,
        le=MOST_DAYS,
        description="how many days a delivery is kept as it came; what was read of it stays",
    )
    thresholds: Annotated[dict[str, tuple[float | None, float | None]], NoDecode] = Field(
        {},
        description='`{"domain.measure": [watch, bad]}` as JSON, over the declared thresholds',
    )
    today: date | None = Field(
        None, description="a date that freezes the clock, for demos and tests"
    )
    demo: bool = Field(
        True,
        description="false: an embedded database that is empty stays so, and the first page leads to an"
        " organisation of one's own",
    )
    demo_password: str | None = Field(
        None,
        min_length=SHORTEST_PASSWORD,
        description="the demo accounts' password; unset: random, printed",
    )
    debug: bool = Field(False, description="true: local development, plain cookies and reload")
    host: str = Field("127.0.0.1", validation_alias="HOST", description="the address to serve on")
    port: int = Field(
        8050, ge=1, le=65535, validation_alias="PORT", description="the port to serve on"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _text(cls, given: object) -> object:
        """Line breaks would end a header of a mail, bytes that are no UTF-8 could not be shown."""
        if isinstance(given, str) and not all(map(is_harmless, given)):
            raise ValueError("takes text in UTF-8 on one line, without control characters")
        return given

    @field_validator("review_days", mode="before")
    @classmethod
    def _four(cls, days: object) -> object:
        if not isinstance(days, (list, tuple)) or len(days) != 4:
            raise ValueError("takes a list of four numbers of days")
        return days

    _providers = field_validator("oidc_providers")(named_for_addresses)
    _groups = field_validator("oidc_groups")(of_known_roles)

    @field_validator("secret_key_former", mode="before")
    @classmethod
    def _split_commas(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        return tuple(filter(None, map(str.strip, given.split(","))))

    @field_validator("secret_key_former")
    @classmethod
    def _long_enough(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(key) < SHORTEST_KEY or not key.isprintable() for key in keys):
            raise ValueError(
                f"takes keys of at least {SHORTEST_KEY} characters that can be printed"
            )
        return keys

    # Pydantic runs the last of these first.
    @field_validator(
        "review_days", "thresholds", "source_allow", "source_folders", "oidc_providers", "oidc_groups",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _json(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given, parse_constant=_no_number)
        except ValueError as error:
            raise ValueError(f"takes JSON: {error}") from error
        except RecursionError:
            raise ValueError("takes JSON that is not as deep") from None

    @field_validator("review_days")
    @classmethod
    def _cadence(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= d <= MOST_DAYS for d in days):
            raise ValueError(f"takes four numbers of days from 1 to {MOST_DAYS}")
        return days

    @field_validator("data_dir", "cache_dir", "backup_dir", mode="before")
    @classmethod
    def _folder(cls, given: object) -> object:
        """An empty path would be the working directory."""
        if given == "":
            raise ValueError("takes the path of a folder; leave it unset for the default")
        return given

    @field_validator("logo")
    @classmethod
    def _picture(cls, file: Path | None) -> Path | None:
        if file is not None and (file.suffix.lower() not in (".svg", ".png") or not file.is_file()):
            raise ValueError("takes the path of an SVG or PNG file")
        return file

    _known_zone = field_validator("time_zone")(known_zone)
    _of_its_years = field_validator("today")(of_its_years)

    @field_validator(*DATABASES)
    @classmethod
    def _postgres(cls, url: str | None) -> str | None:
        return addresses.postgres(url) if url else None

    @field_validator("owner_database_url", "job_database_url", "backup_database_url")
    @classmethod
    def _of_an_external_database(cls, url: str | None, given: ValidationInfo) -> str | None:
        if url and given.data.get("database_url", url) is None:
            raise ValueError("applies to the database of VIGILO_DATABASE_URL, which is not set")
        return url

    @field_validator("read_database_url")
    @classmethod
    def _beside_a_primary(cls, url: str | None, given: ValidationInfo) -> str | None:
        if url and given.data.get("database_url", url) is None:
            raise ValueError("takes a replica of VIGILO_DATABASE_URL, which is not set")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, url: str | None) -> str | None:
        return addresses.mail_server(url) if url else None

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: str | None) -> str | None:
        return addresses.redis(url) if url else None

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        return addresses.web(url) if url else None

    @field_validator("host")
    @classmethod
    def _listening(cls, host: str) -> str:
        return addresses.host(host)

    @property
    def organisation(self) -> str:
        """The organisation's name."""
        return self.org_name

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
        host = addresses.host_of(self.address)
        local = host in ("localhost", "127.0.0.1", "::1")
        return not self.debug and not (local and self.address.startswith("http://"))

    def now(self) -> datetime:
        """Present instant in the reporting zone; noon of VIGILO_TODAY when the clock is frozen."""
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
        lines = [_sentence(each) for each in error.errors()]
        raise WrongSetting("Wrong setting.\n" + "\n".join(lines)) from None


def wrong_setting(field: str, problem: str, value: object) -> WrongSetting:
    """The error of a field whose value fits its type and nothing else; for who knows what it must fit."""
    return WrongSetting(f"Wrong setting.\n{_wrong(field, '', problem, value)}")


def _no_number(constant: str) -> object:
    """Python's own words beyond JSON: NaN, Infinity."""
    raise ValueError(f"{constant} is no number")


def _sentence(error: ErrorDetails) -> str:
    """The variable that is wrong, where in it, why, and what it is for."""
    field, *within = map(str, error["loc"])
    at = f" at {'.'.join(within)}" if within else ""
    return _wrong(field.lower(), at, error["msg"].removeprefix("Value error, "), error["input"])


def _wrong(field: str, at: str, problem: str, value: object) -> str:
    shown = reprlib.repr(value) if isinstance(value, str) else repr(value)
    got = "" if field.endswith(SECRETS) else f" (got {shown})"
    meaning = Settings.model_fields[field].description
    return f"{variable(field)}{at}: {problem}{got}. It is {meaning}."
