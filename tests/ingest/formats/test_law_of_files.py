"""The law of the fold, over files of every format and kind: the order of their parts, and of what was told
in several files, changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregators.records.kinds import RecordKind
from aggregators.records.statements import as_in_a_file
from ingest.formats import FORMATS
from ingest.kinds import KINDS
from tests.deep import efforts
from tests.ingest.formats.event_bodies import EVENT_BODIES
from tests.ingest.formats.telling import RECEIVED, at, one_after_another, records, told
from tests.ingest.formats.test_hdf import control, profile, report
from tests.ingest.formats.test_oscal import document, finding
from tests.ingest.formats.test_prowler import ocsf
from tests.ingest.formats.test_x509 import certificate, pem
from tests.ingest.formats.test_xccdf import rule, scanned

CLOCKS = [f"2026-11-10T0{hour}:{half}0:00Z" for hour in (7, 8, 9) for half in (0, 3)]
WORDS = {
    "outcome": ["successful", "failed", "cancelled"],
    "severity": ["p1", "SEV-2", "wobbly"],
    "result": ["compliant", "partial", "non_compliant"],
    "environment": ["production", "live", "qa"],
    "status": ["active", "suspended"],
    "type": ["latency", "custom"],
    "tier": ["1", "4"],
    "postmortem_required": ["yes", "no"],
    "window": ["", "days", "month"],
    "window_days": ["", "7", "28"],
    "good": ["1", "2"],
    "total": ["2", "3"],
    "target_percent": ["99", "99.5"],
    "fingerprint": ["ab" * 32, "cd" * 32],
    "port": ["443", "8443"],
}


class KnownFile(NamedTuple):
    """A format's file: its parts, drawn at random, and how they make one."""

    form: str
    kind: str
    part: Callable[[Random], Any]
    joined: Callable[[Sequence[Any]], Any]


def csv(kind: RecordKind) -> KnownFile:
    """CSV of a kind; an hour apart so that no end lies before its beginning by chance alone."""
    names = [column for column in kind.columns if column != "workspace"]

    def cell(random: Random, name: str) -> str:
        if kind.types.get(name) == "instant":
            return random.choice([*CLOCKS, ""] if name not in kind.required else CLOCKS)
        if kind.types.get(name) == "day":
            return as_in_a_file(at("09:00", random.randint(1, 4)).date())
        required = name in kind.required or name in kind.key
        return random.choice(WORDS.get(name, ["A", "B"] if required else ["1", "2", ""]))

    def part(random: Random) -> str:
        told = {name: cell(random, name) for name in names}
        for low, high in ((o.low, o.high) for o in kind.orders):
            told[low], told[high] = sorted((told[low], told[high]))
        return ",".join(told.values())

    return KnownFile(
        "csv", kind.name, part, lambda parts: "\n".join([",".join(names), *parts, ""]).encode()
    )


def scan(random: Random) -> dict[str, Any]:
    """A control of Heimdall's format."""
    states = random.choices(["passed", "failed", "skipped"], k=random.randint(0, 2))
    return control(random.choice("xyz"), random.choice([0, 0.5]), *states, at=random.choice(CLOCKS))


def slo(random: Random) -> dict[str, Any]:
    """An objective as OpenSLO has it."""
    window = random.choice(["28d", "7d"])
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": random.choice(["stock", "parcels", "desk"])},
        "spec": {
            "timeWindow": [{"duration": window, "isRolling": True}],
            "objectives": [{"target": random.choice([0.9, 0.99])}],
        },
    }


SLOTH = b"version: prometheus/v1\nservice: depot\nslos:\n"
CERTIFICATES = [
    certificate("one.example"),
    certificate("one.example", datetime(2028, 1, 1, tzinfo=UTC)),
    certificate("two.example"),
]


