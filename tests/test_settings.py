"""A wrong setting stops the start with its variable and what it takes."""

from datetime import date

import pytest

from settings import WrongSetting, load


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("VIGILO_TIME_ZONE", "Mars/Olympus", "IANA time zone"),
        ("VIGILO_DATABASE_URL", "mysql://x", "PostgreSQL URL"),
        ("VIGILO_OWNER_DATABASE_URL", "sqlite://", "PostgreSQL URL"),
        ("VIGILO_STRICT_RESIDENCY", "perhaps", "boolean"),
        ("VIGILO_SPRINT_DAYS", "0", "greater than or equal to 1"),
        ("VIGILO_EXPORT_SYNC_SECONDS", "soon", "integer"),
        ("VIGILO_TODAY", "yesterday", "date"),
        ("VIGILO_SECRET_KEY", "short", "32 characters"),
        ("VIGILO_DEMO_PASSWORD", "1234", "8 characters"),
        ("VIGILO_BASE_URL", "vigilo.example.com", "web address"),
        ("VIGILO_REVIEW_DAYS", "[0, 1, 1, 1]", "1 to 3660"),
        ("VIGILO_THRESHOLDS", '{"dora.speed": [1, 2]}', "dora.speed"),
        ("VIGILO_ORG_NAME", "", "at least 1 character"),
        ("PORT", "99999", "65535"),
    ],
)
def test_a_wrong_value_names_its_variable(monkeypatch, variable, value, says):
    monkeypatch.setenv(variable, value)
    with pytest.raises(WrongSetting) as stopped:
        load()
    assert variable in str(stopped.value)
    assert says in str(stopped.value)


def test_the_clock_can_be_frozen(monkeypatch):
    monkeypatch.setenv("VIGILO_TODAY", "2026-11-23")
    monkeypatch.setenv("VIGILO_TIME_ZONE", "Asia/Tokyo")
    now = load().now()
    assert (now.date(), now.hour, str(now.tzinfo)) == (date(2026, 11, 23), 12, "Asia/Tokyo")
