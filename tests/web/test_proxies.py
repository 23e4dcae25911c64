"""Behind a proxy each person has their own address, and nobody can name another."""

from __future__ import annotations

import pytest

from tests.deep import all_but
from tests.webworld import PASSWORD, make


def web_behind(database, settings, proxies: int):
    return make(database, settings.model_copy(update={"proxies": proxies}))


def attempts(web, chain: str, times: int) -> None:
    for i in range(times):
        browser = web.browser()
        browser.environ_base["HTTP_X_FORWARDED_FOR"] = chain.format(i)
        web.attempt(browser, f"guess{i}{chain[:3]}@x.example", "wrong password")


def status(web, chain: str) -> int:
    browser = web.browser()
    browser.environ_base["HTTP_X_FORWARDED_FOR"] = chain
    return web.attempt(browser, "alice@x.example", PASSWORD).status_code


def test_ten_failures_of_one_address_block_no_other(database, settings):
    web = web_behind(database, settings, 1)
    attempts(web, "198.51.100.7", 10)
    assert status(web, "198.51.100.7") == 429
    assert status(web, "203.0.113.9") == 302


BEHIND_ONE = (1, "{}.1.1.1, 198.51.100.7")


@pytest.mark.parametrize(
    ("proxies", "chain"), all_but([BEHIND_ONE], [BEHIND_ONE, (0, "{}.1.1.1")], several=True)
)
def test_an_address_that_the_client_claims_counts_for_nothing(database, settings, proxies, chain):
    web = web_behind(database, settings, proxies)
    attempts(web, chain, 10)
    assert status(web, chain.format(99)) == 429


def test_the_metrics_stay_on_this_machine(database, settings):
    web = web_behind(database, settings, 1)
    browser = web.browser()
    assert browser.get("/metrics").status_code == 200
    assert browser.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
