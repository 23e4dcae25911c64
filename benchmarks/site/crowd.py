"""A crowd by Locust, in a process of its own: it reads who and how long from a JSON file, and prints what
they met. Each person does what the product's page describes, thinking 2 to 8 seconds in between."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, between, constant_pacing, task
from locust.env import Environment
from locust.stats import RequestStats, StatsEntry

from aggregators.catalogue import DOMAINS
from benchmarks.installation import TODAY

UPDATE = "/_dash-update-component"
API = "/api/v1/platform/executive-dashboard/"
PAGE = ("page.children", "live.children")
ROWS = ("records.getRowsResponse", "records-count.children", "records-csv.href")
FIRST_ROWS = {"startRow": 0, "endRow": 50, "filterModel": {}, "sortModel": []}
LAST = TODAY - timedelta(days=1)
SHARED: dict[str, Any] = {"waiting": [], "asked": 0}


class Person(FastHttpUser):
    """Person who is signed in, with a scope of their own."""

    wait_time = between(2, 8)
    abstract = True
    exports = True

    def on_start(self) -> None:
        """Takes the next of those who wait."""
        who = SHARED["waiting"].pop()
        self.path, cookies = who["path"], who["cookies"]
        self.own = self.path.split("/")[2]
        self.headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": cookies["_csrf_token"],
            "Accept-Encoding": "br, gzip",
        }
        self.period, self.tag, self.turn = "28", "", who["turn"]

    @task(10)
    def opens_the_page(self) -> None:
        """HTML, layout, dependencies, and the callback that draws the figures."""
        self.period = "28"
        self.page("page", self.path)

    @task(4)
    def looks_at_ninety_days(self) -> None:
        """Asks for the last ninety days: a single callback."""
        self.period = "90"
        self.call("ninety days", PAGE, "view", self.view())

    @task(1)
    def looks_at_days_of_their_own(self) -> None:
        """Asks for days that most often nobody has asked for, so that they are read: a single callback."""
        end = LAST - timedelta(days=random.randrange(0, 300))
        days = {"start": str(end - timedelta(days=random.randrange(6, 60))), "end": str(end)}
        view = self.view()
        del view["period"]
        self.call("days of their own", PAGE, "view", view | days)

    @task(6)
    def opens_a_domain(self) -> None:
        """Opens a domain: a callback, and the cards that come next."""
        self.turn += 1
        view = self.view(domain=DOMAINS[self.turn % len(DOMAINS)].key)
        self.call("a domain", ("expansion.children",), "focus", view)
        self.call("more cards", ("next.children",), "more", view | {"from": 24})

    @task(4)
    def asks_the_api(self) -> None:
        """Most often it has not changed."""
        headers = self.headers | ({"If-None-Match": self.tag} if self.tag else {})
        answer = self.client.get(f"{API}?period=28&limit=24", headers=headers, name="the API")
        self.tag = answer.headers.get("ETag", "") if answer.headers else ""

    @task(3)
    def follows_into_a_workspace(self) -> None:
        """The page, its rows and its live figures."""
        path = f"/ws/{self.own}/analytics"
        self.page("a workspace's page", path)
        records = {"path": path, "links": {}, "period": "28"}
        self.call("live figures", ("live-figures.children",), "records-view", records)
        state = [{"id": "records-view", "property": "data", "value": records}]
        self.call("rows", ROWS, "records", FIRST_ROWS, state, prop="getRowsRequest")

    @task(1)
    def exports_now_and_then(self) -> None:
        """Makes an export in one of twenty turns and waits for its file."""
        SHARED["asked"] += 1
        if self.exports and SHARED["asked"] % 20 == 0:
            self.export()

    def export(self) -> None:
        """Asks, looks until it is ready, fetches."""
        headers = self.headers | {"Prefer": "respond-async"}
        answer = self.client.post("/exports", json={"period": "28"}, headers=headers, name="export")
        if answer.status_code != 202:
            return
        href = f"/exports/{answer.json()['id']}"
        for _ in range(600):
            gevent.sleep(1)
            state = self.client.get(f"{href}/state", headers=self.headers, name="export's state")
            if state.status_code != 200 or state.json()["state"] not in ("queued", "running"):
                break
        self.client.get(href, headers=self.headers, name="export's file")

    def view(self, **more: object) -> dict[str, object]:
        """Contents of the page's store."""
        at = {"path": self.path, "links": {}, "domain": "", "measure": "", "mode": "cards"}
        return at | {"find": "", "pins": [], "period": self.period} | more

    def page(self, name: str, path: str) -> None:
        """A whole page, timed as one."""
        start = time.perf_counter()
        for part in (f"{path}?period=28", "/_dash-layout", "/_dash-dependencies"):
            self.client.get(part, headers=self.headers, name=f"{name}: {part.split('?')[0][:6]}")
        self.call(f"{name}: figures", PAGE, "view", self.view(path=path))
        taken = (time.perf_counter() - start) * 1000
        self.environment.events.request.fire(
            request_type="", name=name, response_time=taken, response_length=0, exception=None
        )

    def call(
        self,
        name: str,
        outputs: tuple[str, ...],
        store: str,
        value: object,
        state: list | None = None,
        prop: str = "data",
    ) -> None:
        """A callback, as Dash sends it."""
        places = [dict(zip(("id", "property"), o.split("."), strict=True)) for o in outputs]
        body = {
            "output": f"..{'...'.join(outputs)}.." if len(outputs) > 1 else outputs[0],
            "outputs": places if len(outputs) > 1 else places[0],
            "inputs": [{"id": store, "property": prop, "value": value}],
            "changedPropIds": [f"{store}.{prop}"],
            "state": state or [],
        }
        self.client.post(UPDATE, json=body, headers=self.headers, name=name)


class Crowd(Person):
    """Everybody."""


class Reader(Person):
    """Everybody, without exports."""

    exports = False


class Alone(Reader):
    """Nobody else is there."""

    wait_time = constant_pacing(0.3)


class Exporter(Person):
    """Has one export after the other made."""

    fixed_count = 1
    wait_time = between(0, 0)
    tasks = [Person.export]


KINDS = {kind.__name__: kind for kind in (Crowd, Reader, Alone, Exporter)}


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Runs, and says by name how often, how long, and what went wrong."""
    SHARED["waiting"] = order["people"][::-1]
    kinds = [KINDS[name] for name in order["kinds"]]
    environment = Environment(user_classes=kinds, host=order["address"])
    runner = environment.create_local_runner()
    runner.start(order["count"], spawn_rate=max(1, order["count"] / 10))
    gevent.sleep(order["settling"])
    stats = environment.stats
    arrival = {f"{name}, arriving": entry for (name, _), entry in stats.entries.items()}
    waits, errors = _told(arrival), _errors(stats)
    stats.clear_all()
    gevent.sleep(order["seconds"])
    waits |= _told({name: entry for (name, _), entry in stats.entries.items()})
    errors += _errors(stats)
    runner.quit()
    return {"waits": waits, "errors": errors}


def _told(entries: Mapping[str, StatsEntry]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "n": entry.num_requests,
            "median": entry.median_response_time,
            "p95": entry.get_response_time_percentile(0.95),
        }
        for name, entry in entries.items()
    }


def _errors(stats: RequestStats) -> list[str]:
    return [f"{e.name}: {e.error} ({e.occurrences} times)" for e in stats.errors.values()]


if __name__ == "__main__":
    given = Path(sys.argv[1])
    result = main(json.loads(given.read_text(encoding="utf-8")))
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")
