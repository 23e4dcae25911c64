"""The application for the tests of this folder."""

import pytest

from tests.webworld import WebWorld, make


@pytest.fixture
def web(database, settings) -> WebWorld:
    """A fresh world."""
    return make(database, settings)
