"""A real Prometheus and a real Alertmanager that sends webhooks; a test switches signals on and off."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.ingest.pulling.senders.prometheus import free_port, wait_for

EXTERNAL = "http://am.example"
GROUP_INTERVAL = 6.0
RULES = """
groups:
- name: g
  rules:
  - {alert: Api, expr: 'signal{name="api"} > 0', labels: {severity: critical}}
  - {alert: Flap, expr: 'signal{name="flap"} > 0', labels: {severity: error}}
  - {alert: Muted, expr: 'signal{name="muted"} > 0', labels: {severity: page}}
  - alert: Disk
    expr: signal{name="disk"} > 0
    labels: {severity: '{{ if gt $value 1.5 }}critical{{ else }}warning{{ end }}'}
  - {alert: Watchdog, expr: 'vector(1)', labels: {severity: none}}
"""
PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{folder}/rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}
scrape_configs: [{{job_name: x, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]
"""
ALERTMANAGER = """
route:
  {{receiver: us, group_by: [alertname], group_wait: 0s, group_interval: {interval:g}s}}
receivers: [{{name: us, webhook_configs: [{{url: 'http://127.0.0.1:{hooks}/', send_resolved: true}}]}}]
"""


@dataclass
class Alerting:
    """The addresses of both; ``signals`` are what is scraped, ``truth`` when each was switched."""

    prometheus: str = ""
    alertmanager: str = ""
    signals: dict[str, float] = field(default_factory=dict)
    truth: list[tuple[str, datetime, float]] = field(default_factory=list)

    def switch(self, name: str, value: float) -> None:
        """Sets a signal."""
        self.signals[name] = value
        self.truth.append((name, datetime.now(UTC), value))

    def silence(self, alert: str, lasting: timedelta) -> None:
        """Mutes an alert for a time."""
        now = datetime.now(UTC)
        matcher = {"name": "alertname", "value": alert, "isRegex": False, "isEqual": True}
        body = {
            "matchers": [matcher], "createdBy": "test", "comment": "test",
            "startsAt": now.isoformat(), "endsAt": (now + lasting).isoformat(),
        }  # fmt: skip
        request = urllib.request.Request(
            f"{self.alertmanager}/api/v2/silences",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()


def _server(get: Callable[[], bytes], post: Callable[[bytes], None]) -> ThreadingHTTPServer:
    class AlertingHandler(BaseHTTPRequestHandler):
        """Answers with ``get``, and gives bodies to ``post``."""

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._answer(get())

        def do_POST(self) -> None:
            post(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), AlertingHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _begun(stack: ExitStack, *command: str) -> None:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait, 20)
    stack.callback(process.terminate)


def _configured(folder: Path, alertmanager: int, exporter: int, hooks: int) -> None:
    """Writes the configuration of both."""
    (folder / "rules.yml").write_text(RULES)
    (folder / "p.yml").write_text(
        PROMETHEUS.format(folder=folder, alertmanager=alertmanager, exporter=exporter)
    )
    (folder / "am.yml").write_text(ALERTMANAGER.format(interval=GROUP_INTERVAL, hooks=hooks))


def _both(stack: ExitStack, folder: Path, prometheus: int, alertmanager: int) -> None:
    """Starts both, and waits until they answer."""
    _begun(
        stack, "prometheus-alertmanager", f"--config.file={folder / 'am.yml'}",
        f"--storage.path={folder / 'am'}", f"--web.listen-address=127.0.0.1:{alertmanager}",
        "--cluster.listen-address=", f"--web.external-url={EXTERNAL}", "--web.route-prefix=/",
    )  # fmt: skip
    wait_for(f"http://127.0.0.1:{alertmanager}/-/ready")
    _begun(
        stack, "prometheus", f"--config.file={folder / 'p.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}", "--rules.alert.resend-delay=2s",
        f"--web.listen-address=127.0.0.1:{prometheus}",
    )  # fmt: skip
    wait_for(f"http://127.0.0.1:{prometheus}/-/ready")


@contextmanager
def running(folder: Path, take: Callable[[bytes], None]) -> Iterator[Alerting]:
    """Both servers; ``take`` gets the body of each webhook."""
    for program in ("prometheus", "prometheus-alertmanager"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: .ci/system-packages {program}")
    made = Alerting()

    def scraped() -> bytes:
        return "".join(f'signal{{name="{n}"}} {v}\n' for n, v in made.signals.items()).encode()

    prometheus, alertmanager = free_port(), free_port()
    made.prometheus = f"http://127.0.0.1:{prometheus}"
    made.alertmanager = f"http://127.0.0.1:{alertmanager}"
    with ExitStack() as stack:
        exporter, hooks = _server(scraped, lambda _: None), _server(lambda: b"", take)
        for server in (exporter, hooks):
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
        _configured(folder, alertmanager, exporter.server_port, hooks.server_port)
        _both(stack, folder, prometheus, alertmanager)
        yield made


@contextmanager
def alone(folder: Path) -> Iterator[str]:
    """An Alertmanager with one alert, for as long as the block lasts; no address where it is not
    installed."""
    if shutil.which("prometheus-alertmanager") is None:
        yield ""
        return
    port = free_port()
    (folder / "am.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    with ExitStack() as stack:
        _begun(
            stack, "prometheus-alertmanager", f"--config.file={folder / 'am.yml'}",
            f"--storage.path={folder / 'am'}", f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        )  # fmt: skip
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/-/ready")
        began = datetime.now(UTC) - timedelta(minutes=40)
        alert = {
            "labels": {"alertname": "QueueGrows", "severity": "warning", "job": "payments"},
            "startsAt": began.isoformat(), "endsAt": (began + timedelta(days=7)).isoformat(),
        }  # fmt: skip
        sent = urllib.request.Request(
            f"{base}/api/v2/alerts",
            json.dumps([alert]).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(sent, timeout=10).close()
        yield base


def play(alerting: Alerting) -> None:
    """An alert that is plain, one that flaps within the group interval, one whose severity rises, and one
    that ends under a silence that lasts."""
    for name in ("api", "flap", "muted", "disk"):
        alerting.switch(name, 0)
    time.sleep(3)
    for name in ("api", "flap", "muted", "disk"):
        alerting.switch(name, 1)
    time.sleep(5)
    alerting.silence("Muted", timedelta(hours=1))
    time.sleep(2)
    alerting.switch("muted", 0)
    alerting.switch("disk", 2)
    time.sleep(1)
    alerting.switch("flap", 0)
    time.sleep(3)
    alerting.switch("flap", 1)
    time.sleep(6)
    for name in ("api", "flap", "disk"):
        alerting.switch(name, 0)
    time.sleep(GROUP_INTERVAL + 8)
