"""Jobs of exports as rows."""

from __future__ import annotations

from sqlalchemy import text

from exports import queue


def put(here, who="alice", form="pdf", **params):
    place, web = here
    return queue.request(
        place.database.job, web.people[who], params or {"period": "7"}, form, ["alpha"]
    )


def row(here, id):
    with here[0].database.job.connect() as connection:
        query = text("select * from export_job where id = :id")
        return connection.execute(query, {"id": id}).one()
