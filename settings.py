"""The environment, read once into one frozen Settings. A wrong value names its variable."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "VIGILO_"


class WrongSetting(SystemExit):
    """Stops the start with the variable's name and what it takes."""


class Settings(BaseSettings):
    """Everything that an operator can set. Field ``x`` is read from ``VIGILO_X``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: str | None = None
    owner_database_url: str | None = None
    job_database_url: str | None = None
    data_dir: Path = Path("var")
    secret_key: Annotated[str, Field(min_length=32)] | None = None
    org_name: Annotated[str, Field(min_length=1, max_length=120)] = "Vigilo"
    time_zone: str = "UTC"
    strict_residency: bool = False
    redis_url: str | None = None
    smtp_url: str | None = None
    base_url: str | None = None
    export_sync_seconds: Annotated[int, Field(ge=0, le=600)] = 10
    sprint_days: Annotated[int, Field(ge=1, le=90)] = 14
    review_days: tuple[int, int, int, int] = (365, 365, 730, 730)
    thresholds: dict[str, tuple[float | None, float | None]] = {}
    today: date | None = None
    demo_password: Annotated[str, Field(min_length=8)] | None = None
    debug: bool = False
    host: str = Field("127.0.0.1", validation_alias="HOST")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8050, validation_alias="PORT")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("takes an IANA time zone such as Europe/Berlin")
        return name

    @field_validator("database_url", "owner_database_url", "job_database_url")
    @classmethod
    def _postgres(cls, url: str | None) -> str | None:
        if url and not url.startswith(("postgresql://", "postgresql+psycopg2://", "postgres://")):
            raise ValueError("takes a PostgreSQL URL such as postgresql://user@host/database")
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
        lines = [
            f"{variable(str(e['loc'][0]))}: {e['msg']} (got {e['input']!r})" for e in error.errors()
        ]
        raise WrongSetting("Wrong setting.\n" + "\n".join(lines)) from error
