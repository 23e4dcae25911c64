"""The SDK's own client over the program as it is deployed: both eras of the protocol, and a token that ends
in the middle of a session."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import requests
from mcp import MCPError
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from api.assistant.tools import TOOLS
from auth import credentials, tokens
from settings import Settings
from storage.database import Database
from tests.conftest import empty
from tests.served import ServedWeb
from tests.webworld import API, WebWorld, make

Result = TypeVar("Result")


@pytest.fixture(scope="module")
def served(
    server: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ServedWeb, WebWorld]]:
    empty(server)
    world = make(server, settings)
    world.app.extensions["vigilo.exports"].stop()
    folder: Path = tmp_path_factory.mktemp("served")
    web = ServedWeb.over(server, folder)
    web.start()
    yield web, world
    web.kill()


def finished(work: Coroutine[Any, Any, Result]) -> Result:
    """Result of the work, in a thread of its own: where a browser was driven, this one has a loop."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, work).result()


def bearer(world: WebWorld, who: str) -> dict[str, str]:
    token = tokens.create(world.world.database.job, f"{who}@x.example")
    return {"Authorization": f"Bearer {token}"}


def client(web: ServedWeb, http: httpx2.AsyncClient, mode: str) -> Client:
    transport = streamable_http_client(f"{web.address}/mcp", http_client=http)
    return Client(transport, mode=mode)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_it_asks_what_its_person_could_ask_the_api(served, mode):
    web, world = served
    headers = bearer(world, "alice")

    async def ask():
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            client(web, http, mode) as assistant,
        ):
            listed = await assistant.list_tools()
            dashboard = await assistant.call_tool("dashboard", {"period": 28, "limit": 2})
            signals = await assistant.call_tool("signals", {})
            return [tool.name for tool in listed.tools], dashboard, signals

    names, dashboard, signals = finished(ask())
    assert names == list(TOOLS)
    own = requests.get(
        f"{web.address}{API}?period=28&limit=2&detail=brief", headers=headers, timeout=30
    )
    assert dashboard.structured_content == own.json()
    told = requests.get(f"{web.address}/api/v1/platform/signals/", headers=headers, timeout=30)
    assert signals.structured_content == told.json()


def test_a_token_that_ends_in_mid_session_ends_the_session(served):
    web, world = served
    headers, alice = bearer(world, "alice"), world.people["alice"]
    jobs = world.world.database.job

    async def ask() -> None:
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            client(web, http, "legacy") as assistant,
        ):
            assert not (await assistant.call_tool("workspaces", {})).is_error
            for token in credentials.tokens_of(jobs, alice.user_id):
                credentials.revoke_token(jobs, token.id, "operator")
            with pytest.raises(MCPError):
                await assistant.call_tool("workspaces", {})

    finished(ask())


def test_without_a_token_there_is_no_session(served):
    web, _ = served

    async def ask() -> None:
        async with httpx2.AsyncClient() as http, client(web, http, "legacy") as assistant:
            await assistant.list_tools()

    with pytest.raises(ExceptionGroup) as refused:
        finished(ask())
    assert refused.group_contains(MCPError, match="error response")


def test_fifty_assistants_at_once_are_answered_or_told_to_wait(served):
    web, world = served
    headers = bearer(world, "alice")

    async def one(http: httpx2.AsyncClient) -> int:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "signals"}}
        accept = {"Accept": "application/json, text/event-stream"}
        answer = await http.post(f"{web.address}/mcp", json=message, headers=accept, timeout=60)
        return answer.status_code

    async def ask() -> list[int]:
        async with httpx2.AsyncClient(headers=headers) as http:
            return await asyncio.gather(*(one(http) for _ in range(50)))

    statuses = finished(ask())
    assert 200 in statuses
    assert set(statuses) <= {200, 429, 503}
    assert requests.get(f"{web.address}/readyz", timeout=10).ok
