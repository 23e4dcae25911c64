"""Every setting with values that it does not take: each is refused in a sentence that names it."""

from __future__ import annotations

import pytest

from addresses import ESCAPES
from app import create_app
from settings import Settings, WrongSetting, load, variable

CONTROL = "a\nb"
NOT_UTF8 = b"caf\xe9".decode("utf-8", "surrogateescape")
PRIMARY = {"VIGILO_DATABASE_URL": "postgresql://vigilo_web@db/vigilo"}
DATABASE = [
    "db.example.com",
    "mysql://user@host/db",
    "postgresql://host/db",
    "postgresql://user@host:notaport/db",
    "postgresql://user@host:0/db",
    "postgresql://user@host:99999/db",
    "postgresql://user:p@ss@host/db",
    "postgresql://user:p/ss@host/db",
    "postgresql://user:p#ss@host/db",
    "postgresql://user:p?ss@host/db",
    "postgresql://user@999.1.1.1/db",
    "postgresql://user@[::g]/db",
    "postgresql://user@ho st/db",
    "postgresql://user@host/db?sslmod=require",
    "postgresql://user@host/db?sslmode=maybe",
    "postgresql://user@/db?host=/run&port=x",
    "postgresql://user@host/db?require",
    CONTROL,
]
FLAG = ["maybe", "2", "", "ja"]
COUNT = ["-1", "soon", "1.5", "", "1e3", "99999999999999999999"]
WRONG: dict[str, list[str]] = {
    "database_url": DATABASE,
    "owner_database_url": DATABASE,
    "job_database_url": DATABASE,
    "read_database_url": DATABASE,
    "backup_database_url": DATABASE,
    "backup_dir": ["", "/proc/nowhere", "/dev/null", CONTROL],
    "distributed": ["yes", "Citus", ""],
    "data_dir": ["", "/proc/nowhere", "/dev/null", CONTROL],
    "cache_dir": ["", "/proc/nowhere", "/dev/null", CONTROL],
    "secret_key": ["short", "x" * 40 + "\n"],
    "secret_key_former": ["short", f"{'x' * 40},short"],
    "statement_seconds": [*COUNT, "0", "601"],
    "scheduler": FLAG,
    "stale_seconds": [*COUNT, "601"],
    "downloads_a_person": [*COUNT, "0"],
    "oidc_providers": [
        "x",
        "[]",
        '{"A B": {"issuer": "https://x", "client_id": "y"}}',
        '{"a": {"issuer": "https://x"}}',
    ],
    "oidc_groups": ["x", "[]", '{"g": {"w": "emperor"}}'],
    "oidc_groups_claim": [""],
    "oidc_create_accounts": FLAG,
    "logo": ["/nowhere/logo.svg", "/dev/null", ""],
    "org_name": ["", "x" * 121, CONTROL, NOT_UTF8],
    "time_zone": ["Mars/Olympus", "", "+02:00", "europe"],
    "strict_residency": FLAG,
    "redis_url": [
        "http://h",
        "redis://",
        "redis://localhost:abc",
        "redis://localhost/first",
        "redis://:p@ss@localhost",
        "redis://:p/ss@localhost",
        "redis://localhost?db",
    ],
    "smtp_url": [
        "mail.example.com",
        "smtp://",
        "smtp://h:mail",
        "smtp://u:p@ss@h",
        "smtp://h?tls=maybe",
        "smtp://h?tls=",
        "smtp://h?from=nobody",
        "smtp://h?from=a@x.example\nBcc: b@x.example",
        "smtp://h?starttls=required",
        "smtp://h/inbox",
    ],
    "base_url": [
        "vigilo.example.com",
        "https://",
        "https:///",
        "https://h:x",
        "https://u:p@h",
        "https://h/vigilo",
        "https://h?x=1",
        "https://999.1.1.1",
        "javascript:alert(1)",
    ],
    "proxies": [*COUNT, "6"],
    "export_sync_seconds": [*COUNT, "601"],
    "exports_in_process": FLAG,
    "demo": FLAG,
    "source_allow": ["10.0.0.0/8", '["300.0.0.0/8"]', '["a host"]', '["https://h"]', "{}", '[""]'],
    "source_folders": ["/srv/in", '["inbox"]', '["~/in"]', '[""]', "[1]"],
    "source_ca": ["/nowhere.pem", "/dev/null", "/", ""],
    "source_proxy": [
        "proxy:3128",
        "http://",
        "http://h:x",
        "socks5://h",
        "http://h/p",
        "http://u:p@ss@h",
    ],
    "sprint_days": [*COUNT, "0", "91"],
    "review_days": ["365", "[1, 2]", "[0, 1, 1, 1]", "[1, 2, 3, NaN]", "[" * 50_000, "", "{}"],
    "asset_days": ["0", "x", "-1", "3661"],
    "delivery_days": [*COUNT, "0", "3661"],
    "thresholds": ["{bad", "[1]", '{"dora.lead_time": [NaN, 1]}', '{"x": [1, 2]}', "[" * 50_000],
    "today": ["yesterday", "2026-02-30", "29-02-2026", "0", "1999-12-31", "2101-01-01", ""],
    "demo_password": ["1234", "", "with a bell\a"],
    "debug": FLAG,
    "host": ["", "999.1.1.1", "::g", "1.2.3", "a host", "http://h", "-h"],
    "port": [*COUNT, "0", "65536", "http"],
}
"""Values by setting. A value that another setting would have to confirm has its own test below."""


