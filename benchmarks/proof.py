"""Cost of proving who asks, over a transaction that merely writes it down."""

from __future__ import annotations

from sqlalchemy import text

from benchmarks.installation import Bench
from benchmarks.report.table import timed_in_turn
from storage.context import as_viewer

WRITTEN = text(
    "select set_config('vigilo.user_id', :id, true), set_config('statement_timeout', '0', true)"
)
ROUNDS = 300


def proof_milliseconds(bench: Bench) -> float:
    """Milliseconds that challenge and answer add to a read."""

    def prove_who_asks() -> None:
        with as_viewer(bench.database.web, bench.everyone):
            pass

    def write_who_asks() -> None:
        with bench.database.web.connect() as connection, connection.begin():
            connection.execute(WRITTEN, {"id": str(bench.everyone.user_id)})

    milliseconds = timed_in_turn({"proved": prove_who_asks, "stated": write_who_asks}, ROUNDS)
    return max(0.0, milliseconds["proved"] - milliseconds["stated"])
