"""A git history and X.509 files, made up and real."""

import csv
import gzip
import os
import shutil
import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from storage import models
from storage.context import job_in
from storage.records.formats import FORMATS, choose
from storage.records.importer import load
from storage.records.kinds import CERTIFICATES, KINDS
from storage.records.reader import Reading, Unreadable

TAGS = "workspace,train,tag,version,environment,deployed_at,failed_proxy\n"


def test_tags_become_deployments(bring, stored):
    outcome = bring(
        "deployments",
        TAGS
        + "payments,api,v1,1,production,2026-11-01T10:00:00Z,1\n"
        + "payments,,v2,2,staging,2026-11-02T10:00:00Z,\n"
        + "payments,,v3,3,production,2026-11-02T10:00:00,0\n"
        + "payments,,v4,4,production,2026-11-02T10:00:00Z,2\n",
        form="git-history",
    )
    assert [(r.line, r.column) for r in outcome.rejects] == [
        (4, "deployed_at"),
        (5, "failed_proxy"),
    ]
    assert [
        (d["key"], d["environment"], d["outcome"], d["service"]) for d in stored("deployments")
    ] == [
        ("v1", "production", "failed", "api"),
        ("v2", "staging", "successful", None),
    ]


def test_a_missing_column_is_named_as_the_file_calls_it(bring):
    outcome = bring("deployments", "workspace,tag,environment\n", form="git-history")
    assert "lacks the required columns deployed_at, failed_proxy" in outcome.problem


def test_a_format_without_the_kind_says_what_it_has(bring, tmp_path):
    with pytest.raises(Unreadable, match="has no vendors: it has workspaces, deployments, changes"):
        choose(
            KINDS["vendors"],
            Reading(tmp_path / "x.csv", KINDS["vendors"], True, print),
            "git-history",
        )
    assert "has no vendors" in bring("vendors", TAGS, form="git-history").problem


def test_every_format_names_only_kinds_that_exist():
    assert all(set(form.readers) <= set(KINDS) for form in FORMATS.values())


@pytest.fixture
def real(database, acceptance_data):
    folder = acceptance_data / "git_history"
    outcomes = [
        load(database, KINDS[kind], [folder / name], form="git-history")[0]
        for kind, name in (
            ("workspaces", "deployments.csv"),
            ("deployments", "deployments.csv"),
            ("changes", "commits.csv.gz"),
        )
    ]
    with (folder / "deployments.csv").open() as file:
        return outcomes, list(csv.DictReader(file)), folder


def test_the_real_git_history_is_taken_whole(database, real):
    outcomes, tags, folder = real
    assert [(o.problem, o.rejected) for o in outcomes] == [(None, 0)] * 3
    with database.job.connect() as connection:
        ids = dict(connection.execute(select(models.workspace.c.slug, models.workspace.c.id)).all())
    assert len(ids) == 20
    expected = Counter(t["workspace"] for t in tags if t["environment"] == "production")
    with gzip.open(folder / "commits.csv.gz", "rt") as file:
        commits = Counter(row["workspace"] for row in csv.DictReader(file))
    for slug, workspace_id in ids.items():
        deployments, changes = _delivery(database, workspace_id)
        in_production = [d for d in deployments.values() if d.environment == "production"]
        assert (slug, len(in_production)) == (slug, expected[slug])
        assert len(changes) == commits[slug]
        leads: dict[str, list[float]] = {}
        for change in changes:
            lead = deployments[change.deployment].completed_at - change.committed_at
            leads.setdefault(change.deployment, []).append(lead / timedelta(hours=1))
        published = {t["tag"]: t["lead_median_h"] for t in tags if t["workspace"] == slug}
        for tag, hours in leads.items():
            assert statistics.median(hours) == pytest.approx(float(published[tag]), abs=1e-3)


def _delivery(database, workspace_id: int):
    """The deployments by key and the changes of one workspace."""
    with job_in(database.job, workspace_id) as connection:
        deployments = {row.key: row for row in connection.execute(select(models.deployment))}
        return deployments, connection.execute(select(models.deployment_change)).all()


def test_the_real_git_history_a_second_time_changes_nothing(database, real):
    first, tags, folder = real
    path = folder / "deployments.csv"
    (again,) = load(database, KINDS["deployments"], [path], form="git-history")
    assert (first[1].written, again.written, again.unchanged) == (len(tags), 0, len(tags))


@pytest.fixture
def certificate():
    """A certificate of our own: host name and last day to certificate."""
    key = ec.generate_private_key(ec.SECP256R1())

    def make(host: str = "www.example.com", until: datetime = datetime(2027, 1, 1, tzinfo=UTC)):
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        dated = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(until)
        return dated.sign(key, hashes.SHA256())

    return make


def pem(found: x509.Certificate) -> bytes:
    return found.public_bytes(serialization.Encoding.PEM)


def der(found: x509.Certificate) -> bytes:
    return found.public_bytes(serialization.Encoding.DER)


