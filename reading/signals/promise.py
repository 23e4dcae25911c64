"""Promise of the watch: about so many false alarms a quarter, and what that was tested on."""

from __future__ import annotations

from aggregators.catalogue import DOMAINS
from aggregators.signal.rules import NIGHTLY_BUDGETS
from aggregators.signal.series import watched
from aggregators.vocabulary import formats
from storage.database import Database
from storage.watch import learned

SERIES = len(watched(DOMAINS))


def promise(database: Database, workspaces: int) -> str:
    """False alarms to expect in a quarter over so many workspaces, in a sentence."""
    each = (budget * workspaces * SERIES / 1000 for budget in NIGHTLY_BUDGETS)
    may_drift, drifting = (_counted(amount) for amount in each)
    with database.reader.connect() as connection:
        own = list(learned.thresholds(connection).values())
    how = (
        f"tested on {max(o.days for o in own)} days of your own history"
        if own
        else "tested on simulated organisations until there are 180 days of your own history"
    )
    return (
        f"About {may_drift} false alarm{'' if may_drift == '1' else 's'} a quarter at “may be"
        f" drifting” and {drifting} at “drifting” over {formats.counted(workspaces, 'workspace')},"
        f" {how}."
    )


def _counted(amount: float) -> str:
    return formats.number(amount, 0 if amount >= 3 else 1 if amount >= 0.1 else 2)
