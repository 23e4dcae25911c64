"""A typed Python client, generated from the OpenAPI document, that reads over the served program."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import requests

from auth import tokens
from settings import Settings
from storage.database import Database
from tests.conftest import empty
from tests.deep import long
from tests.served import ServedWeb
from tests.webworld import API, make

NAME = "vigilo_generated"
CONFIG = {"content_type_overrides": {"application/openmetrics-text": "text/plain"}}


@pytest.fixture(scope="module")
def web(
    server: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedWeb]:
    empty(server)
    make(server, settings).app.extensions["vigilo.exports"].stop()
    served = ServedWeb.over(server, tmp_path_factory.mktemp("served"))
    served.start()
    yield served
    served.kill()


@pytest.fixture(scope="module")
def headers(web: ServedWeb, server: Database) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.create(server.job, 'alice@x.example')}"}


@pytest.fixture(scope="module")
def generated(
    web: ServedWeb, headers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModuleType]:
    """The client, as whoever generates one has it. A warning is a part that it would lack."""
    folder: Path = tmp_path_factory.mktemp("client")
    document = requests.get(f"{web.address}/api/openapi.json", headers=headers, timeout=30)
    (folder / "openapi.json").write_bytes(document.content)
    (folder / "config.json").write_text(json.dumps(CONFIG | {"post_hooks": []}))
    command = ["generate", "--path", "openapi.json", "--config", "config.json", "--meta", "none"]
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", *command, "--output-path", NAME],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "WARNING" not in made.stdout + made.stderr, made.stdout
    sys.path.insert(0, str(folder))
    yield importlib.import_module(NAME)
    sys.path.remove(str(folder))


def part(name: str) -> ModuleType:
    return importlib.import_module(f"{NAME}.{name}")


@long("tests/api/test_openapi.py::test_the_document_is_valid")
def test_it_reads_what_the_api_tells(generated, web, headers):
    token = headers["Authorization"].removeprefix("Bearer ")
    client = generated.AuthenticatedClient(base_url=web.address, token=token)
    api = "api.default"

    def told(path: str) -> object:
        return requests.get(web.address + path, headers=headers, timeout=30).json()

    with client:
        dashboard = part(f"{api}.executive_dashboard").sync(client=client, limit=1)
        assert dashboard.to_dict() == told(f"{API}?limit=1")
        key = part("models.workspace_figures_key").WorkspaceFiguresKey.DORA
        figures = part(f"{api}.workspace_figures").sync("alpha", key, client=client)
        assert figures.to_dict() == told("/api/v1/ws/alpha/domains/dora/")
        key = part("models.workspace_records_key").WorkspaceRecordsKey.INCIDENTS
        records = part(f"{api}.workspace_records").sync("alpha", key, client=client, limit=5)
        assert records.to_dict() == told("/api/v1/ws/alpha/domains/incidents/records?limit=5")
        signals = part(f"{api}.list_signals").sync(client=client)
        assert signals.to_dict() == told("/api/v1/platform/signals/")
        definitions = part(f"{api}.list_definitions").sync(client=client)
        assert definitions.to_dict() == told("/api/v1/definitions/")


def test_a_refusal_is_typed_too(generated, web):
    client = generated.AuthenticatedClient(base_url=web.address, token="vgl_nothing")
    with client:
        refused = part("api.default.list_workspaces").sync(client=client)
    assert (refused.status, refused.code) == (401, "not_authenticated")
