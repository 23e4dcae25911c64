"""vigilo-web.service: a reload takes the variables as they are now; a worker that is frozen is replaced."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator

import pytest
import requests

from tests.deep import DEEP
from tests.served import ROOT, ServedWeb, until
from tests.webworld import make

UNIT = (ROOT / "deploy" / "systemd" / "vigilo-web.service").read_text(encoding="utf-8")
pytestmark = pytest.mark.skipif(not DEEP, reason="deep: it waits for gunicorn's patience")


@pytest.fixture
def web(database, settings, tmp_path) -> Iterator[ServedWeb]:
    make(database, settings)
    served = ServedWeb.over(
        database, tmp_path, workers=2, RUNTIME_DIRECTORY=str(tmp_path),
        VIGILO_ORG_NAME="Before", VIGILO_STATEMENT_SECONDS="29",
    )  # fmt: skip
    served.start()
    yield served
    served.kill()


def workers(web: ServedWeb) -> set[int]:
    assert web.process is not None
    children = f"/proc/{web.process.pid}/task/{web.process.pid}/children"
    with open(children, encoding="ascii") as file:
        return set(map(int, file.read().split()))


def test_a_reload_takes_the_variables_as_they_are_now(web):
    command = re.search(r"^ExecReload=/bin/sh -c '(.*?)'$", UNIT, re.MULTILINE | re.DOTALL)
    assert command
    assert web.process is not None
    now = {k: v for k, v in web.environment.items() if k != "VIGILO_STATEMENT_SECONDS"}
    now |= {"VIGILO_ORG_NAME": "After", "MAINPID": str(web.process.pid)}
    before = workers(web)
    script = command[1].replace("\\\n", " ").replace("$$", "$")
    subprocess.run(["/bin/sh", "-c", script], env=now, check=True)
    assert not before & workers(web), "it ends when those of before have ended"
    assert "After" in requests.get(f"{web.address}/login", timeout=20).text
    assert not list(web.log.parent.glob("environment"))


def test_a_worker_that_is_frozen_is_replaced(web):
    one = min(workers(web))
    os.kill(one, signal.SIGSTOP)
    until(lambda: one not in workers(web) and len(workers(web)) == 2)
    assert requests.get(f"{web.address}/healthz", timeout=20).ok
