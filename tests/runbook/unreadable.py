"""Run in an operator's shell: has a delivery come that nobody can read, and prints the id of its part."""

from __future__ import annotations

import sys

from sqlalchemy import text

from ingest.door import quarantine
from ingest.door.deliveries import accept, drain
from settings import load
from storage.database import connect


def main() -> None:
    """Prints the part's id."""
    database = connect(load())
    with database.job.connect() as connection:
        query = text("select id from workspace where slug = 'payments'")
        workspace = int(connection.execute(query).scalar_one())
    accept(database, workspace, "github", b"{not json")
    drain(database)
    _, parts = quarantine.list_quarantine(database, workspace, 10)
    sys.stdout.write(f"{parts[0]['id']}\n")
    database.close()


if __name__ == "__main__":
    main()
