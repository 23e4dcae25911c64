"""Incidents of every cause."""

from aggregators.vocabulary.domain import CountsAs, Domain
from aggregators.vocabulary.kinds import Count, Level, Mean, Quantile, Ratio
from aggregators.vocabulary.listing import DURATION, INSTANT, Column, Listing
from aggregators.vocabulary.measure import HIGHER, LEVEL_MAX, LOWER, SECONDS

MINUTE, HOUR, DAY = 60, 3600, 86400
TRACKED = "incidents_tracked"
ACKNOWLEDGED = "by day of acknowledgement"
RESOLVED = "by day of resolution"

ONES = (
    CountsAs(
        "Incident",
        "A disturbance from its first sign to its final end, so that MTTR includes the time "
        "between an end and a reopening; how often it was reopened stands on its own page, in no "
        "figure. Acknowledged is "
        "the first acknowledgement. One that was merged into another is part of that one and "
        "lends it its signs, not its end, name or severity: by its sender's word, by hand, or by a "
        "rule of the workspace (`mapping set link FIELD same`: a label, annotation or other field "
        "whose value is the key or the address of the other). One that names nothing that is there "
        "stands alone until that comes. One that was withdrawn, and a heartbeat, is in no figure. "
        "Severity is the last known priority, else the sender's urgency, else P3.",
        "PagerDuty resolves a merged incident, so that its lists have both; its analytics "
        "select incidents by when they were created, where MTTA here belongs to the day of the "
        "acknowledgement. DevLake ends an incident with its issue and knows no reopening.",
    ),
    CountsAs(
        "Alert",
        "Its labels without the severity, for as long as it fires: several senders, replicas "
        "and severities tell one incident while their intervals overlap, with the gravest "
        "severity it reached. An earlier start moves it, a later one of the same sender is a "
        "new one. Watchdog, InfoInhibitor and severity none are heartbeats.",
        "Alertmanager notifies by groups and repeats; PagerDuty and Opsgenie make one "
        "incident of all alerts with the same deduplication key.",
    ),
)

DOMAIN = Domain(
    key="incidents",
    title="Incidents",
    order=2,
    headline="open",
    supporting=("mtta", "mttr", "postmortem_coverage"),
    ties=("mttr",),
    columns=("open", "mtta", "mttr", "postmortem_coverage"),
    workspace_page="/ws/{slug}/incidents",
    empty="No workspace in scope has recorded an incident yet.",
    ones=ONES,
    measures=(
        Level(
            "open",
            "Open incidents",
            of=("open_p1", "open_p2", "open_p3", "open_p4"),
            better=LOWER,
            only_where=TRACKED,
            beside=("open_p1", "open_p2", "open_p3", "open_p4", "oldest_open"),
            definition="Incidents open at the end of the snapshot day.",
            why="Each one is somebody waiting.",
        ),
        *(
            Level(
                f"open_{severity}",
                f"Open {severity.upper()}",
                of=(f"open_{severity}",),
                better=LOWER,
                only_where=TRACKED,
                bad=bad,
                definition=f"Incidents of severity {severity.upper()} open at the end of the day.",
            )
            for severity, bad in (("p1", 1), ("p2", None), ("p3", None), ("p4", None))
        ),
        Level(
            "oldest_open",
            "Oldest open",
            of=("oldest_open_seconds",),
            over=LEVEL_MAX,
            unit=SECONDS,
            better=LOWER,
            named_by="oldest_open_incident",
            watch=7 * DAY,
            bad=30 * DAY,
            definition="Age of the oldest incident that is open at the end of the day.",
        ),
        Mean(
            "mtta",
            "MTTA",
            total="ack_seconds",
            count="incidents_acknowledged",
            durations="ack_time",
            better=LOWER,
            watch=15 * MINUTE,
            bad=HOUR,
            beside=("mtta_p50", "mtta_p90"),
            definition=f"Mean time from opened to acknowledged, {ACKNOWLEDGED}.",
            why="Nobody mends what nobody has seen.",
        ),
        Mean(
            "mttr",
            "MTTR",
            total="resolve_seconds",
            count="incidents_resolved",
            durations="resolve_time",
            better=LOWER,
            watch=8 * HOUR,
            bad=DAY,
            beside=("mttr_p50", "mttr_p90"),
            definition=f"Mean time from first sign to final end, {RESOLVED}, whatever the cause.",
            why="It is how long a disturbance lasts.",
        ),
        Ratio(
            "postmortem_coverage",
            "Postmortem coverage",
            part=("postmortems_published",),
            whole=("postmortems_due",),
            better=HIGHER,
            watch=0.9,
            bad=0.7,
            definition="Published postmortems over resolved incidents that require one (P1 and P2 by "
            "default), by the day on which the grace (7 days, a setting) ends.",
            why="An incident nobody learned from comes back.",
        ),
        Quantile(
            "mtta_p50",
            "Time to acknowledge, median",
            of="ack_time",
            q=0.5,
            better=LOWER,
            definition=f"Median time from opened to acknowledged, {ACKNOWLEDGED}.",
        ),
        Quantile(
            "mtta_p90",
            "Time to acknowledge, p90",
            of="ack_time",
            q=0.9,
            better=LOWER,
            definition=f"90th percentile of opened to acknowledged, {ACKNOWLEDGED}.",
        ),
        Quantile(
            "mttr_p50",
            "Time to resolve, median",
            of="resolve_time",
            q=0.5,
            better=LOWER,
            definition=f"Median time from opened to resolved, {RESOLVED}.",
        ),
        Quantile(
            "mttr_p90",
            "Time to resolve, p90",
            of="resolve_time",
            q=0.9,
            better=LOWER,
            definition=f"90th percentile of opened to resolved, {RESOLVED}.",
        ),
        Count(
            "opened",
            "Incidents opened",
            of="incidents_opened",
            better=LOWER,
            only_where=TRACKED,
            definition="Incidents opened in the period.",
        ),
        Count(
            "resolved",
            "Incidents resolved",
            of="incidents_resolved",
            better=HIGHER,
            only_where=TRACKED,
            definition="Incidents resolved in the period.",
        ),
    ),
    records=Listing(
        "Incidents",
        "Incidents that were open in the period, or whose postmortem fell due in it; ages are those "
        "at its end.",
        (
            Column("key", "Incident", width=130),
            Column("title", "Title", width=260),
            Column("severity", "Severity", width=110),
            Column("status", "Status", width=110),
            Column("opened_at", "Opened", INSTANT),
            Column("age", "Age", DURATION, 120),
            Column("acknowledged_at", "Acknowledged", INSTANT),
            Column("time_to_acknowledge", "Time to acknowledge", DURATION, 180),
            Column("resolved_at", "Resolved", INSTANT),
            Column("time_to_resolve", "Time to resolve", DURATION),
            Column("postmortem", "Postmortem", width=180),
            Column("postmortem_due", "Postmortem due", INSTANT),
            Column("caused_by", "Caused by"),
        ),
        "-opened_at",
        record_kind="incidents",
    ),
)
