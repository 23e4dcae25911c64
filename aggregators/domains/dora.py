"""Delivery: the four DORA metrics."""

from aggregators.listing import DURATION, INSTANT, NUMBER, Column, Listing
from aggregators.measure import (
    HIGHER,
    LOWER,
    Band,
    Count,
    Domain,
    Level,
    Quantile,
    Rate,
    Ratio,
)

HOUR, DAY, WEEK, MONTH = 3600, 86400, 7 * 86400, 30 * 86400
TRACKED = "delivery_tracked"

RECOVERY_BANDS = (
    Band(name="elite (2023)", limit=HOUR),
    Band(name="high (2023)", limit=DAY),
    Band(name="medium (2023)", limit=WEEK),
    Band(name="low (2023)", limit=float("inf")),
)
LEAD_BANDS = (
    Band(name="elite (2023)", limit=DAY),
    Band(name="high (2023)", limit=WEEK),
    Band(name="medium (2023)", limit=MONTH),
    Band(name="low (2023)", limit=float("inf")),
)

DOMAIN = Domain(
    key="dora",
    title="Delivery (DORA)",
    order=1,
    headline="change_failure_rate",
    supporting=("deploy_frequency", "lead_time_for_changes", "mttr"),
    ties=("failed_deployments",),
    columns=("change_failure_rate", "deploy_frequency", "lead_time_for_changes", "mttr"),
    workspace_page="/ws/{slug}/analytics",
    empty="No workspace in scope has recorded a deployment yet.",
    measures=(
        Ratio(
            "change_failure_rate",
            "Change failure rate",
            part=("failed_deployments",),
            whole=("ended_deployments",),
            better=LOWER,
            watch=0.10,
            bad=0.15,
            bands=(
                Band(name="elite (2023)", limit=0.05),
                Band(name="high (2023)", limit=0.10),
                Band(name="medium (2023)", limit=0.15),
                Band(name="low (2023)", limit=1.0),
            ),
            definition="Production deployments that failed, were rolled back or caused an incident, "
            "over all production deployments that ended; by day of deployment. "
            "Cancelled ones never count.",
            why="It says how often a change to production hurts someone.",
        ),
        Rate(
            "deploy_frequency",
            "Deploy frequency",
            of="successful_deployments",
            better=HIGHER,
            only_where=TRACKED,
            bands=(
                Band(name="on demand (2023)", limit=1.0),
                Band(name="daily to weekly (2023)", limit=1 / 7),
                Band(name="weekly to monthly (2023)", limit=1 / 30),
                Band(name="rarer than monthly (2023)", limit=0.0),
            ),
            definition="Production deployments closed successful or successful with issues, per day.",
            why="Small, frequent changes fail small and are undone quickly.",
        ),
        Quantile(
            "lead_time_for_changes",
            "Lead time, median",
            of="lead_time",
            q=0.5,
            better=LOWER,
            watch=WEEK,
            bad=MONTH,
            beside=("lead_time_p90",),
            bands=LEAD_BANDS,
            definition="Median of the time from a change's commit (or the deployment's creation where "
            "its changes are not recorded) to its successful deployment in production; "
            "by day of deployment.",
            why="It is how long an idea, or a fix, waits before it helps anyone.",
        ),
        Quantile(
            "lead_time_p90",
            "Lead time, p90",
            of="lead_time",
            q=0.9,
            better=LOWER,
            bands=LEAD_BANDS,
            definition="The lead time that nine of ten changes stay within.",
        ),
        Quantile(
            "mttr",
            "Recovery time, median",
            of="recovery_time",
            q=0.5,
            better=LOWER,
            watch=DAY,
            bad=WEEK,
            beside=("mttr_p90", "recoveries_open"),
            bands=RECOVERY_BANDS,
            definition="Failed deployment recovery time: the median from a failed deployment to the "
            "resolution of the incident that it caused; by day of resolution. Unresolved ones are "
            "counted beside it.",
            why="It is how long customers live with a change that went wrong.",
        ),
        Quantile(
            "mttr_p90",
            "Recovery time, p90",
            of="recovery_time",
            q=0.9,
            better=LOWER,
            bands=RECOVERY_BANDS,
            definition="The recovery time that nine of ten failed deployments stay within.",
        ),
        Level(
            "recoveries_open",
            "Not recovered yet",
            of=("recoveries_open",),
            better=LOWER,
            only_where=TRACKED,
            definition="Incidents caused by a deployment and unresolved at the end of the day.",
        ),
        Count(
            "deployments",
            "Deployments",
            of="ended_deployments",
            better=HIGHER,
            only_where=TRACKED,
            definition="Production deployments that ended, cancelled ones left out.",
        ),
        Count(
            "failed_deployments",
            "Failed deployments",
            of="failed_deployments",
            better=LOWER,
            only_where=TRACKED,
            definition="Distinct production deployments that failed, were rolled back or caused an "
            "incident.",
        ),
    ),
    records=Listing(
        "Deployments",
        "Production deployments that ended in the period; each counts once. Lead time is the median "
        "over the deployment's changes. Those of a day without a snapshot are in no figure.",
        (
            Column("completed_at", "Completed", INSTANT),
            Column("key", "Deployment"),
            Column("service", "Service"),
            Column("outcome", "Outcome", width=180),
            Column("failed", "Failed", width=100),
            Column("incidents", "Incidents caused", NUMBER),
            Column("created_at", "Created", INSTANT),
            Column("changes", "Changes", NUMBER, 110),
            Column("lead_time", "Lead time", DURATION),
            Column("counted", "In the figure", width=130),
        ),
        "-completed_at",
    ),
)
