"""Promise of the watch: about so many false alarms a quarter, what that was tested on, and from which day
on it says anything about a workspace."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine, text

from aggregators.catalogue import DOMAINS
from aggregators.signal.rules import LEARNING_DAYS, NIGHTLY_BUDGETS
from aggregators.signal.series import watched_series
from aggregators.vocabulary import formats
from storage import context
from storage.database import Database
from storage.viewer import Viewer
from storage.watch import learned

SERIES = len(watched_series(DOMAINS))


def promise(database: Database, workspaces: int) -> str:
    """False alarms to expect in a quarter over so many workspaces, in a sentence."""
    amounts = (budget * workspaces * SERIES / 1000 for budget in NIGHTLY_BUDGETS)
    may_drift, drifting = (_alarm_count(amount) for amount in amounts)
    with database.reader.connect() as connection:
        own_thresholds = list(learned.thresholds(connection).values())
    tested_on = (
        f"tested on {max(o.days for o in own_thresholds)} days of your own history"
        if own_thresholds
        else "tested on simulated organisations until there are 180 days of your own history"
    )
    return (
        f"About {may_drift} false alarm{'' if may_drift == '1' else 's'} a quarter at “may be"
        f" drifting” and {drifting} at “drifting” over {formats.counted(workspaces, 'workspace')},"
        f" {tested_on}."
    )


def _alarm_count(amount: float) -> str:
    if amount < 0.005:  # of a few workspaces: it would read 0.00
        return "almost none"
    return formats.number(amount, 0 if amount >= 3 else 1 if amount >= 0.1 else 2)


ENDS = text("""
select min(s.snapshot_date), max(s.snapshot_date)
from workspace_usage_snapshot s where s.workspace_id = :w
""")


def learning_until(engine: Engine, viewer: Viewer, workspace_id: int) -> date | None:
    """Day from which the watch can call a series of the workspace drifting; None where it can already, or
    where no snapshot was made."""
    with context.in_workspace(engine, viewer, workspace_id) as connection:
        first, last = connection.execute(ENDS, {"w": workspace_id}).one()
    if first is None:
        return None
    learned_on = first + timedelta(days=LEARNING_DAYS)
    return learned_on if learned_on > last else None
