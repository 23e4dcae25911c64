"""The address is the program's own before anybody is told of it; a signal ends it at once."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from flask import Flask

from auth import accounts
from ingest.pulling import store
from ingest.pulling.runner import SourceContext
from ingest.pulling.store import NewSource
from settings import load
from storage import embedded
from storage.database import connect
from storage.viewer import Viewer
from tests.deep import all_but
from tests.ingest.pulling.senders.prometheus import free_port
from web.first_run import steps
from web.server import serving

ROOT = Path(__file__).parents[2]
GONE = 10.0
"""Seconds of a busy machine; a quiet one takes two."""


@pytest.fixture
def own_signals(monkeypatch):
    monkeypatch.setattr(serving.signal, "signal", lambda *_: None)


def refused(tmp_path, told: list, **address) -> str:
    settings = load(data_dir=tmp_path).model_copy(update=address)
    with pytest.raises(SystemExit) as stopped:
        serving.run(Flask("x"), settings, lambda: told.append(1), reloads=False)
    return str(stopped.value)


@pytest.mark.usefixtures("own_signals")
def test_a_taken_port_is_named_and_nothing_announced(tmp_path):
    told: list = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(tmp_path, told, port=port)
    assert said == f"HOST, PORT: 127.0.0.1:{port} can not be served on: Address already in use."
    assert not told


@pytest.mark.usefixtures("own_signals")
def test_a_host_that_is_none_is_named(tmp_path):
    told: list = []
    said = refused(tmp_path, told, host="no-such-host.invalid", port=0)
    assert said.startswith("HOST, PORT: no-such-host.invalid:0 can not be served on: ")
    assert not told


@pytest.fixture
def silent():
    """A sender that takes every question and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(120)
        yield server


@pytest.fixture
def data_dir():
    """A folder below ones that are open to the server's user."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-stop-"))
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def syncing(data_dir, silent):
    """A program that serves, whose source waits for that sender."""
    settings = load(data_dir=data_dir, demo=False, source_allow=("127.0.0.0/8",))
    database = connect(settings)
    database.upgrade(settings)
    ada = Viewer(
        accounts.create(database.job, "ada@x.example", "a-password-of-hers"), "ada@x.example"
    )
    steps.add_workspaces(database, ada, "Payments")
    context = SourceContext(database, settings)
    config = {"address": f"http://127.0.0.1:{silent.getsockname()[1]}", "incidents": "yes"}
    new = NewSource("prometheus", "Silent", config, "", 1)
    store.create(database.job, context.box, new, (ada.user_id, ada.email))
    database.close()
    embedded.stop(data_dir)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    own = {"VIGILO_DATA_DIR": str(data_dir), "VIGILO_DEMO": "false", "PORT": str(free_port()),
           "VIGILO_SOURCE_ALLOW": '["127.0.0.0/8"]'}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "serve"], cwd=ROOT, env=kept | own,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "number",
    all_but([signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]),
    ids=["Ctrl+C", "terminate"],
)
def test_a_program_that_waits_for_a_sender_is_gone_at_once(syncing, silent, data_dir, number):
    told = ""
    while "Stop with" not in told:
        told += syncing.stdout.readline() or pytest.fail(f"it did not start: {told}")
    asked, _ = silent.accept()
    begin = time.monotonic()
    syncing.send_signal(number)
    assert syncing.wait(120) == 0
    assert time.monotonic() - begin < GONE
    assert not (data_dir / "postgres" / "postmaster.pid").exists(), "its database is gone as well"
    asked.close()
