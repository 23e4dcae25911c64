"""Cost of proving who asks, over a transaction that merely writes it down."""

from __future__ import annotations

from sqlalchemy import text

from benchmarks.installation import Bench
from benchmarks.report.table import together
from storage.context import as_viewer

WRITTEN = text(
    "select set_config('vigilo.user_id', :id, true), set_config('statement_timeout', '0', true)"
)
ROUNDS = 300


def proof_milliseconds(bench: Bench) -> float:
    """Milliseconds that challenge and answer add to a read."""

    def proved() -> None:
        with as_viewer(bench.database.web, bench.everyone):
            pass

    def stated() -> None:
        with bench.database.web.connect() as connection, connection.begin():
            connection.execute(WRITTEN, {"id": str(bench.everyone.user_id)})

    taken = together({"proved": proved, "stated": stated}, ROUNDS)
    return max(0.0, taken["proved"] - taken["stated"])
