"""README's commands, typed in order in a folder of one's own, over records of one's own."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deep import DEEP
from tests.ingest.formats.test_x509 import certificate, pem
from tests.runbook.blocks import blocks, run
from tests.served import ROOT

README = list(blocks(ROOT / "README.md"))
OWN, HISTORY = "With your own data", "vigilo records import workspaces  deployments.csv"
NOT_TYPED = {
    "make .venv/runtime": "the tests' own interpreter is used",
    "make run": "serves until it is stopped; tests of the served program have it",
    "vigilo records fetch slo-days": "needs a Prometheus; tests of sources run one",
    "vigilo records scan certificates": "needs a host with TLS; tests of sources run one",
}
"""Lines that are left out, by their beginning, and why."""
FILES = {
    "workspaces.csv": "slug,name,region,is_active,accent\npayments,Payments,EU,true,\n",
    "deployments.csv": "workspace,key,completed_at,outcome\npayments,d1,2026-11-20T10:00:00Z,successful\n",
    "changes.csv": "workspace,key,deployment,committed_at\npayments,c1,d1,2026-11-19T10:00:00Z\n",
    "incidents.csv": "workspace,key,opened_at,severity\npayments,i1,2026-11-20T11:00:00Z,p2\n",
    "slos.csv": "workspace,key,name,target_percent\npayments,checkout,Checkout,99.9\n",
    "slo-days.csv": "workspace,key,day,good,total\npayments,checkout,2026-11-20,99,100\n",
    "controls.csv": "workspace,framework,control,assessed_at,result\n"
    "payments,SOC2,CC6.1,2026-11-20T10:00:00Z,compliant\n",
    "vendors.csv": "workspace,key,name,tier\npayments,v1,Vendor,1\n",
    "reviews.csv": "workspace,vendor,completed_on\npayments,v1,2026-11-20\n",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the embedded server may enter, with a ``vigilo`` command of this interpreter."""
    made = Path(tempfile.mkdtemp(prefix="vigilo-readme-"))
    made.chmod(0o755)
    command = made / "bin" / "vigilo"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m flask --app "{ROOT}/app" "$@"\n')
    command.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def typed(folder: Path, block: str) -> str:
    """Output of a block, but for the lines that are left out."""
    lines = [line for line in block.splitlines() if not line.startswith(tuple(NOT_TYPED))]
    script = "\n".join(lines).replace("/srv/vigilo", str(folder / "data"))
    script = script.replace('"You"', '"You" <<< "a long first password"')
    environment = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "VIGILO_TODAY": "2026-11-23",
        "VIGILO_DATA_DIR": str(folder / "data"),
    }
    done = run(f"cd {folder}\n{script}", environment)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return done.stdout


def test_what_is_left_out_stands_there():
    lines = [line for _, _, text in README for line in text.splitlines()]
    assert all(any(line.startswith(left) for line in lines) for left in NOT_TYPED)


@pytest.mark.skipif(not DEEP, reason="deep")
def test_own_data(folder):
    own = next(text for heading, _, text in README if heading == OWN)
    for name, content in FILES.items():
        (folder / name).write_text(content)
    (folder / "certs").mkdir()
    (folder / "certs" / "web.pem").write_bytes(pem(certificate()))
    assert "snapshot days written in 1 workspaces" in typed(folder, own)


@pytest.mark.skipif(not DEEP, reason="deep")
def test_a_git_history(folder, acceptance_data):
    for path in (acceptance_data / "git_history").iterdir():
        shutil.copy(path, folder)
    typed(folder, "vigilo db upgrade")
    history = next(text for _, _, text in README if text.startswith(HISTORY))
    assert "snapshot days written" in typed(folder, history)
