"""The address is the program's own before anybody is told of it."""

import socket

import pytest
from flask import Flask

from settings import load
from web.server import serving


@pytest.fixture(autouse=True)
def own_signals(monkeypatch):
    monkeypatch.setattr(serving.signal, "signal", lambda *_: None)


def refused(tmp_path, told: list, **address) -> str:
    settings = load(data_dir=tmp_path).model_copy(update=address)
    with pytest.raises(SystemExit) as stopped:
        serving.run(Flask("x"), settings, lambda: told.append(1), reloads=False)
    return str(stopped.value)


def test_a_taken_port_is_named_and_nothing_announced(tmp_path):
    told: list = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(tmp_path, told, port=port)
    assert said == f"HOST, PORT: 127.0.0.1:{port} can not be served on: Address already in use."
    assert not told


def test_a_host_that_is_none_is_named(tmp_path):
    told: list = []
    said = refused(tmp_path, told, host="no-such-host.invalid", port=0)
    assert said.startswith("HOST, PORT: no-such-host.invalid:0 can not be served on: ")
    assert not told
