"""Roles that the database itself decides by, where no page is asked: the same as the program's."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from auth import membership

RULES = {"source_may_feed": membership.MANAGERS, "colleague": membership.MANAGERS}
"""Functions, and the roles that they ask for: whose source may write, and who sees whom."""


@pytest.mark.parametrize(("function", "roles"), list(RULES.items()))
def test_the_database_names_the_roles_that_the_program_does(server, function, roles):
    with server.owner.connect() as connection:
        query = text("select prosrc from pg_proc where proname = :name")
        body = connection.execute(query, {"name": function}).scalar_one()
    named = set(re.findall(r"'([a-z_]+)'", body)) & set(membership.ORDER)
    assert named == set(roles)
