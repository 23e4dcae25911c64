"""The program before two identity providers that lie as they are told, served once a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import empty
from tests.web.people.provider.lying import Attacked, attacked

GROUPS = {
    "sre": {"beta": "platform_admin"},
    "apps": {"beta": "engineer"},
    "None": {"beta": "owner"},
    "1": {"beta": "owner"},
    "True": {"beta": "owner"},
    "['sre']": {"beta": "owner"},
}
"""Groups speak of beta alone; some are what a careless reader makes of what is no name."""


@pytest.fixture(scope="module")
def served(server, settings) -> Iterator[Attacked]:
    """A program and two providers."""
    empty(server)
    with attacked(server, settings, oidc_groups=GROUPS) as made:
        yield made


@pytest.fixture
def site(served: Attacked) -> Attacked:
    """Truthful providers, of which the program knows nothing yet."""
    served.forget()
    return served
