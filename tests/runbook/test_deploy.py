"""Files of deploy/, as far as they can be checked without the machines that they are for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from settings import Settings, load, variable
from storage.sources.tables import SILENT_MINUTES, SILENT_TURNS
from tests.deep import all_but
from tests.served import ROOT
from web.first_run.page import FILES
from web.guard import MAX_BODIES, MAX_BODY

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
KNOWN = {variable(field) for field in Settings.model_fields}
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def checked(*words: str) -> None:
    program = shutil.which(words[0]) or str(Path(sys.executable).parent / words[0])
    if not Path(program).exists():
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(
        [program, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    wrong = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if "is not executable: No such file" not in line  # it is elsewhere here
    ]
    assert done.returncode == 0 or not wrong, "\n".join(wrong)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_is_one_for_systemd(unit):
    checked("systemd-analyze", "verify", str(unit))


def test_the_containerfile_is_clean():
    checked("hadolint", "deploy/Containerfile")


def test_the_alert_rules_are_rules():
    checked("promtool", "check", "rules", "deploy/prometheus/alerts.yaml")


FIRING = {
    "VigiloDown": {'up{job="vigilo"}': "0"},
    "VigiloDatabaseDown": {"vigilo_database_up": "0"},
    "VigiloSnapshotMissing": {"vigilo_snapshot_days_missing": "1"},
    "VigiloSnapshotFailedInWorkspaces": {"vigilo_snapshot_failures": "2"},
    "VigiloNightSlow": {"vigilo_snapshot_run_seconds": "1801"},
    "VigiloQuarantine": {"vigilo_quarantine_parts": "1"},
    "VigiloSourceFails": {'vigilo_source_failures{source="7",kind="github"}': "3"},
    "VigiloSourceSilent": {
        'vigilo_source_success_age_seconds{source="7",kind="github"}': "3001",
        'vigilo_source_turn_seconds{source="7",kind="github"}': "900",
    },
    "VigiloExportsWait": {"vigilo_export_oldest_seconds": "901"},
    "VigiloMailsWait": {"vigilo_mail_oldest_seconds": "3601"},
    "VigiloRequestsFail": {
        'vigilo_requests_total{status="503"}': "0+3x300",
        'vigilo_requests_total{status="200"}': "0+97x300",
    },
    "VigiloSlow": {
        'vigilo_request_seconds_bucket{route="/",le="2.5"}': "0+90x300",
        'vigilo_request_seconds_bucket{route="/",le="5"}': "0+100x300",
        'vigilo_request_seconds_bucket{route="/",le="+Inf"}': "0+100x300",
    },
    "VigiloDenials": {'vigilo_requests_total{status="401"}': "0+306x300"},
}
"""Series at which an alert fires, each just beyond its bound."""
QUIET = {
    "VigiloDown": {'up{job="vigilo"}': "1"},
    "VigiloDatabaseDown": {"vigilo_database_up": "1"},
    "VigiloSnapshotMissing": {"vigilo_snapshot_days_missing": "0"},
    "VigiloSnapshotFailedInWorkspaces": {"vigilo_snapshot_failures": "0"},
    "VigiloNightSlow": {"vigilo_snapshot_run_seconds": "1800"},
    "VigiloQuarantine": {"vigilo_quarantine_parts": "0"},
    "VigiloSourceFails": {'vigilo_source_failures{source="7",kind="github"}': "2"},
    "VigiloSourceSilent": {
        'vigilo_source_success_age_seconds{source="7",kind="github"}': "3000",
        'vigilo_source_turn_seconds{source="7",kind="github"}': "900",
    },
    "VigiloExportsWait": {"vigilo_export_oldest_seconds": "900"},
    "VigiloMailsWait": {"vigilo_mail_oldest_seconds": "3600"},
    "VigiloRequestsFail": {
        'vigilo_requests_total{status="503"}': "0+1x300",
        'vigilo_requests_total{status="200"}': "0+99x300",
    },
    "VigiloSlow": {
        'vigilo_request_seconds_bucket{route="/",le="1"}': "0+96x300",
        'vigilo_request_seconds_bucket{route="/",le="5"}': "0+100x300",
        'vigilo_request_seconds_bucket{route="/",le="+Inf"}': "0+100x300",
    },
    "VigiloDenials": {'vigilo_requests_total{status="401"}': "0+290x300"},
}
"""Series at which it does not, each just within its bound."""


@pytest.mark.parametrize("fires", all_but([True], [True, False]), ids=["beyond", "within"])
def test_each_alert_fires_just_beyond_its_bound(tmp_path, fires):
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
    names = {rule["alert"] for rule in rules["groups"][0]["rules"]}
    assert names == set(FIRING) == set(QUIET)
    for name, series in (FIRING if fires else QUIET).items():
        given = [
            {"series": key, "values": value if "+" in value else f"{value}x300"}
            for key, value in series.items()
        ]
        query = {
            "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)',
            "eval_time": "4h",
            "exp_samples": [{"labels": "{}", "value": int(fires)}],
        }
        case = {"interval": "1m", "input_series": given, "promql_expr_test": [query]}
        text = {
            "rule_files": [str(DEPLOY / "prometheus" / "alerts.yaml")],
            "evaluation_interval": "1m",
            "tests": [case],
        }
        (tmp_path / "case.yaml").write_text(yaml.safe_dump(text))
        checked("promtool", "test", "rules", str(tmp_path / "case.yaml"))


@pytest.mark.parametrize(
    "path",
    [p for p in DEPLOY.rglob("*") if p.is_file() and p.suffix != ".pyc"],
    ids=lambda path: path.name,
)
def test_every_variable_that_is_named_is_a_setting(path):
    named = set(re.findall(r"\bVIGILO_[A-Z_]+\b", path.read_text(encoding="utf-8")))
    assert named <= KNOWN


@pytest.mark.parametrize(
    "path",
    [DEPLOY / "compose.yaml", *(DEPLOY / "kubernetes").iterdir()],
    ids=lambda path: path.name,
)
def test_yaml_is_yaml_and_no_serving_process_holds_the_owners_address(path):
    documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    assert all(documents)
    for service in (documents[0].get("services") or {}).items():
        name, body = service
        holds = "VIGILO_OWNER_DATABASE_URL" in (body.get("environment") or {})
        assert holds == (name == "upgrade")


def test_resources_of_kubernetes_have_what_every_resource_needs():
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    for name in listed:
        for resource in yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text()):
            assert {"apiVersion", "kind", "metadata", "spec"} <= set(resource)
            for container in containers(resource):
                assert container["securityContext"]["readOnlyRootFilesystem"]


def test_a_cluster_gets_what_the_base_says():
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY / "kubernetes")], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    made = list(yaml.safe_load_all(done.stdout))
    named = {(each["kind"], each["metadata"]["name"]) for each in made}
    assert {each["metadata"]["namespace"] for each in made} == {"vigilo"}
    for resource in made:
        template = resource["spec"].get("template", {}) if "spec" in resource else {}
        for volume in template.get("spec", {}).get("volumes", []):
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in named
        for container in template.get("spec", {}).get("containers", []):
            given = [each.get("configMapRef") for each in container["envFrom"]]
            assert {("ConfigMap", each["name"]) for each in given if each} <= named


def containers(resource) -> list[dict]:
    template = resource["spec"].get("template", {})
    return template.get("spec", {}).get("containers", [])


def test_the_dashboard_asks_for_metrics_that_there_are():
    source = "".join(
        (ROOT / file).read_text(encoding="utf-8")
        for file in ("web/metrics.py", "web/health/measured.py")
    )
    asked = (DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8")
    assert json.loads(asked)["panels"]
    asked += (DEPLOY / "prometheus" / "alerts.yaml").read_text(encoding="utf-8")
    for metric in set(re.findall(r"\bvigilo_[a-z_]+\b", asked)):
        name = re.sub(r"^(vigilo_)(export|mail)(s|_oldest_seconds)$", r"\1{name}\3", metric)
        assert name.removesuffix("_bucket") in source, metric


def test_the_lock_holds_what_is_required():
    required = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for line in required:
        name, _, version = line.partition(";")[0].partition("==")
        pinned = f"{name.replace('.', '-')}=={version}"
        assert re.search(rf"^{re.escape(pinned)}( |$)", LOCK, re.MULTILINE), (
            f"{line}: run `make lock`"
        )
    assert all(
        "--hash=sha256:" in part for part in re.split(r"^(?=\S)", LOCK, flags=re.MULTILINE)[1:]
    )


def test_the_settings_of_the_compose_file_are_taken(tmp_path):
    given = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["x-vigilo"]["environment"]
    values = {
        name.removeprefix("VIGILO_").lower(): re.sub(r"\$\{\w+:\?\}", "x" * 40, value)
        for name, value in given.items()
    }
    values["base_url"] = "https://vigilo.example.com"
    assert load(data_dir=tmp_path, **values).redis_url


def test_nginx_lets_bodies_through_that_the_program_takes():
    site = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    bound = r"client_max_body_size (\d+)m;"
    inner = dict(re.findall(rf"location = (\S+) {{\s+{bound}", site))
    outer = re.findall(rf"^    {bound}", site, re.MULTILINE)
    own = {FILES: MAX_BODIES["first_run.load"]}
    assert {path: int(most) * 2**20 for path, most in inner.items()} == own
    others = [most for endpoint, most in MAX_BODIES.items() if endpoint != "first_run.load"]
    assert [int(most) * 2**20 for most in outer] == [max(*others, MAX_BODY)]


def test_an_alert_tells_of_a_silent_source_as_the_page_does():
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
    (told,) = (r["expr"] for r in rules["groups"][0]["rules"] if r["alert"] == "VigiloSourceSilent")
    bound = re.search(r"> (\d+) \* max by \(.*\) \(vigilo_source_turn_seconds\) \+ (\d+)", told)
    assert tuple(map(int, bound.groups())) == (SILENT_TURNS, SILENT_MINUTES * 60)
