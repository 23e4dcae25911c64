"""A wrong setting stops the start with its variable and what it takes."""

import traceback
from datetime import date

import pytest

from aggregators.chosen.known import WrongSettingValue, find_setting
from app import create_app
from settings import WrongSetting, load
from unknown_settings import unknown_variables


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
        ("VIGILO_REVIEW_DAYS", "[1, 2]", "four numbers of days"),
        ("VIGILO_REVIEW_DAYS", "365", "four numbers of days"),
        ("VIGILO_REVIEW_DAYS", '[1, 2, 3, "x"]', "at 3: Input should be a valid integer"),
        ("VIGILO_THRESHOLDS", "{bad", "takes JSON"),
        ("VIGILO_THRESHOLDS", "[1]", "valid dictionary"),
        ("VIGILO_THRESHOLDS", '{"dora.change_failure_rate": [1]}', "dora.change_failure_rate.1"),
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


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("VIGILO_SECRET_KEY", "hunter2"),
        ("VIGILO_DEMO_PASSWORD", "hunter2"),
        ("VIGILO_DATABASE_URL", "mysql://user:hunter2@host"),
        ("VIGILO_SMTP_URL", "http://user:hunter2@host"),
        ("VIGILO_REDIS_URL", "http://:hunter2@host"),
    ],
)
def test_what_may_be_secret_is_never_told(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(WrongSetting) as stopped:
        load()
    assert variable in str(stopped.value)
    assert "hunter2" not in "".join(traceback.format_exception(stopped.value))


def test_a_wrong_value_comes_with_what_the_variable_is_for(monkeypatch):
    monkeypatch.setenv("VIGILO_SPRINT_DAYS", "0")
    with pytest.raises(WrongSetting, match=r"\(got '0'\)\. It is length of a sprint"):
        load()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('{"dora.speed": [1, 2]}', "there is no dora.speed"),
        ('{"dora.change_failure_rate": [0.3, 0.1]}', "higher is worse"),
        ('{"slos.budget_remaining": [0.1, 0.3]}', "lower is worse"),
    ],
)
def test_a_threshold_that_no_measure_takes_stops_the_start(monkeypatch, tmp_path, value, says):
    monkeypatch.setenv("VIGILO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VIGILO_THRESHOLDS", value)
    with pytest.raises(WrongSetting, match=r"VIGILO_THRESHOLDS: takes .*") as stopped:
        create_app()
    assert says in str(stopped.value)
    assert "It is `{" in str(stopped.value)


def test_thresholds_of_declared_measures_are_taken(monkeypatch, tmp_path):
    monkeypatch.setenv("VIGILO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VIGILO_THRESHOLDS", '{"dora.change_failure_rate": [0.1, null]}')
    thresholds = create_app().installation.settings.thresholds
    assert thresholds == {"dora.change_failure_rate": (0.1, None)}


def test_a_variable_that_is_no_setting_is_named_with_the_nearest_one():
    given = {"VIGILO_ORG_NMAE": "x", "VIGILO_X": "", "VIGILO_ACCEPTANCE_DATA": "", "PATH": ""}
    assert unknown_variables(given | {"VIGILO_TIME_ZONE": "UTC", "HOST": "::1"}) == [
        "VIGILO_ORG_NMAE is no setting and was not read; VIGILO_ORG_NAME is.",
        "VIGILO_X is no setting and was not read.",
    ]


def test_the_clock_can_be_frozen(monkeypatch):
    monkeypatch.setenv("VIGILO_TODAY", "2026-11-23")
    monkeypatch.setenv("VIGILO_TIME_ZONE", "Asia/Tokyo")
    now = load().now()
    assert (now.date(), now.hour, str(now.tzinfo)) == (date(2026, 11, 23), 12, "Asia/Tokyo")


def test_a_name_of_the_environment_is_judged_as_one_that_is_chosen():
    for code in (*range(0x250), *range(0x2000, 0x2070), 0xD800, 0xFEFF):
        name = f"a{chr(code)}b"
        if chr(code).isspace():  # a page folds those that are between words
            continue
        try:
            chosen = find_setting("org_name").check(name)
        except WrongSettingValue:
            with pytest.raises(WrongSetting):
                load(org_name=name)
        else:
            assert load(org_name=name).organisation == chosen
