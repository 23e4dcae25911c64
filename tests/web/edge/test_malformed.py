"""Every callback, sent right bodies in which something is wrong: a 4xx or words, never a server error."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from tests.deep import DEEP
from tests.web.edge.matrix import CALLBACKS, Callback
from tests.web.edge.test_matrix import UPDATE, asked
from tests.web.test_callbacks import junk
from tests.webworld import csrf

BODIES = 500 if DEEP else 40
Place = tuple[Any, ...]


def places(value: Any, before: Place = ()) -> list[Place]:
    """Ways to every part of a JSON value, the whole of it too."""
    parts = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [before, *(way for key, part in parts for way in places(part, (*before, key)))]


def broken(rng: random.Random, right: dict[str, Any]) -> Any:
    """The body with one part taken out, doubled, put into a list, or made into anything."""
    body = copy.deepcopy(right)
    *there, last = rng.choice([place for place in places(body) if place])
    parent = body
    for key in there:
        parent = parent[key]
    part = parent[last]
    match rng.randrange(5):
        case 0:
            del parent[last]
        case 1:
            parent[last] = [part, part]
        case 2:
            parent[last] = {"value": part, "id": part}
        case _:
            parent[last] = junk(rng)
    return body


@pytest.mark.parametrize("callback", CALLBACKS, ids=lambda callback: callback.output)
def test_malformed_bodies_of_every_callback_are_never_a_server_error(
    shared_web, callback: Callback
):
    alice, rng = shared_web.sign_in("alice"), random.Random(callback.output)
    right, token = asked(shared_web, callback), csrf(alice)
    for _ in range(BODIES):
        body = broken(rng, right)
        answer = alice.post(
            UPDATE, data=json.dumps(body), content_type="application/json", headers=token
        )
        assert answer.status_code < 500, body
