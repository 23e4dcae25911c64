"""Service level objectives: budgets and burn. Source: Google SRE workbook, chapter 5."""

from aggregators.vocabulary.domain import CountsAs, Domain
from aggregators.vocabulary.kinds import Level, Ratio
from aggregators.vocabulary.listing import BURN as BURN_COLUMN
from aggregators.vocabulary.listing import NUMBER, SHARE, WORD, Column, Listing
from aggregators.vocabulary.measure import BURN, HIGHER, LEVEL_MAX, LEVEL_MIN, LOWER, RATIO, SECONDS

TRACKED, SEEN = "objectives", "objectives_with_data"
"""Where objectives are set up, and where any had traffic: without it there is no budget to keep."""

ONES = (
    CountsAs(
        "Objective window",
        "The days over which an objective's budget is spent: so many rolling days, or the "
        "calendar week (from Monday), month, quarter or year from its first day in the "
        "reporting zone. An objective keeps its own name; a second one in its file is another "
        "objective.",
        "Sloth's windows roll, 30 days by default. OpenSLO has both kinds.",
    ),
)

DOMAIN = Domain(
    key="slos",
    title="SLOs",
    order=3,
    headline="objectives_in_budget",
    supporting=("in_budget", "exhausted", "fastest_burn"),
    ties=("fastest_burn",),
    worst_by="fastest_burn",
    columns=("objectives_in_budget", "fastest_burn", "hours_left", "budget_remaining"),
    workspace_page="/ws/{slug}/slos",
    empty="No workspace in scope has set up an objective with data yet.",
    ones=ONES,
    measures=(
        Ratio(
            "objectives_in_budget",
            "Objectives in budget",
            part=("objectives_in_budget",),
            whole=("objectives_with_data",),
            at_end=True,
            better=HIGHER,
            watch=0.95,
            bad=0.80,
            beside=("no_traffic",),
            definition="Objectives whose error budget over their own window is not exhausted, over the "
            "objectives that had traffic.",
            why="A promise to users is kept or it is not.",
        ),
        Level(
            "in_budget",
            "In budget",
            of=("objectives_in_budget",),
            better=HIGHER,
            only_where=SEEN,
            of_total="with_data",
            definition="Objectives with budget left, of those that had traffic.",
        ),
        Level(
            "with_data",
            "Objectives with traffic",
            of=("objectives_with_data",),
            better=HIGHER,
            only_where=TRACKED,
            definition="Objectives that had traffic within their window.",
        ),
        Level(
            "exhausted",
            "Budget exhausted",
            of=("objectives_exhausted",),
            better=LOWER,
            only_where=SEEN,
            watch=1,
            definition="Objectives whose error budget is spent.",
        ),
        Level(
            "fastest_burn",
            "Fastest burn",
            of=("fastest_burn",),
            over=LEVEL_MAX,
            unit=BURN,
            better=LOWER,
            watch=1,
            bad=3,
            named_by="fastest_burn_objective",
            beside=("burn_1h",),
            definition="The fastest burn over the last 24 hours: share of bad events over the share that "
            "the target allows. 1 spends the budget exactly within the window.",
            why="It says which objective will be lost next.",
        ),
        Level(
            "burn_1h",
            "Worst hour's burn",
            of=("burn_1h",),
            over=LEVEL_MAX,
            unit=BURN,
            better=LOWER,
            named_by="burn_1h_objective",
            definition="The worst burn over one hour of the day.",
        ),
        Level(
            "hours_left",
            "Next budget spent in",
            of=("budget_seconds_left",),
            over=LEVEL_MIN,
            unit=SECONDS,
            better=HIGHER,
            named_by="budget_seconds_left_objective",
            definition="Time until the next of the budgets that are not spent yet will be, if the last 24 "
            "hours' burn goes on.",
        ),
        Level(
            "budget_remaining",
            "Lowest budget remaining",
            of=("budget_remaining",),
            over=LEVEL_MIN,
            unit=RATIO,
            better=HIGHER,
            watch=0.25,
            bad=0.0,
            named_by="budget_remaining_objective",
            definition="The lowest remaining error budget: 1 - bad / ((1 - target) x total) over the "
            "objective's window. Below zero it is overspent.",
        ),
        Level(
            "no_traffic",
            "Objectives without traffic",
            of=("objectives_no_traffic",),
            better=LOWER,
            only_where=TRACKED,
            definition="Objectives with no events in their window; counted apart, never as in budget.",
        ),
    ),
    records=Listing(
        "Objectives",
        "Each objective over its own window at the end of the period. Burn limits are those of the "
        "SRE workbook, scaled to the window.",
        (
            Column("key", "Objective"),
            Column("name", "Name", width=220),
            Column("type", "Type", WORD, 120),
            Column("target", "Target", SHARE, 100),
            Column("window_days", "Window, days", NUMBER, 130),
            Column("state", "State", width=120),
            Column("remaining", "Budget left", SHARE, 120),
            Column("burn", "Burn, 24 h", BURN_COLUMN, 120),
            Column("burn_limit", "Limit, 24 h", BURN_COLUMN, 120),
            Column("burn_1h", "Worst hour", BURN_COLUMN, 120),
            Column("burn_1h_limit", "Limit, 1 h", BURN_COLUMN, 120),
            Column("burn_6h", "Worst 6 h", BURN_COLUMN, 120),
            Column("burn_6h_limit", "Limit, 6 h", BURN_COLUMN, 120),
            Column("alert", "Acts now", width=180),
            Column("good", "Good events", NUMBER),
            Column("total", "All events", NUMBER),
        ),
        "remaining",
        record_kind="slos",
    ),
)
