"""Numbers of isolation in docs/assurance.md are those of the tests."""

from __future__ import annotations

import json

from docs import isolation
from tests.api.test_openapi import CASES, FUZZED
from tests.commands import people
from tests.commands.people import NAMING, OPERATORS
from tests.deep import DEEP
from tests.storage.audit.test_chain import HARM
from tests.storage.rights.test_crowd import CHECKS
from tests.storage.rights.test_oracle import CLAUSES, MUTANTS
from tests.storage.rights.test_probe_at_start import BROKEN
from tests.storage.rights.test_probes import OUTSIDE, PROBES
from tests.web.edge.matrix import CALLBACKS, PEOPLE, ROWS
from tests.web.edge.test_malformed import BODIES


def test_the_numbers_are_those_of_the_tests():
    told = json.loads(isolation.TRIED.read_text(encoding="utf-8"))
    effort = "deep" if DEEP else "quick"
    assert {name: row[effort] for name, row in told.items() if "plain Python" not in name} == {
        "64 threads on a pool of five, with errors and killed connections": CHECKS["directly"],
        "the same through pgbouncer in transaction mode": CHECKS["pgbouncer"],
        "mutants of policies and of the look-up": len(MUTANTS) + len(CLAUSES),
        "probes as the web role": len(PROBES) + len(OUTSIDE),
        "harm to policies, roles and functions": len(BROKEN),
        "harm to the audit": len(HARM),
        "who may what by route": len(ROWS) * len(PEOPLE),
        "who may what by callback": len(CALLBACKS) * len(PEOPLE),
        "who may what by command": (
            len(NAMING) * len(people.PEOPLE) + len({r.path for r in NAMING}) + len(OPERATORS)
        ),
        "requests made from the API's description": len(FUZZED) * CASES[effort],
        "malformed bodies of callbacks": len(CALLBACKS) * BODIES,
    }
    assert {row["leaks"] for row in told.values()} == {0}
