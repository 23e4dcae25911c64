"""Where exports are made apart, a process that serves rings the bell and does nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from exports import runner
from exports.runner import Bell, Runner
from exports.worker import Place

NOWHERE = SimpleNamespace(web=None)


@pytest.mark.parametrize("inside", [True, False])
def test_a_serving_process_makes_exports_unless_it_is_told_not_to(settings, monkeypatch, inside):
    place = Place(NOWHERE, settings.model_copy(update={"exports_in_process": inside}))
    drained, tidied = [], []
    monkeypatch.setattr(runner.worker, "drain", drained.append)
    monkeypatch.setattr(runner.worker, "tidy", tidied.append)
    monkeypatch.setattr(runner.queue, "waits", lambda _: False)
    made = Runner(lambda: place)
    made.keep()
    made.wake()
    made.stop()
    assert bool(drained) is inside
    assert bool(tidied) is inside
    assert Bell(place.settings.data_dir).rang(), "a worker apart hears of it"
