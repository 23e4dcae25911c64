"""Files with more than a thousand records of each kind that has a look-up of its own.

Parts of deployments, retried attempts, roll-backs, changes that are listed twice, incidents that a
deployment caused, results of assets that left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

MANY = 1_200
START = datetime(2026, 9, 25, tzinfo=UTC)
STEP = timedelta(minutes=68)
"""Between one record and the next: 1,200 of them are all but 57 days."""


def _at(nth: float) -> str:
    return f"{START + nth * STEP:%Y-%m-%dT%H:%M:%SZ}"


def _deployments() -> Iterator[str]:
    yield "key,created_at,completed_at,outcome,service,merged_into"
    for n in range(MANY):
        failed = "rolled_back" if n % 9 == 3 else "failed"
        outcome = "successful" if n % 3 else failed
        service = "never-succeeds" if n % 27 == 0 else ("", "api", "web", "batch")[n % 4]
        part_of = f"d{n - 5}" if n % 7 == 6 and (n - 5) % 7 != 6 else ""
        yield f"d{n},{_at(n - 1.5)},{_at(n)},{outcome},{service},{part_of}"


def _changes() -> Iterator[str]:
    yield "deployment,key,committed_at"
    for n in range(MANY):
        yield f"d{n},c{n // 2},{_at(n // 2 * 2 - 20)}"


def _roll_backs() -> Iterator[str]:
    yield "key,rolled_back_at,environment,service"
    for n in range(0, MANY, 5):
        yield f"r{n},{_at(n + 0.4)},production,{('', 'api', 'web', 'batch')[n % 4]}"


def _incidents() -> Iterator[str]:
    yield "key,severity,opened_at,resolved_at,caused_by"
    for n in range(MANY):
        resolved, cause = _at(n + 3) if n % 4 else "", f"d{n}" if n % 2 else ""
        yield f"i{n},p{1 + n % 4},{_at(n + 0.1)},{resolved},{cause}"


def _control_results() -> Iterator[str]:
    yield "framework,control,asset,result,assessed_at,valid_until"
    for n in range(MANY):
        result = ("compliant", "partial", "compliant", "non_compliant", "compliant")[n % 5]
        until = _at(n + 900) if n % 2 else ""
        yield f"F{n % 3},C{n % 11},a{n % 40},{result},{_at(n)},{until if result == 'compliant' else ''}"


def _asset_retirements() -> Iterator[str]:
    yield "asset,framework,retired_at"
    for n in range(0, 40, 3):
        yield f"a{n},{'F1' if n % 2 else ''},{_at(n * 28)}"


FILES: Mapping[str, str] = {
    kind: "\n".join(lines) + "\n"
    for kind, lines in {
        "deployments": _deployments(),
        "changes": _changes(),
        "roll-backs": _roll_backs(),
        "incidents": _incidents(),
        "control-results": _control_results(),
        "asset-retirements": _asset_retirements(),
    }.items()
}
"""Content of a file by the kind of its records."""
