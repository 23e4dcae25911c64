"""Delivery: the four DORA metrics."""

from aggregators.vocabulary.domain import CountsAs, Domain
from aggregators.vocabulary.kinds import Count, Level, Quantile, Rate, Ratio
from aggregators.vocabulary.listing import DURATION, INSTANT, NUMBER, WORD, Column, Listing
from aggregators.vocabulary.measure import HIGHER, LOWER, Band

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

ONES = (
    CountsAs(
        "Deployment",
        "A release of a service that ended, by its key; its outcome is the last terminal one "
        "by the sender's clock. Only production counts: as the sender says, else as the "
        "workspace maps the environment's name. A roll-back is no deployment: it undoes, as "
        "rolled back, the newest one of its service and environment (by what its name means: "
        "`prod` and `production` are one) that was complete before "
        "it and is not undone yet. An older commit deployed again is a deployment that "
        "carries no change. Pre-releases are no production deployments unless a setting says "
        "so. A subject that names a hotfix makes no release a hotfix: a release failed when "
        "its successor reverts one of its commits, or consists of fixes alone, within 72 "
        "hours. One that is the same as another, by hand or by a rule of the workspace (`mapping "
        "set link FIELD same`), counts once with it: with the outcome, end, service and "
        "environment of the other, the earlier creation, the changes and incidents of both, and "
        "undone by a roll-back of either's service.",
        "DevLake counts every deployment that has a success, roll-backs among them, and none "
        "that only failed. GitHub lists an environment's deployments whatever they are; its "
        "later `inactive` ends none here.",
    ),
    CountsAs(
        "Change",
        "A commit from when its author made it (a merge request from its first commit where "
        "only that is known, as does the commit of GitHub that a pull request was squashed "
        "into), counted once: with the first successful deployment of its service that "
        "carries it, also when an attempt before it failed and listed it. A merge of two "
        "parents is none in git and GitHub: the commits that it brings are. A first tag's "
        "history has no lead time.",
        "DevLake compares each deployment with the successful one before it, so that what its "
        "first one brought has no lead time either; it measures merged pull requests, from "
        "their first commit, where here each commit counts, and a squash as one.",
    ),
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
    ones=ONES,
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
            Column("outcome", "Outcome", WORD, 180),
            Column("failed", "Failed", width=100),
            Column("incidents", "Incidents caused", NUMBER),
            Column("created_at", "Created", INSTANT),
            Column("changes", "Changes", NUMBER, 110),
            Column("lead_time", "Lead time", DURATION),
            Column("counted", "In the figure", width=130),
        ),
        "-completed_at",
        {"failed": ("yes", "no")},
        {"failed": "that count as failed: {}"},
        record_kind="deployments",
    ),
)