def sloth(random: Random) -> bytes:
    """An objective as Sloth has it."""
    name, target = random.choice(["stock", "parcels"]), random.choice([99, 99.5])
    return (
        f"  - name: {name}\n    objective: {target}\n    sli:\n      events:\n"
        '        error_query: "sum(rate(lost[{{ .window }}]))"\n'
        '        total_query: "sum(rate(all[{{.window}}]))"\n'
    ).encode()


def page(random: Random) -> bytes:
    """An incident as cstate has it."""
    front = {
        "title": random.choice(["Slow", "Down"]),
        "date": random.choice(CLOCKS),
        "severity": random.choice(["down", "notice", "odd"]),
        "resolved": random.random() < 0.5,
        "resolvedWhen": random.choice(CLOCKS),
    }
    return f"---\n{json.dumps(front)}\n---\nWords.\n".encode()


FILES: dict[str, KnownFile] = {
    **{f"csv-{name}": csv(kind) for name, kind in KINDS.items() if kind.tenant},
    "hdf": KnownFile(
        "hdf",
        "control-results",
        scan,
        lambda parts: report(profile("p", control("timed", 1, "passed"), *parts)),
    ),
    "oscal": KnownFile(
        "oscal",
        "control-results",
        lambda random: finding(
            random.choice(["ac-1", "ac-2"]), random.choice(["satisfied", "not-satisfied"])
        ),
        lambda parts: document(finding("ac-9"), *parts),
    ),
    "xccdf": KnownFile(
        "xccdf",
        "control-results",
        lambda random: rule(
            random.choice("ab"),
            random.choice(["pass", "fail", "notselected"]),
            time=random.choice(CLOCKS),
        ),
        lambda parts: scanned("".join([rule("c", "pass"), *parts])).encode(),
    ),
    "prowler": KnownFile(
        "prowler",
        "control-results",
        lambda random: ocsf(
            random.choice(["PASS", "FAIL", "MANUAL"]),
            random.choice("12"),
            time_dt=random.choice(CLOCKS),
        ),
        list,
    ),
    "openslo": KnownFile("openslo", "slos", slo, lambda parts: json.dumps(list(parts)).encode()),
    "sloth": KnownFile("sloth", "slos", sloth, lambda parts: SLOTH + b"".join(parts)),
    "jenkins-status": KnownFile("jenkins-status", "incidents", page, min),
    "x509": KnownFile(
        "x509", "certificates", lambda random: pem(random.choice(CERTIFICATES)), b"".join
    ),
    "probo": KnownFile(
        "probo",
        "vendors",
        lambda random: {
            "name": random.choice(["Ärzte AG", "Ink"]),
            "privacyPolicyUrl": "https://x",
        },
        list,
    ),
}


def test_every_format_of_files_has_one():
    """Git's repositories are no files."""
    told = {file.form for file in FILES.values()} | set(EVENT_BODIES) | {"git", "git-history"}
    assert set(FORMATS) <= told


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("effort", efforts(few=25, many=500, deep=10_000))
def test_files_in_any_order_of_their_parts_make_the_same_records(name, effort):
    @effort
    @given(seed=st.integers(0, 2**32 - 1))
    def check(seed):
        holds_in_any_order(FILES[name], Random(seed))

    check()


def holds_in_any_order(file: KnownFile, random: Random) -> None:
    """Parts of two files in another order, and twice, make the same records."""
    drawn = [[file.part(random) for _ in range(random.randint(1, 4))] for _ in range(2)]
    statements = one_after_another(file.form, file.kind, map(file.joined, drawn))
    expected = records(file.kind, statements)
    random.shuffle(statements)
    again = [*statements, *random.choices(statements, k=2)] if statements else []
    assert records(file.kind, again) == expected
    for parts in drawn:
        random.shuffle(parts)
    other = one_after_another(file.form, file.kind, map(file.joined, drawn))
    assert records(file.kind, other) == expected
    assert {t.statement.received_at for t in told(file.form, file.kind, file.joined(drawn[0]))} <= {
        RECEIVED
    }
