"""Every setting with values that it does not take: each is refused in a sentence that names it."""

from __future__ import annotations

import re

import pytest

from addresses import ESCAPES
from app import create_app
from settings import Settings, WrongSetting, load, variable
from tests.deep import all_but
from tests.served import ROOT

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
FLAG = ["maybe", "2", "", "ja", "-1", "yes!", "true false", "None", "[]", "TRUE,", CONTROL]
COUNT = [
    "-1",
    "soon",
    "1.5",
    "",
    "1e3",
    "99999999999999999999",
    "0x10",
    "1 2",
    "NaN",
    "inf",
    "5s",
    "10%",
    CONTROL,
]
FOLDER = [
    "",
    "/proc/nowhere",
    "/dev/null",
    CONTROL,
    "/dev/null/x",
    "/etc/passwd",
    "/proc/1/x",
    "x" * 300,
    f"/tmp/{'x/' * 3000}",
    NOT_UTF8,
    "/tmp/\u2028",
]
FILE = [
    "/nowhere/logo.svg",
    "/dev/null",
    "",
    "/",
    "/etc/passwd",
    CONTROL,
    NOT_UTF8,
    "x" * 300,
    "~/logo.png",
    "https://example.com/logo.svg",
    "/proc/1/mem",
]
LIST = ["x", "{}", '"x"', "[1", "null", "1", "true", "[" * 50_000, "[NaN]", "[[]]", CONTROL]
MAPPING = [
    "x",
    "[]",
    '"x"',
    "{",
    "null",
    "1",
    "true",
    "[" * 50_000,
    '{"x": NaN}',
    "{1: 2}",
    CONTROL,
]
KEY = [
    "short",
    "",
    "x" * 31,
    "x" * 40 + "\n",
    "\t" * 40,
    "\x7f" * 40,
    "\u2028" * 40,
    "0",
    " ",
    "x" * 39 + "\0"[:0] + "\a",
]
WRONG: dict[str, list[str]] = {
    "database_url": DATABASE,
    "owner_database_url": DATABASE,
    "job_database_url": DATABASE,
    "read_database_url": DATABASE,
    "backup_database_url": DATABASE,
    "backup_dir": FOLDER,
    "distributed": [
        "yes",
        "Citus",
        "",
        " citus",
        "citus,citus",
        "none",
        "true",
        "[]",
        "postgres",
        CONTROL,
    ],
    "data_dir": FOLDER,
    "cache_dir": FOLDER,
    "secret_key": KEY,
    "secret_key_former": [
        *(key for key in KEY if key.strip() and not key.endswith("\n")),
        *(f"{'x' * 40},short", "a,b", "x" * 31 + "," * 40, f"{'x' * 40}, y", "y," * 40),
    ],
    "statement_seconds": [*COUNT, "0", "601"],
    "scheduler": FLAG,
    "stale_seconds": [*COUNT, "601"],
    "downloads_a_person": [*COUNT, "0"],
    "oidc_providers": [
        *MAPPING,
        '{"A B": {"issuer": "https://x", "client_id": "y"}}',
        '{"a": {"issuer": "https://x"}}',
    ],
    "oidc_groups": [*MAPPING, '{"g": {"w": "emperor"}}', '{"g": "owner"}'],
    "oidc_groups_claim": [
        "",
        CONTROL,
        NOT_UTF8,
        "a\tb",
        "\x7f",
        "\u2028",
        "\u2029",
        "\r",
        "\a",
        "\x1b[0m",
    ],
    "oidc_create_accounts": FLAG,
    "logo": FILE,
    "org_name": [
        "",
        "x" * 121,
        CONTROL,
        NOT_UTF8,
        "a\tb",
        "\x7f",
        "\u2028",
        "\u2029",
        "\r",
        "\a",
        "\x1b[0m",
    ],
    "time_zone": [
        "Mars/Olympus",
        "",
        "+02:00",
        "europe",
        "CET+1",
        "../etc/passwd",
        "/Europe/Berlin",
        "Europe/",
        "Berlin",
        "UTC ",
        "0",
        CONTROL,
    ],
    "strict_residency": FLAG,
    "redis_url": [
        "http://h",
        "redis://",
        "redis://localhost:abc",
        "redis://localhost/first",
        "redis://:p@ss@localhost",
        "redis://:p/ss@localhost",
        "redis://localhost?db",
        "localhost:6379",
        "redis://localhost:0",
        "redis://999.1.1.1",
        "redis://a host",
        CONTROL,
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
        CONTROL,
    ],
    "proxies": [*COUNT, "6"],
    "export_sync_seconds": [*COUNT, "601"],
    "exports_in_process": FLAG,
    "demo": FLAG,
    "source_allow": [*LIST, "10.0.0.0/8", '["300.0.0.0/8"]', '["a host"]', '["https://h"]', '[""]'],
    "source_folders": [*LIST, "/srv/in", '["inbox"]', '["~/in"]', '[""]', "[1]"],
    "source_ca": FILE,
    "source_proxy": [
        "proxy:3128",
        "http://",
        "http://h:x",
        "socks5://h",
        "http://h/p",
        "http://u:p@ss@h",
        "http://h?x=1",
        "http://h:0",
        "http://999.1.1.1",
        "",
        CONTROL,
    ],
    "sprint_days": [*COUNT, "0", "91"],
    "review_days": [*LIST, "365", "[1, 2]", "[0, 1, 1, 1]", "[1, 2, 3, NaN]", ""],
    "asset_days": [*COUNT, "0", "3661"],
    "delivery_days": [*COUNT, "0", "3661"],
    "thresholds": [*MAPPING, "{bad", "[1]", '{"dora.lead_time": [NaN, 1]}', '{"x": [1, 2]}'],
    "today": [
        "yesterday",
        "2026-02-30",
        "29-02-2026",
        "0",
        "1999-12-31",
        "2101-01-01",
        "",
        "2026-13-01",
        "2026-11-23T25:00",
        "NaN",
        "99999999999999",
        CONTROL,
    ],
    "demo_password": [
        "1234",
        "",
        "with a bell\a",
        "1234567",
        "a\tb345678",
        "\x7f2345678",
        "\u20282345678",
        " ",
        "\x1b[0m45678",
        NOT_UTF8 + "\n45678",
    ],
    "debug": FLAG,
    "host": [
        "",
        "999.1.1.1",
        "::g",
        "1.2.3",
        "a host",
        "http://h",
        "-h",
        "h:80",
        "[::1]",
        "*",
        CONTROL,
    ],
    "port": [*COUNT, "0", "65536", "http"],
}
"""At least ten values by setting. One that another setting would have to confirm has its own test below."""


def test_every_variable_of_the_page_has_ten_wrong_values():
    page = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)`", page, re.MULTILINE)
    assert sorted(map(variable, WRONG)) == sorted(named)
    assert set(WRONG) == set(Settings.model_fields)
    assert not [field for field, values in WRONG.items() if len(set(values)) < 10]


@pytest.mark.parametrize(
    ("field", "value"),
    all_but(
        [(field, value) for field, values in WRONG.items() for value in values[::4]],
        [(field, value) for field, values in WRONG.items() for value in values],
        several=True,
    ),
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
