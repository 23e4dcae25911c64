"""``records fetch slo-days`` against a real Prometheus."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from storage.records import prometheus
from storage.records.importer import NoSuchWorkspace

FIRST, LAST = date(2026, 10, 24), date(2026, 10, 26)
BERLIN = ZoneInfo("Europe/Berlin")  # 25 October has 25 hours there
GOOD, BAD = 10, 1
SPEC = """version: prometheus/v1
service: shop
slos:
  - name: requests-availability
    objective: 99.9
    sli:
      events:
        error_query: >
          sum(rate(requests_total{code="500"}[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
  - name: wide
    objective: 99
    sli:
      events:
        error_query: sum(rate(requests_total{code="500"}[{{.window}}]))
        total_query: rate(requests_total[{{.window}}])
  - name: broken
    objective: 99
    sli: {events: {error_query: "sum(", total_query: "sum("}}
  - name: raw
    objective: 99
    sli: {raw: {error_ratio_query: "1"}}
  - name: quiet
    objective: 99
    sli: {events: {error_query: "none_total", total_query: "none_total"}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Three days of ten good requests and a bad one a minute."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        pytest.skip("prometheus is not installed: .ci/system-packages prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    start = datetime(2026, 10, 23, 12, tzinfo=UTC)
    lines = ["# TYPE requests counter"]
    for code, each in (("200", GOOD), ("500", BAD)):
        for minute in range(4 * 24 * 60):
            at = (start + timedelta(minutes=minute)).timestamp()
            lines.append(f'requests_total{{code="{code}"}} {each * minute} {at:.0f}')
    (folder / "data.txt").write_text("\n".join([*lines, "# EOF\n"]))
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
    subprocess.run(
        [*made, str(folder / "data.txt"), str(folder / "tsdb")], check=True, capture_output=True
    )
    (folder / "p.yml").write_text("scrape_configs: []\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'p.yml'}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{base}/-/ready", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def specs(bring):
    outcome = bring("slos", SPEC, "shop.yml", workspace="payments")
    assert outcome.written == 5


def test_events_of_each_day_with_the_day_that_has_25_hours(running, specs, database, stored):
    outcome = prometheus.fetch(database, running, "payments", FIRST, LAST, BERLIN)
    found = {row["day"]: row for row in stored("slo-days")}
    assert list(found) == [FIRST, FIRST + timedelta(days=1), LAST]
    for day, row in found.items():
        minutes = (25 if day == date(2026, 10, 25) else 24) * 60
        assert row["key"] == "shop-requests-availability"
        assert row["total"] == pytest.approx((GOOD + BAD) * minutes, rel=1e-3)
        assert row["good"] == pytest.approx(GOOD * minutes, rel=1e-3)
    reasons = [r.reason for r in outcome.rejects]
    assert sum("2 series: put sum() around it" in r for r in reasons) == 3
    assert sum("shop-broken on 2026-10-24" in r and "parse error" in r for r in reasons) == 1
    assert any("left out shop-raw: it has no queries" in w for w in outcome.warnings)


def test_the_same_again_changes_nothing(running, specs, database):
    prometheus.fetch(database, running, "payments", FIRST, LAST, BERLIN)
    again = prometheus.fetch(database, running, "payments", FIRST, LAST, BERLIN)
    assert (again.written, again.unchanged) == (0, 3)


def test_a_server_that_does_not_answer_is_said_for_each_day(specs, database, stored):
    outcome = prometheus.fetch(database, "http://127.0.0.1:9", "payments", FIRST, FIRST, BERLIN)
    assert outcome.rejected == 4
    assert all("does not answer" in r.reason for r in outcome.rejects)
    assert stored("slo-days") == []


def test_an_unknown_workspace_and_a_wrong_address(database, workspaces):
    with pytest.raises(NoSuchWorkspace):
        prometheus.fetch(database, "http://127.0.0.1:9", "nowhere", FIRST, FIRST, BERLIN)
    for wrong in ("file:///etc/passwd", "prometheus:9090", "http://x/?a=1"):
        with pytest.raises(ValueError, match="takes http"):
            prometheus.address(wrong)
