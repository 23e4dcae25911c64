"""The demo organisation, loaded once."""

from __future__ import annotations

import time

import pytest

import demo
from tests.conftest import empty
from tests.deep import bound


@pytest.fixture(scope="module")
def organisation(server, settings):
    empty(server)
    begun = time.monotonic()
    made = demo.load(server, settings)
    assert time.monotonic() - begun < bound(45)
    assert made.password == settings.demo_password
    return server
