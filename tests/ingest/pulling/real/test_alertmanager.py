"""A real Alertmanager: what its webhooks lose is repaired from Prometheus' samples."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest.door import deliveries
from tests.deep import DEEP
from tests.ingest.pulling.real import alertmanager

WITHIN = timedelta(seconds=4)
"""Scrape, evaluation and a busy machine."""


@pytest.mark.skipif(not DEEP, reason="takes forty seconds of real time: make test-deep")
def test_every_alert_ends_as_it_really_did(installed, tmp_path):
    database, alpha = installed.context.database, installed.world.alpha
    hooks: list[bytes] = []
    with alertmanager.running(tmp_path, hooks.append) as alerting:
        alertmanager.play(alerting)
        for body in hooks:
            deliveries.accept(database, alpha, "alertmanager", body)
        deliveries.drain(database, alpha)
        columns = "title, opened_at, resolved_at, severity, left_out"
        told = installed.rows("incident", columns)
        assert [r for r in told if "Muted" in r[0] and r[2] is None], "what webhooks lose"
        source = installed.make(
            "prometheus", address=alerting.prometheus, alertmanager=alerting.alertmanager,
            external_url=alertmanager.EXTERNAL,
        )  # fmt: skip
        run = installed.sync(source)
        assert run.state == "done", run
    every = installed.rows("incident", columns)
    rows = [r for r in every if r[4] is None]
    assert {r[0] for r in every if r[4]} == {"Watchdog"}, "a heartbeat is no incident"
    assert [r for r in rows if r[2] is None] == [], "nothing is open"
    counts = {name: len([r for r in rows if name in r[0]]) for name in ("Api", "Flap", "Muted")}
    assert counts == {"Api": 1, "Flap": 2, "Muted": 1}, rows
    disk = [r for r in rows if "Disk" in r[0]]
    assert [r[3] for r in disk] == ["p1"], "one, with the higher severity"
    for name, title in (("api", "Api"), ("flap", "Flap"), ("muted", "Muted"), ("disk", "Disk")):
        switched = [(at, value > 0) for n, at, value in alerting.truth if n == name][1:]
        begun = [at for (at, on), before in zip(switched, [False, *[on for _, on in switched]],
                                                strict=False) if on and not before]  # fmt: skip
        ended = [at for at, on in switched if not on]
        own = sorted((r[1], r[2]) for r in rows if title in r[0])
        for (opened, resolved), first, last in zip(own, begun, ended, strict=True):
            assert abs(opened - first) < WITHIN, (name, opened, first)
            assert abs(resolved - last) < WITHIN, (name, resolved, last)
