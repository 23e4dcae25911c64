"""The application for the tests of this folder."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.conftest import empty
from tests.webworld import WebWorld, make


@pytest.fixture
def web(database, settings) -> WebWorld:
    """A fresh world."""
    return make(database, settings)


@pytest.fixture(scope="module")
def shared_web(server, settings) -> Iterator[WebWorld]:
    """A world for all tests of a module that are refused, or only read."""
    empty(server)
    made = make(server, settings)
    yield made
    made.app.extensions["vigilo.exports"].stop()


@pytest.fixture(scope="module")
def alice(shared_web) -> FlaskClient:
    """The platform admin's browser."""
    return shared_web.sign_in("alice")