def test_pem_and_der_files(bring, stored, certificate):
    one, two = certificate("one.example"), certificate("two.example")
    bundle = b"some words\n" + pem(one) + pem(two)
    assert bring("certificates", bundle, "bundle.pem", workspace="payments").written == 2
    assert bring("certificates", der(one), "one.der", workspace="payments").unchanged == 1
    rows = {row["fingerprint"]: row for row in stored("certificates")}
    row = rows[one.fingerprint(hashes.SHA256()).hex()]
    assert (row["subject"], row["issuer"]) == ("CN=one.example", "CN=one.example")
    assert row["not_before"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert row["not_after"] == datetime(2027, 1, 1, tzinfo=UTC)


def test_certificates_need_a_workspace(bring, certificate):
    assert "add --workspace SLUG" in bring("certificates", pem(certificate()), "one.pem").problem


BROKEN = [
    ("garbage.der", lambda c: b"not a certificate", 0, "is no X.509 certificate"),
    ("empty.crt", lambda c: b"", 0, "is no X.509 certificate"),
    ("cut.pem", lambda c: pem(c)[:200], 1, "damaged or cut off"),
    ("bad64.pem", lambda c: pem(c).replace(b"M", b"*"), 1, "damaged or cut off"),
]


@pytest.mark.parametrize(("name", "spoil", "line", "reason"), BROKEN)
def test_what_is_no_certificate_is_reported_by_file(name, spoil, line, reason, bring, certificate):
    outcome = bring("certificates", spoil(certificate()), name, workspace="payments")
    (reject,) = outcome.rejects
    assert reject.file.endswith(name)
    assert (reject.line, outcome.written) == (line, 0)
    assert reason in reject.reason


def test_a_key_file_is_no_certificate(bring):
    content = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    assert bring("certificates", content, "key.pem", workspace="payments").problem == (
        "holds no certificate"
    )


def test_a_certificate_with_unreadable_dates_is_kept_without_them(bring, stored, certificate):
    content = der(certificate()).replace(b"270101000000Z", b"279901000000Z")
    outcome = bring("certificates", content, "odd.cer", workspace="payments")
    assert (outcome.written, outcome.rejected) == (1, 0)
    assert "as unreadable" in outcome.warnings[0]
    (row,) = stored("certificates")
    assert (row["not_before"], row["not_after"]) == (None, None)


def test_a_directory_is_read_through_and_never_left(
    database, workspaces, stored, tmp_path, certificate
):
    root, outside = tmp_path / "certs", tmp_path / "outside"
    (root / "deep" / "er").mkdir(parents=True)
    outside.mkdir()
    one, two, secret = (certificate(f"{n}.example") for n in ("one", "two", "secret"))
    (root / "one.pem").write_bytes(pem(one))
    (root / "deep" / "copy.PEM").write_bytes(pem(one))
    (root / "deep" / "er" / "two.der").write_bytes(der(two))
    (root / "bad.crt").write_bytes(b"bad")
    (root / "readme.txt").write_text("no certificate")
    (outside / "secret.pem").write_bytes(pem(secret))
    (root / "link.pem").symlink_to(outside / "secret.pem")
    (root / "linked").symlink_to(outside)
    (root / "loop.pem").symlink_to(root / "loop.pem")
    os.mkfifo(root / "pipe.pem")
    (outcome,) = load(database, CERTIFICATES, [root], workspace="payments")
    assert (outcome.read, outcome.written, outcome.duplicates, outcome.rejected) == (4, 2, 1, 1)
    assert outcome.rejects[0].file == str(root / "bad.crt")
    assert outcome.warnings[0].startswith("left out 4 links and files")
    assert {row["subject"] for row in stored("certificates")} == {
        "CN=one.example",
        "CN=two.example",
    }


@pytest.mark.parametrize("folder", ["pyca", "pkits", "roots"])
def test_real_certificates(folder, database, workspaces, stored, acceptance_data):
    path = acceptance_data / "certificates" / folder
    if not path.is_dir():
        pytest.skip(f"no {folder}")
    (outcome,) = load(database, CERTIFICATES, [path], workspace="payments")
    rows = stored("certificates")
    assert outcome.rejected == 0
    assert len(rows) == outcome.written == outcome.read - outcome.duplicates > 0
    undated = [row for row in rows if row["not_after"] is None]
    assert len(undated) == sum("as unreadable" in w for w in outcome.warnings)
    assert len(undated) <= 2
    _agrees_with_openssl(path, rows)


def _agrees_with_openssl(path, rows) -> None:
    """The last days of DER and PEM files with a single certificate, as another program reads them."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return
    import subprocess

    known = {row["fingerprint"]: row["not_after"] for row in rows}
    for file in [p for p in sorted(path.iterdir()) if p.suffix in (".crt", ".pem")][:25]:
        words = [openssl, "x509", "-in", str(file), "-noout", "-enddate", "-fingerprint", "-sha256"]
        said = subprocess.run(words, capture_output=True, text=True)
        lines = dict(line.split("=", 1) for line in said.stdout.splitlines() if "=" in line)
        fingerprint = next((v for k, v in lines.items() if k.lower().startswith("sha256")), "")
        until = known[fingerprint.replace(":", "").lower()] if fingerprint else None
        if until is not None and lines["notAfter"] != "Bad time value":
            spoken = datetime.strptime(lines["notAfter"], "%b %d %H:%M:%S %Y %Z").replace(
                tzinfo=UTC
            )
            assert until == spoken
