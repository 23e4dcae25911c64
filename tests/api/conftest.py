"""The application for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.webworld import WebWorld, make


@pytest.fixture
def web(database, settings) -> Iterator[WebWorld]:
    """A fresh world. An export under way is finished: the next test empties the tables."""
    made = make(database, settings)
    yield made
    made.app.extensions["vigilo.exports"].stop()
