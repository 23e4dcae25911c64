"""A server that is frozen: to the network it is there, and nobody waits for it beyond the bound."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.deep import DEEP, bound
from tests.faults.stack import Stack, note
from tests.webworld import API


def asked_at_once(stack: Stack, times: int) -> list[tuple[requests.Response, float]]:
    """Answers to several people who ask for figures in the same moment, and how long each waited."""

    def ask(_: int) -> tuple[requests.Response, float]:
        begun = time.monotonic()
        answer = requests.get(
            f"{stack.web.address}{API}?period=7", cookies=stack.browser.cookies, timeout=300
        )
        return answer, time.monotonic() - begun

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(ask, range(times)))


@pytest.mark.parametrize("way", ["directly", "through pgbouncer"] if DEEP else ["directly"])
def test_nobody_waits_long_for_a_frozen_server(request, way):
    """Beyond two seconds it is asked twice, three seconds each; who comes then is refused by the third."""
    behind: Stack = request.getfixturevalue("stack" if way == "directly" else "pooled_stack")
    asked_at_once(behind, 6)  # so that there are connections
    with behind.cluster.frozen():
        answers = asked_at_once(behind, 6)
    assert {answer.status_code for answer, _ in answers} == {503}
    assert all(answer.headers["Retry-After"] for answer, _ in answers)
    longest = max(seconds for _, seconds in answers)
    assert longest < bound(12)
    seconds = behind.recovers()
    assert seconds < bound(5)
    fault = "PostgreSQL frozen (SIGSTOP)" + (", behind pgbouncer" if way != "directly" else "")
    note(fault, f"503 after {longest:.0f} s, and the figures again", seconds)