def test_every_setting_has_wrong_values():
    assert set(WRONG) == set(Settings.model_fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, values in WRONG.items() for value in values],
    ids=lambda word: ascii(word)[:40],
)
def test_a_wrong_value_is_refused_by_name(monkeypatch, tmp_path, field, value):
    monkeypatch.setenv("VIGILO_DATA_DIR", str(tmp_path))
    if field != "database_url" and field.endswith("database_url"):
        monkeypatch.setenv("VIGILO_DATABASE_URL", PRIMARY["VIGILO_DATABASE_URL"])
    monkeypatch.setenv(variable(field), value)
    with pytest.raises(WrongSetting) as stopped:
        create_app()
    sentence = str(stopped.value).removeprefix("Wrong setting.\n")
    assert sentence.startswith(variable(field))
    assert sentence.count("\n") == 0
    assert sentence.isprintable()


@pytest.mark.parametrize("value", ["p@ss", "p/ss", "p#ss", "p?ss"])
@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("database_url", "postgresql://user:{}@host/db"),
        ("redis_url", "redis://user:{}@host/0"),
        ("smtp_url", "smtp://user:{}@host"),
    ],
)
def test_a_password_that_is_not_escaped_is_explained_and_not_told(
    monkeypatch, field, address, value
):
    monkeypatch.setenv(variable(field), address.format(value))
    with pytest.raises(WrongSetting) as stopped:
        load()
    assert ESCAPES in str(stopped.value)
    assert "ss@" not in str(stopped.value)
    assert value not in str(stopped.value)


@pytest.mark.parametrize(
    "field", ["owner_database_url", "job_database_url", "read_database_url", "backup_database_url"]
)
def test_an_address_beside_a_database_that_is_not_named_is_refused(monkeypatch, field):
    monkeypatch.setenv(variable(field), "postgresql://role@db/vigilo")
    with pytest.raises(WrongSetting, match="VIGILO_DATABASE_URL, which is not set") as stopped:
        load()
    assert str(stopped.value).count("\n") == 1


RIGHT = {
    "database_url": [
        "postgresql://vigilo_web:p%40ss%2F@db.example.com:6432/vigilo?sslmode=verify-full",
        "postgres://u@[::1]:5432/vigilo",
        "postgresql+psycopg2://u@/vigilo?host=/run/postgresql&port=5433",
        "postgresql://u@my_db/vigilo?sslrootcert=/etc/ca.pem",
    ],
    "redis_url": ["redis://h", "rediss://:p%40@h:6380/1?ssl_cert_reqs=required"],
    "smtp_url": ["smtp://h", "smtps://u%40x.example:p@h:465?from=a@x.example", "smtp://h:25/"],
    "base_url": ["https://vigilo.example.com/", "http://[::1]:8050", "http://10.0.0.1"],
    "host": ["0.0.0.0", "::", "localhost", "fe80::1%eth0"],
    "org_name": ["Łódź & Søn\u00a0AG"],
    "today": ["2028-02-29"],
}
"""Values that look strange and are right."""


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in RIGHT.items() for value in values]
)
def test_a_right_value_is_taken(monkeypatch, field, value):
    monkeypatch.setenv(variable(field), value)
    assert getattr(load(), field) is not None
