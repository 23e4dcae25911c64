"""The application for the tests of this folder."""

import pytest

from tests.webworld import Web, make


@pytest.fixture
def web(database, settings) -> Web:
    """A fresh world."""
    return make(database, settings)
