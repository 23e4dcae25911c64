"""Choice of what each part's deployments are: counted before a part is read for the first time, kept, and
made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, Engine, text

from aggregators.name_order import by_name
from ingest.pulling import runs, store
from ingest.pulling.catalogue import kind_of
from ingest.pulling.choice import counted_records
from ingest.pulling.choice.counts import (
    RUNS,
    SETTING,
    ChoiceCount,
    KeptChoice,
    check_choice,
    choice_in_force,
    first_of,
    is_automatic,
    label,
    named_words,
    pack_counts,
    unpack_choice,
)
from ingest.pulling.problems import SourceProblem, SourceWaits
from ingest.pulling.shape import Pull, PullScope
from ingest.pulling.store import StoredSource
from ingest.pulling.wire.answered import read_from
from storage import audit
from storage.database import Database

UNNAMED = "No workflow of it says that it deploys: name the one that does in the setting Workflow."
AGAIN = timedelta(days=1)
"""How long a part that had nothing of anything is let be before it is counted again."""
KEPT = text("""
select external_id, counts, counts_named, counts_by, counts_seen, counts_done from source_scope
where source_id = :id
""")
KEEP = text("""
update source_scope set counts = :counts, counts_named = :named, counts_by = :by,
    counts_seen = coalesce(cast(:seen as jsonb), counts_seen)
where source_id = :id and external_id = :scope and (:by = 'hand' or counts_by <> 'hand')
""")
FED = text("""
select c.name, c.external_id, c.counts, c.counts_named, s.kind, s.name as source, s.config
from source_scope c join source s on s.id = c.source_id
where c.into_workspace = :w and c.state = 'mapped' order by c.external_id
""")


class PartChoice(NamedTuple):
    """Choice in force for a part, for whoever looks at it: what its deployments are, in words too, who made
    it (``seen``, ``hand``, ``source``, or nobody yet), what was counted, and how many records count by
    it."""

    external_id: str
    name: str
    is_mapped: bool
    choice: str
    words: str
    by: str
    seen: Sequence[ChoiceCount]
    records: int

    @property
    def short(self) -> str:
        """Name without that of its owner."""
        return self.name.rpartition("/")[2]


def choices_of_parts(connection: Connection, id: int) -> dict[str, tuple[KeptChoice, str]]:
    """The parts' own choices, and the label of what counts of each by now."""
    return {
        row.external_id: (
            unpack_choice(row.counts, row.counts_named, row.counts_by, row.counts_seen),
            row.counts_done,
        )
        for row in connection.execute(KEPT, {"id": id})
    }


def with_choices(
    connection: Connection, source: StoredSource, scopes: Sequence[PullScope]
) -> list[PullScope]:
    """The parts with what their deployments are."""
    choices = kind_of(source.kind).choices
    if not choices:
        return list(scopes)
    known = choices_of_parts(connection, source.id)
    return [
        each._replace(**_choice_settings(choices, source.config, known, each)) for each in scopes
    ]


def _choice_settings(
    choices: Sequence[str],
    config: Mapping[str, str],
    kept_choices: Mapping[str, tuple[KeptChoice, str]],
    scope: PullScope,
) -> dict[str, str]:
    """Settings of a part: what its deployments are, by the choice in force."""
    own, _ = kept_choices.get(scope.external_id, (KeptChoice(), ""))
    choice, named = choice_in_force(choices, config, own)
    return {"counts": choice, "named": named}


def settle_parts(database: Database, source: StoredSource, pull: Pull) -> list[PullScope]:
    """The parts of a run, each with what its deployments are: chosen now where it was not, and with nothing
    beside it that another choice had counted. Parts that could not be looked at in time wait for the next
    run. Raises RunLost."""
    kind = kind_of(source.kind)
    if not kind.choices:
        return list(pull.scopes)
    with database.job.connect() as connection:
        known = choices_of_parts(connection, source.id)
    waiting: set[str] = set()
    if is_automatic(kind.choices, source.config):
        open_ones = [s for s in pull.scopes if _is_open(known.get(s.external_id), pull.now)]
        waiting = _count(database, source, pull, known, open_ones)
    with database.job.connect() as connection:
        known = choices_of_parts(connection, source.id)
        scopes = with_choices(connection, source, pull.scopes)
    ready = [s for s in scopes if s.external_id not in waiting]
    others = [s for s in ready if known[s.external_id][1] != label(s.counts, s.named)]
    counted_records.begin(database, source, [s for s in others if not known[s.external_id][1]])
    for scope in others:
        turned = (
            known[scope.external_id][1] and counted_records.turn(database, source, scope).sentence
        )
        if turned:
            words = named_words(scope.counts, scope.named)
            pull.note(f"{scope.name}: its deployments are {words} now; {turned}.")
    return ready


