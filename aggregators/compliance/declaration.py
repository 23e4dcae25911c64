"""Compliance per framework; never pooled across frameworks."""

from aggregators.vocabulary.domain import CountsAs, Domain
from aggregators.vocabulary.kinds import Level, Ratio
from aggregators.vocabulary.listing import INSTANT, NUMBER, WORD, Column, Listing
from aggregators.vocabulary.measure import DAYS, HIGHER, LEVEL_MIN, LOWER, MeasureTarget

ASSESSED = ("compliant", "partial", "non_compliant")
APPLICABLE = (*ASSESSED, "not_assessed")

ONES = (
    CountsAs(
        "Control",
        "A requirement of a framework. Its result is the worst of its assets' latest: non- "
        "compliant, then partial, not assessed, compliant, not applicable. Several results of "
        "one instant or one scan: the worst. A control whose assets have all left is not "
        "assessed.",
        "Heimdall calls a control with a passed and a skipped result passed; here it is not "
        "assessed, since part of it was not looked at. Prowler's summary counts findings, not "
        "requirements.",
    ),
    CountsAs(
        "Asset",
        "The host, account, project, component or instance that was assessed, as its sender "
        "names it. It leaves with all its results when it is retired, when a complete list "
        "lacks it, or unseen for 90 days (a setting) while no evidence of it holds. Results "
        "without an asset stay.",
        "OpenSCAP's report is of one scan, Heimdall shows the scans that somebody loads: neither "
        "knows of an asset that was not scanned again.",
    ),
)

DOMAIN = Domain(
    key="compliance",
    title="Compliance",
    order=4,
    headline="pass_rate",
    supporting=("coverage", "days_to_lapse", "lapsing_30"),
    ties=("days_to_lapse",),
    columns=("pass_rate", "coverage", "days_to_lapse", "lapsed"),
    by="framework",
    unread=("not_applicable",),
    picture="bars",
    drop_alert=0.05,
    workspace_page="/ws/{slug}/governance/frameworks",
    empty="No workspace in scope has set up a framework yet. Set one up, or import control results.",
    ones=ONES,
    measures=(
        Ratio(
            "pass_rate",
            "Control pass rate",
            part=("compliant",),
            whole=APPLICABLE,
            at_end=True,
            better=HIGHER,
            watch=0.9,
            bad=0.75,
            target=MeasureTarget(0.9),
            definition="Compliant controls over all applicable ones, per framework. Controls not yet "
            "assessed stay in the denominator; partial ones count 0.",
            why="An auditor counts what passes, not what was meant to.",
        ),
        Ratio(
            "coverage",
            "Controls assessed",
            part=ASSESSED,
            whole=APPLICABLE,
            at_end=True,
            better=HIGHER,
            watch=0.9,
            bad=0.7,
            definition="Assessed controls over all applicable ones, per framework.",
        ),
        Level(
            "days_to_lapse",
            "Days to next lapse",
            of=("days_to_lapse",),
            over=LEVEL_MIN,
            unit=DAYS,
            better=HIGHER,
            watch=30,
            bad=7,
            named_by="lapse_control",
            definition="Fewest days until a passing control's evidence expires or its next test is due.",
            why="The next control to fail on paper is known in advance.",
        ),
        Level(
            "lapsing_30",
            "Lapsing within 30 days",
            of=("lapsing_30",),
            better=LOWER,
            watch=1,
            definition="Passing controls whose evidence expires within 30 days.",
        ),
        Level(
            "lapsed",
            "Evidence already out",
            of=("lapsed",),
            better=LOWER,
            bad=1,
            named_by="lapsed_control",
            definition="Controls recorded as compliant whose evidence has already expired.",
        ),
        Level(
            "non_compliant",
            "Non-compliant controls",
            of=("non_compliant",),
            better=LOWER,
            definition="Controls assessed as not compliant.",
        ),
    ),
    records=Listing(
        "Controls",
        "The result of each control at the end of the period, the worst of its assets', what lapses next"
        " first.",
        (
            Column("framework", "Framework", width=140),
            Column("control", "Control"),
            Column("title", "What it asks", width=240),
            Column("result", "Result", WORD, 160),
            Column("evidence", "Evidence", width=190),
            Column("days_to_lapse", "Days to lapse", NUMBER, 140),
            Column("valid_until", "Valid until", INSTANT),
            Column("assessed_at", "Assessed", INSTANT),
            Column("assets", "Assets", NUMBER, 110),
            Column("assets_like_it", "With this result", NUMBER, 150),
            Column("asset_names", "Assets with this result", width=280),
        ),
        "days_to_lapse",
        {"framework": (), "result": (*APPLICABLE, "not_applicable", "failing")},
        {"framework": "of {}", "result": "whose result is {}"},
        record_kind="control-results",
        record_key=("framework", "control"),
    ),
)
