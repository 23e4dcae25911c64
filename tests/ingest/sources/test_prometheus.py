"""``records fetch slo-days`` against a real Prometheus."""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.sources import prometheus
from storage.context import NoSuchWorkspace

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


def write_history(folder: Path) -> None:
    """Samples of three days, and a configuration that scrapes nothing."""
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


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Three days of ten good requests and a bad one a minute."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        pytest.skip("prometheus is not installed: .ci/system-packages prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    write_history(folder)
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


def test_after_three_silences_nothing_more_is_asked(specs, database, stored):
    outcome = prometheus.fetch(database, "http://127.0.0.1:9", "payments", FIRST, FIRST, BERLIN)
    assert outcome.rejected == 3
    assert all("does not answer" in r.reason for r in outcome.rejects)
    assert outcome.problem == "gave no answer 3 times; nothing more was asked"
    assert stored("slo-days") == []


class _Asked(http.server.BaseHTTPRequestHandler):
    """Answers as the server's ``answer`` says, and keeps what it was asked."""

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {n: v[0] for n, v in urllib.parse.parse_qs(form).items()}
        self.server.asked.append((self.path, asked, self.headers.get("Authorization")))  # type: ignore[attr-defined]
        status, headers, body = self.server.answer(self.path, asked)  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stub():
    """A server of our own that answers as a test tells it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Asked)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.base = f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]
    yield server
    server.shutdown()
    server.server_close()


def matrix(values) -> tuple[int, dict, dict]:
    series = [{"metric": {}, "values": values}] if values else []
    return 200, {}, {"status": "success", "data": {"resultType": "matrix", "result": series}}


@pytest.fixture
def one_objective(bring):
    spec = SPEC.split("  - name: wide")[0]
    assert bring("slos", spec, "shop.yml", workspace="payments").written == 1


def test_a_year_is_a_handful_of_requests(stub, one_objective, database, stored):
    def answer(_path, asked):
        start, end, step = (float(asked[n]) for n in ("start", "end", "step"))
        rate = "0.5" if "500" in asked["query"] else "2"
        count = int((end - start) / step) + 1
        return matrix([[start + n * step, rate] for n in range(count)])

    stub.answer = answer
    first, last = date(2025, 11, 1), date(2026, 10, 31)
    outcome = prometheus.fetch(database, stub.base, "payments", first, last, BERLIN)
    assert (outcome.written, outcome.rejected) == (365, 0)
    assert len(stub.asked) == 2 * 5  # winter, 23 hours, summer, 25 hours, winter
    days = {row["day"]: row for row in stored("slo-days")}
    assert days[date(2026, 3, 29)]["total"] == 2 * 23 * 3600
    assert days[date(2026, 10, 25)]["good"] == 1.5 * 25 * 3600
    assert days[date(2026, 7, 1)]["total"] == 2 * 24 * 3600


def test_days_before_the_data_are_no_data(stub, one_objective, database, stored):
    stub.answer = lambda _path, asked: matrix([[float(asked["end"]), "2"]])
    prometheus.fetch(database, stub.base, "payments", date(2026, 6, 1), date(2026, 6, 20), BERLIN)
    assert [row["day"] for row in stored("slo-days")] == [date(2026, 6, 20)]


def test_a_redirect_is_not_followed(stub, one_objective, database):
    stub.answer = lambda *_: (302, {"Location": f"{stub.base}/elsewhere"}, {})
    outcome = prometheus.fetch(database, stub.base, "payments", FIRST, FIRST, BERLIN)
    assert "answers 302, to another address, which is not followed" in outcome.rejects[0].reason
    assert {path for path, *_ in stub.asked} == {"/api/v1/query_range"}


def test_a_server_without_ranges_is_asked_day_by_day(stub, one_objective, database, stored):
    vector = {"resultType": "vector", "result": [{"metric": {}, "value": [0, "2"]}]}
    stub.answer = lambda *_: (200, {}, {"status": "success", "data": vector})
    prometheus.fetch(database, stub.base, "payments", FIRST, LAST, BERLIN)
    assert [row["total"] / 3600 for row in stored("slo-days")] == [48, 50, 48]


@pytest.mark.parametrize(
    ("name", "value", "header"),
    [
        ("VIGILO_PROMETHEUS_TOKEN", "open-sesame", "Bearer open-sesame"),
        ("VIGILO_PROMETHEUS_USER", "reader:sesame", "Basic cmVhZGVyOnNlc2FtZQ=="),
    ],
)
def test_it_signs_in_as_the_environment_says(
    stub, one_objective, database, monkeypatch, name, value, header
):
    monkeypatch.setenv(name, value)
    stub.answer = lambda *_: matrix([])
    outcome = prometheus.fetch(database, stub.base, "payments", FIRST, FIRST, BERLIN)
    assert {authorization for *_, authorization in stub.asked} == {header}
    assert "sesame" not in str(outcome)


def test_an_unknown_workspace_and_a_wrong_address(database, workspaces):
    with pytest.raises(NoSuchWorkspace):
        prometheus.fetch(database, "http://127.0.0.1:9", "nowhere", FIRST, FIRST, BERLIN)
    for wrong in ("file:///etc/passwd", "prometheus:9090", "http://x/?a=1"):
        with pytest.raises(ValueError, match="takes http"):
            prometheus.address(wrong)
    with pytest.raises(ValueError, match="takes no password in the address"):
        prometheus.address("http://reader:sesame@prometheus:9090")
