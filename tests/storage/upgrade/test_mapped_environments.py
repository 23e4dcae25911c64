"""Roll-backs of before migration 0040, which went by the names of environments, undo by their meanings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from tests.storage.upgrade.former_database import brought_up
from tests.world import as_they_are

NAMES = (
    "production",
    "prod",
    "Production - app",
    "pre-prod",
    "blue",
    "prd eu",
    "kiosk",
    "demo",
    "live",
)
RECORDED = """
insert into workspace (slug, name) values ('one-team', 'One'), ('two-teams', 'Two'), ('nobody', 'None');
insert into word_meaning (workspace_id, about, word, meaning) values
    (1, 'environment', 'live', 'other'), (1, 'severity', 'kiosk', 'production');
insert into organisation_meaning (about, word, meaning) values
    ('environment', 'kiosk', 'production'), ('environment', 'live', 'production');
insert into deployment (workspace_id, key, completed_at, environment, outcome, service, production,
                        rolled_back_at) values
    (1, 'stands', '2026-04-01T09:00Z', 'production', 'successful', 'api', true, '2026-04-01T12:00Z'),
    (1, 'undone', '2026-04-01T10:00Z', 'kiosk', 'successful', 'api', true, null),
    (1, 'apart', '2026-04-01T11:00Z', 'live', 'successful', 'api', false, null),
    (1, 'web', '2026-04-01T11:00Z', 'prod', 'successful', 'web', true, null),
    (2, 'blue', '2026-04-01T09:00Z', 'blue', 'successful', null, true, '2026-04-02T09:00Z');
insert into roll_back (workspace_id, key, rolled_back_at, environment, service) values
    (1, 'r', '2026-04-01T12:00Z', 'production', 'api'),
    (2, 's', '2026-04-02T09:00Z', 'blue', '');
"""


@pytest.fixture
def former(server) -> Iterator[Connection]:
    """A database of its own that was at migration 0039 when it was told all this."""
    insert = text(
        "insert into deployment (workspace_id, key, completed_at, environment, outcome)"
        " values (3, :name, '2026-04-01T09:00Z', :name, 'successful')"
    )

    def fill(connection: Connection) -> None:
        connection.exec_driver_sql(RECORDED)
        connection.execute(insert, [{"name": name.lower()} for name in NAMES])

    with brought_up(server, "unmapped", "0039", fill) as connection:
        yield connection


def test_names_get_the_meaning_that_the_fold_would_give_them(former):
    query = text("select environment, mapped_environment from deployment where workspace_id = 3")
    expected = {
        name.lower(): "production" if as_they_are("environment", name) == "production" else name
        for name in NAMES
    }
    assert dict(former.execute(query).all()) == expected | {"kiosk": "production"}


def test_what_was_undone_by_name_is_undone_by_meaning_and_its_days_are_marked(former):
    query = text("select key from deployment where rolled_back_at is not null order by key")
    assert list(former.execute(query).scalars()) == ["blue", "undone"]
    marks = former.execute(text("select workspace_id, first_day::text, at_once from snapshot_due"))
    assert marks.all() == [(1, "2026-03-31", True)]


def test_the_columns_are_closed_to_others_as_they_were(former):
    query = text("select bool_and(relforcerowsecurity) from pg_class where relname = any(:tables)")
    tables = ["deployment", "roll_back", "word_meaning", "snapshot_due"]
    assert former.execute(query, {"tables": tables}).scalar() is True
