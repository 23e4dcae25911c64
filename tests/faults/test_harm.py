"""Harm to the database while people work, and to what serves: it is seen, what the doctor says is typed,
and the figures are those of before."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import pytest
import requests

from tests.deep import all_but, bound
from tests.faults.stack import Stack, note
from tests.served import ROOT, until

OPENED = (
    "create or replace function vigilo.readable_workspace(needed text) returns bigint language sql"
    " stable"
)
HARM = {
    "Rights of the web role taken away": (
        "revoke select on workspace from vigilo_web; revoke usage on schema vigilo from vigilo_web",
        "rights",
    ),
    "Body of a function replaced": (
        f"{OPENED} security definer set search_path = pg_catalog, public, vigilo, pg_temp"
        " as 'select 1::bigint'",
        "functions",
    ),
    "Trigger switched off": (
        "alter table app_user disable trigger app_user_credentials",
        "triggers",
    ),
    "Policy opened to everybody": ("alter policy web_read on incident using (true)", "policies"),
    "Owner of a function changed": (
        "alter function vigilo.my_workspaces() owner to vigilo_owner",
        "function owners",
    ),
}


def typed(stack: Stack, *words: str, **variables: str) -> str:
    """Output of a command with the addresses of every role, whatever it ends with."""
    own = {f"VIGILO_{name.upper()}": url for name, url in stack.cluster.addresses().items()}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", *words],
        cwd=ROOT, env=stack.web.environment | own | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def probe(stack: Stack) -> requests.Response:
    """Answer of ``/readyz``."""
    return requests.get(f"{stack.web.address}/readyz", timeout=10)


@pytest.mark.parametrize("fault", all_but(["Policy opened to everybody"], HARM))
def test_harm_to_the_database_is_seen_and_mended_by_what_is_told(stack: Stack, fault):
    stack.recovers()
    harm, brief = HARM[fault]
    stack.cluster.sql(harm, "vigilo")
    until(lambda: probe(stack).status_code == 503)
    assert brief in probe(stack).text
    told = typed(stack, "doctor", "--no-address")
    remedies = re.findall(r"^    (.+?)(?:   \(.*)?$", told, re.MULTILINE)
    begun = time.monotonic()
    if any("db mend" in remedy for remedy in remedies):
        assert "Mended: " in typed(stack, "db", "mend")
    for remedy in dict.fromkeys(remedies):
        if "db mend" not in remedy:
            stack.cluster.sql(remedy, "vigilo")
    until(lambda: probe(stack).status_code == 200)
    stack.recovers()
    assert not re.search(brief, typed(stack, "doctor", "--no-address"))
    note(fault, f"503 of /readyz: {brief}", time.monotonic() - begun)


def test_a_database_that_takes_no_changes_shows_its_figures(stack: Stack):
    stack.recovers()
    stack.cluster.sql("alter database vigilo set default_transaction_read_only = on")
    stack.cluster.sql(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename like 'vigilo%'"
    )
    until(lambda: "read-only" in probe(stack).text)
    told = typed(stack, "doctor", "--no-address")
    assert "default_transaction_read_only" in told
    begun = time.monotonic()
    stack.cluster.sql("alter database vigilo reset default_transaction_read_only")
    stack.cluster.sql(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename like 'vigilo%'"
    )
    until(lambda: probe(stack).status_code == 200)
    stack.recovers()
    note("Database read-only", "503 of /readyz: read-only", time.monotonic() - begun)


def test_processes_that_are_all_killed_are_begun_again(stack: Stack):
    stack.recovers()
    stack.web.kill()
    with pytest.raises(requests.ConnectionError):
        stack.ask()
    told = typed(stack, "doctor", VIGILO_BASE_URL=stack.web.address)
    assert f"{stack.web.address.removeprefix('http://')} does not answer" in told
    begun = time.monotonic()
    stack.web.start()
    stack.recovers()
    seconds = time.monotonic() - begun
    assert seconds < bound(60)
    note("Every web process killed", "no answer, until they are begun again", seconds)


def test_a_secret_that_no_key_opens_is_told(stack: Stack):
    """The key of the stack's processes is another than the one that sealed it."""
    stack.cluster.sql(
        "update app_user set totp_secret = '\\x00', totp_confirmed_at = now()"
        " where email = 'bob@x.example'", "vigilo",
    )  # fmt: skip
    told = typed(stack, "doctor", "--no-address")
    begun = time.monotonic()
    stack.cluster.sql("update app_user set totp_secret = null, totp_confirmed_at = null", "vigilo")
    assert stack.is_well()
    assert "no key opens those of 1 second factors" in told, os.linesep + told
    note("Secrets that no key opens", "the doctor counts them by kind", time.monotonic() - begun)