def _is_open(kept: tuple[KeptChoice, str] | None, now: datetime) -> bool:
    """Whether a part has no choice yet, or one by hand before anything was counted, and is to be."""
    own, _ = kept or (KeptChoice(), "")
    if own.choice and (own.by != "hand" or own.at):
        return False
    return not own.at or now - datetime.fromisoformat(own.at) > AGAIN


def _count(
    database: Database,
    source: StoredSource,
    pull: Pull,
    kept_choices: Mapping[str, tuple[KeptChoice, str]],
    scopes: Sequence[PullScope],
) -> set[str]:
    """Counts parts and keeps the first choice of each that is not empty; those that were not reached."""
    count = kind_of(source.kind).count
    if count is None or not scopes:
        return set()
    left = {scope.external_id for scope in scopes}
    try:
        for scope, counts in read_from(count(pull, scopes)):
            left.discard(scope.external_id)
            with database.job.begin() as connection:
                runs.hold(connection, source)
                own, _ = kept_choices.get(scope.external_id, (KeptChoice(), ""))
                chosen = own.choice if own.by == "hand" else ""
                keep(connection, source.id, scope.external_id, counts, pull.now, chosen)
            if pull.is_over():
                break
    except SourceWaits:
        raise
    except SourceProblem as problem:
        pull.note(f"What the deployments of {len(left)} parts are was not seen: {problem}")
        left.clear()  # they are read as the first choice, as long as nothing is known
    return left


def keep(
    connection: Connection,
    id: int,
    scope: str,
    counts: Sequence[ChoiceCount],
    now: datetime,
    chosen: str = "",
) -> None:
    """Keeps what was counted of a part and the first of it that is not empty, or what was ``chosen``."""
    first = first_of(counts)
    by = "seen" if first else ""
    named = any(each.named for each in counts if each.choice == chosen)
    if chosen and (chosen != RUNS or named):
        first = next((each for each in counts if each.choice == chosen), ChoiceCount(chosen))
        by = "hand"
    values = {
        "id": id,
        "scope": scope,
        "counts": first.choice if first else "",
        "named": first.named if first else "",
        "by": by,
        "seen": orjson.dumps(pack_counts(counts, now.isoformat())).decode() if counts else None,
    }
    connection.execute(KEEP, values)


def choose(engine: Engine, id: int, external_id: str, choice: str, by: str) -> None:
    """Has a part's deployments be something else, by hand; the next sync withdraws what the former choice
    has counted, and reads the history of the new one. Raises SourceProblem, NoSuchSource."""
    source = store.find_source(engine, id)
    kind = kind_of(source.kind)
    check_choice(kind.choices, choice)
    if not is_automatic(kind.choices, source.config):
        setting = next(s for s in kind.settings if s.name == SETTING)
        told_so = f"The source's setting {setting.label!r} decides for every part: change it there."
        raise SourceProblem("setting", told_so)
    with engine.begin() as connection:
        known = choices_of_parts(connection, id)
        if external_id not in known:
            raise SourceProblem("setting", "There is no such part.")
        before = known[external_id][0]
        named = next((c.named for c in before.seen if c.choice == choice), "")
        if choice == RUNS and before.seen and not (named or source.config.get("workflow")):
            raise SourceProblem("setting", UNNAMED)
        values = {"id": id, "scope": external_id, "counts": choice, "named": named}
        connection.execute(KEEP, values | {"by": "hand", "seen": None})
        details = {"part": external_id, "from": before.choice, "to": choice}
        audit.record(connection, by, "source.choose", str(id), details)
        connection.execute(text("update source set next_at = now() where id = :id"), {"id": id})


def of_parts(connection: Connection, source: StoredSource) -> list[PartChoice]:
    """Choices of all parts, by name; empty for a kind that leaves no choice."""
    choices = kind_of(source.kind).choices
    if not choices:
        return []
    known, records = (
        choices_of_parts(connection, source.id),
        counted_records.numbers(connection, source.id),
    )
    made = []
    for scope in store.every_scope(connection, source.id):
        if scope["state"] == "gone":
            continue
        id = str(scope["external_id"])
        own = known[id][0]
        choice, named = choice_in_force(choices, source.config, own)
        by = own.by if is_automatic(choices, source.config) else "source"
        is_mapped, words = scope["state"] == "mapped", named_words(choice, named)
        part = PartChoice(
            id, str(scope["name"]), is_mapped, choice, words, by, own.seen, records.get(id, 0)
        )
        made.append(part)
    return by_name(made, lambda part: part.name)


def of_workspace(connection: Connection, workspace_id: int) -> list[tuple[str, str, str]]:
    """Choices of the parts that feed a workspace: the name of the part, what is counted, and the source's
    name."""
    made = []
    for row in connection.execute(FED, {"w": workspace_id}):
        kind = kind_of(row.kind)
        if kind.choices:
            own = KeptChoice(row.counts, row.counts_named)
            words = named_words(*choice_in_force(kind.choices, row.config, own))
            made.append((str(row.name), words, str(row.source)))
    return by_name(made, lambda each: each[0])
