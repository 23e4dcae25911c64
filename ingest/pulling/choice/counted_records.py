"""Records that each part has told, by the choice that counted them: another choice withdraws those of the
former one, and choosing it again brings them back.

A row in ``source_item`` stands for each record: its key is ``told/WORKSPACE/KEY OF THE RECORD``, its data
the label of the choice, whether the record is ``gone``, and the instant of the record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection, text

from aggregators.records.statements import ROW, Statement
from ingest import words
from ingest.due.marks import mark
from ingest.kinds import KINDS
from ingest.pulling import runs
from ingest.pulling.choice.counts import label, words_of_label
from ingest.pulling.shape import PullScope
from ingest.pulling.store import StoredSource
from ingest.statements import Told, tell
from storage import audit
from storage.arrays import array
from storage.context import job_in
from storage.database import Database

BATCH, QUIET_SECONDS = 2_000, 20.0
ACTOR = "vigilo"
"""Actor of what a sync does by itself, in the audit."""
BEGIN = "told/"
STREAMS = ("deployments", "unfinished", "runs", "releases", "tags", "merges", "listed")
GONE = text("""
select key from source_item where source_id = :id and scope = :scope
  and key = any(cast(:keys as text[])) and (data ->> 'gone')::boolean
""")
NOTE = text("""
insert into source_item (source_id, scope, key, data, done)
select :id, :scope, key, jsonb_build_object('as', cast(:label as text), 'at', value, 'gone', false), true
from jsonb_each(cast(:told as jsonb))
on conflict (source_id, scope, key) do update set data = excluded.data
where source_item.data <> excluded.data
""")
VANISHED = text("""
delete from source_item where source_id = :id and scope = :scope and key = any(cast(:keys as text[]))
""")
OTHERS = text("""
select key, data ->> 'as' as label, (data ->> 'at')::timestamptz as at from source_item
where source_id = :id and scope = :scope and starts_with(key, 'told/')
  and (data ->> 'as' = :label) = (data ->> 'gone')::boolean
order by (data ->> 'gone')::boolean, key limit :most
""")
"""Records of other choices that stand, then those of this one that are gone."""
TURN = text("""
update source_item set data = data || jsonb_build_object('gone', cast(:gone as boolean))
where source_id = :id and scope = :scope and key = any(cast(:keys as text[]))
""")
ANEW = text("""
delete from source_stream
where source_id = :id and scope = :scope and stream = any(cast(:streams as text[]))
""")
DONE = text("""
update source_scope set counts_done = each.label
from jsonb_each_text(cast(:labels as jsonb)) as each(scope, label)
where source_id = :id and external_id = each.scope
""")
NUMBERS = text("""
select scope, count(*) from source_item
where source_id = :id and starts_with(key, 'told/') and not (data ->> 'gone')::boolean
group by scope
""")


def key_of(workspace_id: int, key: str) -> str:
    """Key of the row that stands for a record."""
    return f"{BEGIN}{workspace_id}/{key}"


def note(
    connection: Connection,
    source: StoredSource,
    scope: PullScope,
    workspace_id: int,
    listed: Mapping[str, datetime],
) -> None:
    """Notes what a piece told, in its transaction; what was gone by another choice comes back."""
    listed_at = {key_of(workspace_id, key): at.isoformat() for key, at in listed.items()}
    own = {"id": source.id, "scope": scope.external_id}
    gone = connection.execute(GONE, own | {"keys": array(list(listed_at))}).scalars().all()
    if gone:
        _say(connection, source, workspace_id, [_record(key) for key in gone], withdrawn=False)
    values = {"label": label(scope.counts, scope.named), "told": orjson.dumps(listed_at).decode()}
    connection.execute(NOTE, own | values)


def forget(
    connection: Connection, id: int, scope: str, workspace_id: int, keys: Sequence[str]
) -> None:
    """Forgets records that vanished at the sender: no choice brings them back."""
    rows = array([key_of(workspace_id, key) for key in keys])
    connection.execute(VANISHED, {"id": id, "scope": scope, "keys": rows})


def numbers(connection: Connection, id: int) -> dict[str, int]:
    """How many records of each part count by its choice."""
    return {row[0]: int(row[1]) for row in connection.execute(NUMBERS, {"id": id})}


def _record(key: str) -> str:
    return key.split("/", 2)[2]


def _say(
    connection: Connection,
    source: StoredSource,
    workspace_id: int,
    keys: Sequence[str],
    *,
    withdrawn: bool,
) -> None:
    """Tells, in the sender's name, that records are gone or are there."""
    statement = Statement(source.kind, {"withdrawn": withdrawn}, datetime.now(UTC), manner=ROW)
    meant = words.of_workspace(connection, workspace_id)
    kind = KINDS["deployments"]
    tell(connection, kind, workspace_id, [Told(key, statement) for key in keys], meant)


