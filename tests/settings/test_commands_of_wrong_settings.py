"""A command of its own with a wrong setting of each kind: it ends in one sentence, with no traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from settings import variable
from tests.deep import all_but
from tests.served import ROOT


@pytest.mark.parametrize(
    ("field", "value"),
    all_but(
        [("secret_key", "short"), ("org_name", "x" * 121)],
        [
            ("port", "http"),
            ("statement_seconds", "5s"),
            ("database_url", "postgresql://user@host:notaport/db"),
            ("redis_url", "redis://localhost:abc"),
            ("smtp_url", "smtp://h?tls=maybe"),
            ("base_url", "https://"),
            ("host", "999.1.1.1"),
            ("cache_dir", "/dev/null/x"),
            ("logo", "/nowhere/logo.svg"),
            ("distributed", "yes"),
            ("demo", "maybe"),
            ("review_days", "[1, 2]"),
            ("oidc_groups", "x"),
            ("time_zone", "Mars/Olympus"),
            ("today", "2026-02-30"),
            ("secret_key", "short"),
            ("org_name", "x" * 121),
        ],
        several=True,
    ),
)
def test_a_command_of_its_own_ends_in_one_sentence(tmp_path, field, value):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    given = {"VIGILO_DATA_DIR": str(tmp_path), variable(field): value}
    command = [sys.executable, "-m", "flask", "--app", "app", "serve"]
    done = subprocess.run(
        command, cwd=ROOT, env=kept | given, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    sentence = done.stderr.strip().removeprefix("Wrong setting.\n")
    assert sentence.startswith(variable(field)), done.stderr
    assert sentence.count("\n") == 0
    assert done.stdout == ""
