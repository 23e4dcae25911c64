"""Vendor risk: tier-1 vendors and their reviews."""

from aggregators.vocabulary.domain import CountsAs, Domain
from aggregators.vocabulary.kinds import Level, Ratio
from aggregators.vocabulary.listing import DAY, NUMBER, Column, Listing
from aggregators.vocabulary.measure import DAYS, HIGHER, LEVEL_MAX, LEVEL_MIN, LOWER

TRACKED = "vendors_tracked"

ONES = (
    CountsAs(
        "Vendor",
        "An active entry of the register by its key, whatever its name; reviewed when its "
        "last review's next date, or the cadence of its tier, has not passed.",
        "Probo's list of third parties says neither how critical one is nor when it was "
        "reviewed: here each of them is of the last tier and unreviewed until somebody says so.",
    ),
)

DOMAIN = Domain(
    key="vendors",
    title="Vendor risk",
    order=6,
    headline="tier1_out_of_review",
    supporting=("tier1_vendors", "tier1_due_30", "longest_overdue"),
    ties=("longest_overdue",),
    columns=("tier1_out_of_review", "tier1_in_review_rate", "longest_overdue", "next_review"),
    workspace_page="/ws/{slug}/governance/vendors",
    empty="No workspace in scope has registered a vendor yet.",
    ones=ONES,
    measures=(
        Level(
            "tier1_out_of_review",
            "Tier-1 vendors out of review",
            of=("tier1_out_of_review",),
            better=LOWER,
            only_where=TRACKED,
            watch=1,
            bad=3,
            beside=("never_reviewed",),
            definition="Active tier-1 vendors never reviewed, or whose next review was due before the "
            "snapshot day.",
            why="The most critical suppliers are trusted on old evidence.",
        ),
        Ratio(
            "tier1_in_review_rate",
            "Tier-1 vendors in review",
            part=("tier1_in_review",),
            whole=("tier1_active",),
            at_end=True,
            better=HIGHER,
            watch=0.95,
            bad=0.8,
            definition="Active tier-1 vendors that are not out of review, over all of them.",
        ),
        Level(
            "tier1_vendors",
            "Tier-1 vendors",
            of=("tier1_active",),
            better=LOWER,
            only_where=TRACKED,
            definition="Active vendors of tier 1, the most critical.",
        ),
        Level(
            "tier1_due_30",
            "Reviews due in 30 days",
            of=("tier1_due_30",),
            better=LOWER,
            only_where=TRACKED,
            definition="Active tier-1 vendors in review whose next one is due within 30 days.",
        ),
        Level(
            "longest_overdue",
            "Longest overdue",
            of=("longest_overdue_days",),
            over=LEVEL_MAX,
            unit=DAYS,
            better=LOWER,
            named_by="longest_overdue_vendor",
            watch=1,
            bad=30,
            definition="Days since the oldest missed review date of an active tier-1 vendor.",
        ),
        Level(
            "next_review",
            "Next review",
            of=("next_review_days",),
            over=LEVEL_MIN,
            unit=DAYS,
            better=HIGHER,
            named_by="next_review_vendor",
            definition="Days until the next review of an active tier-1 vendor that is in review.",
        ),
        Level(
            "never_reviewed",
            "Never reviewed",
            of=("tier1_never_reviewed",),
            better=LOWER,
            only_where=TRACKED,
            watch=1,
            definition="Active tier-1 vendors without any completed review.",
        ),
    ),
    records=Listing(
        "Vendors",
        "Vendors known at the end of the period. Active ones of tier 1 count in the figures.",
        (
            Column("tier", "Tier", NUMBER, 90),
            Column("name", "Vendor", width=220),
            Column("status", "Status", width=120),
            Column("review", "Review", width=170),
            Column("days_overdue", "Days overdue", NUMBER, 140),
            Column("due_on", "Next due", DAY),
            Column("reviewed_on", "Last reviewed", DAY),
            Column("counts", "Counts", width=110),
            Column("key", "Key"),
        ),
        "tier,-days_overdue",
        {"review": ("never reviewed", "overdue", "due within 30 days", "in review")},
        {"review": "with review {}"},
        record_kind="vendors",
    ),
)
