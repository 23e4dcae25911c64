"""Certificate health: what expires, and when."""

from aggregators.vocabulary.domain import CountsAs, Domain
from aggregators.vocabulary.kinds import Level
from aggregators.vocabulary.listing import DURATION, INSTANT, Column, Listing
from aggregators.vocabulary.measure import LOWER

TRACKED = "certificates_tracked"

ONES = (
    CountsAs(
        "Certificate",
        "The SHA-256 of its DER, on however many hosts. One with the same names and key usage "
        "that began after another began and before that one ended supersedes it, so that "
        "three renewals of a name are one certificate and none expired.",
        "What watches files or addresses, such as x509-certificate-exporter, counts each file "
        "or each host and port, and an expired file until somebody removes it.",
    ),
)

DOMAIN = Domain(
    key="certificates",
    title="Certificates",
    order=5,
    headline="within_7",
    supporting=("within_30", "within_90", "expired"),
    ties=("within_30", "within_90", "expired"),
    columns=("expired", "within_7", "within_30", "within_90"),
    cell_queries={
        "expired": "status=expired",
        "within_7": "within=7&status=expiring",
        "within_30": "within=30&status=expiring",
        "within_90": "within=90&status=expiring",
    },
    picture="matrix",
    workspace_page="/ws/{slug}/monitor/certs",
    empty="No workspace in scope has registered a certificate yet.",
    ones=ONES,
    measures=(
        Level(
            "within_7",
            "Expiring within 7 days",
            of=("cert_7",),
            better=LOWER,
            only_where=TRACKED,
            bad=1,
            definition="Certificates that expire within 7 days, to the second, of the end of the snapshot "
            "day. Revoked, superseded and expired ones do not count.",
            why="An expired certificate is an outage with a date.",
        ),
        Level(
            "within_30",
            "Expiring within 30 days",
            of=("cert_7", "cert_30"),
            better=LOWER,
            only_where=TRACKED,
            bad=5,
            definition="As within 7 days, with 30.",
        ),
        Level(
            "within_90",
            "Expiring within 90 days",
            of=("cert_7", "cert_30", "cert_90"),
            better=LOWER,
            only_where=TRACKED,
            definition="As within 7 days, with 90; for information.",
        ),
        Level(
            "expired",
            "Expired",
            of=("cert_expired",),
            better=LOWER,
            only_where=TRACKED,
            bad=1,
            definition="Certificates in service whose notAfter has passed at the end of the day.",
        ),
        Level(
            "certificates",
            "Certificates",
            of=("cert_expired", "cert_7", "cert_30", "cert_90", "cert_later"),
            better=LOWER,
            only_where=TRACKED,
            definition="Certificates in service, neither revoked nor superseded.",
        ),
        Level(
            "revoked",
            "Revoked",
            of=("cert_revoked",),
            better=LOWER,
            only_where=TRACKED,
            definition="Certificates revoked by the end of the day.",
        ),
        Level(
            "unreadable",
            "Unreadable",
            of=("cert_unreadable",),
            better=LOWER,
            only_where=TRACKED,
            definition="Certificates whose dates could not be read.",
        ),
    ),
    records=Listing(
        "Certificates",
        "Certificates in service at the end of the period, soonest expiry first.",
        (
            Column("subject", "Subject", width=260),
            Column("hosts", "Served by", width=220),
            Column("issuer", "Issuer", width=220),
            Column("status", "Status", width=120),
            Column("not_after", "Expires", INSTANT),
            Column("time_left", "Time left", DURATION, 120),
            Column("not_before", "Valid from", INSTANT),
            Column("fingerprint", "Fingerprint", width=200),
        ),
        "not_after",
        {
            "status": ("expiring", "expired", "revoked", "valid", "unreadable"),
            "within": ("7", "30", "90"),
        },
        {"status": "that are {}", "within": "within {} days"},
        record_kind="certificates",
        record_key=("fingerprint",),
        record_cell="subject",
    ),
)