@dataclass(slots=True)
class ChoiceTurn:
    """Numbers of the records of a part that count no more, by what they were, and of those that count
    again."""

    withdrawn: dict[str, int]
    restored: int = 0

    @property
    def sentence(self) -> str:
        """Words for what happened; empty where nothing did."""
        gone = [f"{n:,} {words_of_label(name)}" for name, n in sorted(self.withdrawn.items())]
        phrases = [f"{' and '.join(gone)} count no more"] if gone else []
        return ", ".join([*phrases, *([f"{self.restored:,} count again"] if self.restored else [])])


def turn(database: Database, source: StoredSource, scope: PullScope) -> ChoiceTurn:
    """Has a part's records count by its choice alone, a batch a transaction: killed, the next run goes on.
    Raises RunLost."""
    own = {"id": source.id, "scope": scope.external_id}
    now, made = label(scope.counts, scope.named), ChoiceTurn({})
    while True:
        with database.job.connect() as connection:
            rows = connection.execute(OTHERS, own | {"label": now, "most": BATCH}).all()
        by_workspace: dict[tuple[int, bool], list[tuple[str, datetime]]] = defaultdict(list)
        for row in rows:
            is_gone = row.label != now
            by_workspace[int(row.key.split("/")[1]), is_gone].append((row.key, row.at))
            if is_gone:
                made.withdrawn[row.label] = made.withdrawn.get(row.label, 0) + 1
            else:
                made.restored += 1
        for (workspace_id, is_gone), each in by_workspace.items():
            with job_in(database.job, workspace_id) as connection:
                runs.hold(connection, source)
                _tell_turn(connection, source, scope, workspace_id, each, is_gone=is_gone)
        if not rows:
            break
    begin(database, source, [scope])
    return made


def _tell_turn(
    connection: Connection,
    source: StoredSource,
    scope: PullScope,
    workspace_id: int,
    records: Sequence[tuple[str, datetime]],
    *,
    is_gone: bool,
) -> None:
    """Withdraws records that count no more, or brings them back, and marks their days."""
    keys = [key for key, _ in records]
    own = {"id": source.id, "scope": scope.external_id}
    _say(connection, source, workspace_id, [_record(key) for key in keys], withdrawn=is_gone)
    connection.execute(TURN, own | {"gone": is_gone, "keys": array(keys)})
    connection.execute(ANEW, own | {"streams": array(STREAMS)})
    first = min(at for _, at in records)
    mark(connection, workspace_id, first, reach=True, quiet_seconds=QUIET_SECONDS)
    counts = words_of_label(label(scope.counts, scope.named))
    details = {"part": scope.name, "counts": counts, "records": len(keys), "withdrawn": is_gone}
    audit.record(connection, ACTOR, "source.turn", str(source.id), details)


def begin(database: Database, source: StoredSource, scopes: Sequence[PullScope]) -> None:
    """Notes what counts of parts, of which nothing was told yet by another choice. Raises RunLost."""
    if scopes:
        labels = {each.external_id: label(each.counts, each.named) for each in scopes}
        with database.job.begin() as connection:
            runs.hold(connection, source)
            values = {"id": source.id, "labels": orjson.dumps(labels).decode()}
            connection.execute(DONE, values)
