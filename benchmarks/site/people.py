"""Many people at once: the program as it is deployed, exports in a worker apart, and a crowd."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.installation import PERSON, Bench
from benchmarks.report.table import Row
from benchmarks.site.browser import ALL
from benchmarks.site.serving import ROOT, BenchSite, running, served

PART = "many people"
CROWD, EVERYTHING = 200, 20
"""So many people; every twentieth sees all workspaces."""
MINUTES = 15.0
ALONE_SECONDS = 30
SETTLING = 45
"""Seconds in which everybody arrives and what they see is computed: told apart, errors and all."""
LOOK_SECONDS = 2.0


def measure(bench: Bench, minutes: float = MINUTES) -> list[Row]:
    """Measure a person alone, the crowd, and the crowd while exports of everything are made."""
    emails = _people(bench)
    with served(bench, VIGILO_EXPORTS_IN_PROCESS="false") as site:
        worker = ["-m", "flask", "--app", "app", "worker"]
        with running(worker, site.environment, bench.settings.data_dir / "worker.log"):
            return _measured(site, emails, minutes * 60)


def _measured(site: BenchSite, emails: Sequence[str], seconds: float) -> list[Row]:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(site.session, emails))
    beside = max(60.0, seconds / 10)
    one = _run(site, emails[:1], ("Alone",), ALONE_SECONDS)
    memory = SiteMemory(site)
    crowd = _run(site, emails, ("Crowd",), seconds, memory)
    without = _run(site, emails, ("Reader",), beside)
    exporting = _run(site, [*emails, ALL], ("Reader", "Exporter"), beside)
    at_night = _run(site, emails, ("Reader",), beside, meanwhile=_night)
    runs = {"alone": one, "crowd": crowd, "without": without, "exporting": exporting}
    runs["at night"] = at_night
    return [
        *_times(one, crowd, seconds),
        Row(PART, "errors", sum(len(r.errors) for r in runs.values()), 1, "kinds", 0.0, "none"),
        *memory.rows(),
        Row(
            PART,
            "page, p95 while everything is exported",
            exporting.p95("page"),
            without.p95("page"),
            "ms",
            1.5,
            "p95 without",
        ),
        Row(
            PART,
            "page, p95 while a night is computed and published",
            at_night.p95("page"),
            one.median("page"),
            "ms",
            8.0,
            "median of one alone",
        ),
        Row(PART, "exports made meanwhile", exporting.count("export's file"), 1, "exports"),
    ]


@dataclass(frozen=True)
class CrowdRun:
    """Times that a crowd waited, by kind of request, and its errors."""

    waits: dict[str, dict[str, float]]
    errors: list[str]

    def p95(self, name: str) -> float:
        """Milliseconds that one of twenty waits longer than."""
        return self.waits[name]["p95"]

    def median(self, name: str) -> float:
        """Milliseconds that half wait longer than."""
        return self.waits[name]["median"]

    def count(self, name: str) -> float:
        """How often it was asked for."""
        return self.waits.get(name, {"n": 0})["n"]


def _times(one: CrowdRun, crowd: CrowdRun, seconds: float) -> list[Row]:
    alone = one.median("page")
    rows = [Row(PART, "page, p95", crowd.p95("page"), alone, "ms", 8.0, "median of one alone")]
    for name in (
        "page",
        "ninety days",
        "days of their own",
        "a domain",
        "the API",
        "a workspace's page",
        "export",
    ):
        if crowd.count(name) and one.count(name):
            median = one.median(name)
            rows.append(
                Row(PART, f"{name}, median", crowd.median(name), median, "ms", None, "alone")
            )
    arriving = crowd.p95("page, arriving")
    rows.append(
        Row(
            PART, f"page, p95 of the {SETTLING} s before that", arriving, alone, "ms", None, "alone"
        )
    )
    whole = {"page", "a workspace's page"}
    counted = {n: e for n, e in crowd.waits.items() if n not in whole and "arriving" not in n}
    requests = sum(e["n"] for e in counted.values()) / seconds
    pages = crowd.count("page") / seconds
    return [*rows, Row(PART, "requests a second", requests, pages, "1/s", None, "pages a second")]


@dataclass
class SiteMemory:
    """Memory of the workers, sampled all the time."""

    site: BenchSite
    taken: list[float] = field(default_factory=list)

    def look(self, stop: threading.Event) -> None:
        """Until it is stopped."""
        workers = self.site.workers()
        while not stop.wait(LOOK_SECONDS):
            self.taken.append(sum(_held(w) for w in workers))

    def rows(self) -> list[Row]:
        """The last third beside the middle one."""
        third = len(self.taken) // 3
        middle, last = self.taken[third : 2 * third], self.taken[2 * third :]
        now, before = statistics.median(last), statistics.median(middle)
        return [Row(PART, "memory of the workers", now, before, "MB", 1.1, "the middle third")]


def _night(site: BenchSite) -> None:
    """A snapshot run of all workspaces, in a process of its own, as each night."""
    command = [sys.executable, "-m", "flask", "--app", "app", "snapshot", "run"]
    subprocess.run(command, cwd=ROOT, env=site.environment, check=True, capture_output=True)


def _held(worker: psutil.Process) -> float:
    return float(worker.memory_info().rss) / 2**20


def _people(bench: Bench) -> list[str]:
    """Create accounts and give their addresses: scopes of five to two hundred workspaces that overlap,
    some of everything."""
    chance = random.Random(7)
    emails = []
    for n in range(CROWD):
        size = min(chance.randint(5, 200), bench.workspaces)
        skipped = chance.randint(0, bench.workspaces - size)
        if n % EVERYTHING == EVERYTHING - 1:
            size, skipped = bench.workspaces, 0
        emails.append(bench.person(PERSON.format(n), size, skipped).email)
    bench.person(ALL, bench.workspaces)
    return emails


def _run(
    site: BenchSite,
    emails: Sequence[str],
    kinds: Sequence[str],
    seconds: float,
    memory: SiteMemory | None = None,
    meanwhile: Callable[[BenchSite], None] | None = None,
) -> CrowdRun:
    """A crowd in a process of its own: Locust changes how Python waits. ``meanwhile`` begins when everybody
    has arrived."""
    people = [
        {"path": site.path(e), "cookies": site.session(e).cookies.get_dict(), "turn": n}
        for n, e in enumerate(emails)
    ]
    order = {"address": site.address, "people": people, "kinds": kinds, "count": len(emails)}
    order |= {"seconds": seconds, "settling": SETTLING if len(emails) > 1 else 5}
    stop = threading.Event()
    looking = threading.Thread(target=memory.look, args=(stop,)) if memory else None
    later = threading.Timer(order["settling"], meanwhile, (site,)) if meanwhile else None
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "order.json", Path(folder) / "outcome.json"
        given.write_text(json.dumps(order), encoding="utf-8")
        for beside in (looking, later):
            if beside:
                beside.start()
        try:
            command = [sys.executable, "-m", "benchmarks.site.crowd", str(given), str(made)]
            subprocess.run(command, cwd=ROOT, check=True, timeout=seconds + 600)
        finally:
            stop.set()
            if later:
                later.join()
        outcome = json.loads(made.read_text(encoding="utf-8"))
    page = outcome["waits"].get("page", {})
    print(
        f"  {len(emails)} as {', '.join(kinds)}: {page}, {outcome['errors'] or 'no error'}",
        flush=True,
    )
    return CrowdRun(outcome["waits"], outcome["errors"])
