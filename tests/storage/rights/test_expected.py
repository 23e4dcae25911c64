"""Rights and definitions that the doctor looks for are those that the migrations give."""

from __future__ import annotations

from storage.migrations import definitions, rights
from tests.storage.rights.fresh import defined, text_of


def test_the_file_is_what_a_new_database_has(server):
    with server.web.connect() as connection:
        assert text_of(connection, server.roles) == rights.FILE.read_text(encoding="utf-8"), (
            "make rights"
        )
        told = defined(connection, server.roles)
    assert told == definitions.FILE.read_text(encoding="utf-8"), "make rights"
