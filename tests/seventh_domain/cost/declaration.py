"""Cost: spending against a budget, by cost centre."""

from aggregators.vocabulary.domain import Domain
from aggregators.vocabulary.kinds import Count, Level, Quantile, Ratio
from aggregators.vocabulary.listing import DURATION, INSTANT, NUMBER, Column, Listing
from aggregators.vocabulary.measure import LOWER

DOMAIN = Domain(
    key="cost",
    title="Cost",
    headline="budget_used",
    supporting=("spent", "waiting", "approval_time"),
    ties=("spent",),
    columns=("budget_used", "spent", "waiting", "approval_time"),
    by="cost_centre",
    picture="bars",
    workspace_page="/ws/{slug}/finance/cost",
    empty="No workspace in scope has recorded any spending yet.",
    measures=(
        Ratio(
            "budget_used",
            "Budget used",
            part=("spent",),
            whole=("budget",),
            better=LOWER,
            watch=0.9,
            bad=1.0,
            definition="What was spent over what was planned for it, by the day of the request.",
            why="Money that was not planned is missing elsewhere.",
        ),
        Count(
            "spent",
            "Spent",
            of="spent",
            better=LOWER,
            definition="What was spent, by the day of the request.",
        ),
        Level(
            "waiting",
            "Waiting for approval",
            of=("waiting",),
            better=LOWER,
            watch=5,
            definition="Requests that nobody has approved by the end of the day.",
        ),
        Quantile(
            "approval_time",
            "Approval time, median",
            of="approval_time",
            q=0.5,
            better=LOWER,
            definition="Median of the time from a request to its approval; by day of approval.",
        ),
    ),
    records=Listing(
        "Spending",
        "Requests of the period, newest first.",
        (
            Column("requested_at", "Requested", INSTANT),
            Column("key", "Request"),
            Column("cost_centre", "Cost centre"),
            Column("amount", "Amount", NUMBER),
            Column("budget", "Budget", NUMBER),
            Column("state", "State"),
            Column("approval_time", "Approval time", DURATION),
        ),
        "-requested_at",
        {"state": ("waiting", "approved")},
        {"state": "that are {}"},
    ),
)
