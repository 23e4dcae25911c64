"""Files that are dropped into the first run, under names that no file system takes."""

from __future__ import annotations

import pytest

from tests.webworld import csrf

CSV = b"key,opened_at,severity\nINC-7,2026-11-20T10:00:00Z,p2\n"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../etc/passwd",
        "/etc/cron.d/x",
        "\u00e4" * 200 + ".csv",
        "a/",
        "\u202e.csv",
        "~",
    ],
)
def test_any_name_of_a_file_will_do(shared_web, name):
    alice = shared_web.sign_in("alice")
    query = {"workspace": "alpha", "kind": "incidents", "name": name}
    answer = alice.post(
        "/first-run/files",
        query_string=query,
        data=CSV,
        headers=csrf(alice),
        content_type="application/octet-stream",
    )
    assert answer.status_code == 200, answer.text
    assert answer.json["read"] == 1
