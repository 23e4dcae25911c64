"""The organisation of ``make demo-real``: real records of every kind, against plain counts of the files."""

from __future__ import annotations

import contextlib
import csv
import json
import tarfile
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from aggregators.vocabulary.period import Ask
from auth.accounts import on_behalf
from demo import people, real
from reading.dashboard import read
from tests.conftest import empty

TODAY = date(2026, 8, 22)
FIRST = TODAY - timedelta(days=90)


@pytest.fixture(scope="module")
def loaded(server, settings, acceptance_data):
    empty(server)
    on_the_day = settings.model_copy(update={"today": TODAY})
    accounts, outcomes = real.load(server, on_the_day, acceptance_data, days=181)
    alice = on_behalf(server.job, people.ALICE)
    return read(server, alice, Ask(90), on_the_day), accounts, outcomes


def of(dashboard, domain, slug):
    return next(c for c in dashboard.scorecard(domain).cards if c.slug == slug).figures


def test_everything_is_taken_and_what_is_known_to_be_broken_is_told(loaded):
    _, _, outcomes = loaded
    assert not any(o.problem or o.rejected for o in outcomes)
    (jenkins,) = (o for o in outcomes if o.file.name == "issues_md.tar.gz")
    lost = [w for w in jenkins.warnings if "resolved_at lies before opened_at, so it is lost" in w]
    assert len(lost) == 8


def test_twenty_projects_and_jenkins(loaded):
    dashboard, accounts, _ = loaded
    assert dashboard.scope.total == 21
    assert people.ALICE in accounts.emails


def test_releases_of_the_last_90_days(loaded, acceptance_data):
    dashboard, _, _ = loaded
    with (acceptance_data / "git_history" / "deployments.csv").open(encoding="utf-8") as file:
        rows = [
            r
            for r in csv.DictReader(file)
            if r["environment"] == "production"
            and FIRST.isoformat() <= r["deployed_at"][:10] < TODAY.isoformat()
        ]
    failed = [r for r in rows if r["failed_proxy"] == "1"]
    figures = dashboard.scorecard("dora").figures
    assert figures["deployments"].value == len(rows) > 100
    assert figures["change_failure_rate"].value == pytest.approx(len(failed) / len(rows))


def ends_of(*folders) -> list[datetime]:
    """The ends of the certificates that the cryptography package can read, each once."""
    found = {}
    for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
        content = path.read_bytes() if path.suffix in (".pem", ".crt", ".der", ".cer") else b""
        load = x509.load_pem_x509_certificates
        if content and b"-----BEGIN" not in content:
            load = lambda der: [x509.load_der_x509_certificate(der)]  # noqa: E731
        with contextlib.suppress(ValueError, TypeError, x509.InvalidVersion):
            for certificate in load(content):
                end = certificate.not_valid_after_utc
                found[certificate.public_bytes(Encoding.DER)] = end
    return list(found.values())


@pytest.mark.parametrize(
    ("slug", "folders"),
    [(real.JENKINS, ("roots",)), (real.CERTIFICATES, ("pyca", "pkits"))],
)
def test_expired_and_expiring_certificates(loaded, acceptance_data, slug, folders):
    dashboard, _, _ = loaded
    at = datetime.combine(TODAY, datetime.min.time(), UTC)
    ends = ends_of(*(acceptance_data / "certificates" / folder for folder in folders))
    assert len(ends) > 100
    figures = of(dashboard, "certificates", slug)
    assert figures["expired"].value == sum(end <= at for end in ends)
    soon = sum(at < end <= at + timedelta(days=90) for end in ends)
    assert figures["within_90"].value == soon


def test_prowlers_pass_rate_per_framework(loaded, acceptance_data):
    """Every requirement of every sample at once: one that fails anywhere fails."""
    dashboard, _, _ = loaded
    states: dict[tuple[str, str], set[str]] = {}
    folder = acceptance_data / "compliance" / "prowler" / "sample_output"
    for finding in json.loads((folder / "example_output_kubernetes.ocsf.json").read_bytes()):
        for framework, controls in finding["unmapped"]["compliance"].items():
            for control in controls:
                states.setdefault((framework, control), set()).add(finding["status_code"])
    found = of(dashboard, "compliance", "kube-bench")["pass_rate"].by or {}
    frameworks = {framework for framework, _ in states}
    assert {name.upper() for name in frameworks} == {name.upper() for name in found}
    for name in frameworks:
        mine = [s for (framework, _), s in states.items() if framework == name]
        passed = sum(s == {"PASS"} for s in mine)
        failed = sum("FAIL" in s for s in mine)
        figure = next(f for g, f in found.items() if g.upper() == name.upper())
        assert figure.value == pytest.approx(passed / (passed + failed))


def test_jenkins_incidents_of_the_period(loaded, acceptance_data):
    dashboard, _, _ = loaded
    path = acceptance_data / "incidents" / "jenkins_status" / "issues_md.tar.gz"
    with tarfile.open(path) as archive:
        assert len([m for m in archive if m.name.endswith(".md")]) == 297
    with (path.parent / "incidents.csv").open(encoding="utf-8") as file:
        rows = [
            r
            for r in csv.DictReader(file)
            if FIRST.isoformat() <= r["resolved_at"][:10] < TODAY.isoformat()
        ]
    seconds = [float(r["seconds_to_resolve"]) for r in rows if float(r["seconds_to_resolve"]) >= 0]
    figure = of(dashboard, "incidents", real.JENKINS)["mttr"]
    assert figure.value == pytest.approx(sum(seconds) / len(seconds))
    assert seconds


def test_a_collection_that_lacks_a_file_is_refused_by_name(database, settings, tmp_path):
    with pytest.raises(real.Absent, match=r"git_history/deployments\.csv"):
        real.load(database, settings, tmp_path)
