"""Bodies that are no events: each ends soon, with a reason, whatever the format."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from ingest.formats import INGESTED
from ingest.importer import load
from ingest.kinds import KINDS
from tests.deep import all_but, bound

MB = 1024 * 1024
BODIES = {
    "ones": b"[" + b"1," * (MB // 2) + b"1]",
    "one long number": b'{"event": ' + b"1" * MB + b"}",
    "nested": b"[" * MB,
    "nested objects": b'{"a":' * (MB // 5),
    "empty objects": b"[" + b"{}," * (MB // 3) + b"{}]",
    "empty lines": b"{}\n" * (MB // 3),
    "no alerts": b'{"alerts":[' + b"1," * (MB // 2) + b"1]}",
    "no messages": b'{"messages":[' + b"{}," * (MB // 3) + b"{}]}",
    "a form of brackets": b"payload=" + b"%5B" * (MB // 3),
}
PATIENCE = bound(15)
"""Seconds: it takes two."""


@pytest.mark.parametrize("name", all_but(["nested", "no alerts"], BODIES))
@pytest.mark.parametrize("form", INGESTED)
def test_a_megabyte_that_is_no_event_ends_soon_with_a_reason(
    database, workspaces, tmp_path: Path, form, name
):
    path = tmp_path / "body.json"
    path.write_bytes(BODIES[name])
    kind = next(iter(INGESTED[form].readers))
    begun = time.monotonic()
    (outcome,) = load(database, KINDS[kind], [path], workspace="payments", form=form)
    assert time.monotonic() - begun < PATIENCE
    assert outcome.written == 0
    assert outcome.failed
    assert outcome.problem or outcome.rejects


def test_a_sequence_number_of_thousands_of_digits_costs_itself_alone(
    database, workspaces, tmp_path
):
    status = {"state": "success", "id": 10**4_000, "created_at": "2026-11-10T07:00:00Z"}
    path = tmp_path / "body.json"
    path.write_text(json.dumps({"deployment": {"id": 1}, "deployment_status": status}))
    (outcome,) = load(database, KINDS["deployments"], [path], workspace="payments", form="github")
    assert (outcome.written, outcome.problem) == (1, None)
