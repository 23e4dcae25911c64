"""Threads of a job over many workspaces: a few that take one after the other, or one for each node.

A connection to a node keeps the plans of the shards that it has seen, so on a cluster a thread has a
connection of its own and the workspaces of one node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine

from storage.context import Begins
from storage.nodes import nights

Result = TypeVar("Result")


class OwnConnection:
    """Connection of an engine for one lane, taken when it is first used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction on it."""
        if self._connection is None:
            self._connection = self._engine.connect()
        with self._connection.begin():
            yield self._connection

    def close(self) -> None:
        """Gives it back."""
        if self._connection is not None:
            self._connection.close()


class Lanes:
    """Threads that are given workspaces; on leaving, those under way are finished and no other is begun."""

    def __init__(self, engine: Engine, workspaces: Sequence[int], at_once: int) -> None:
        self._lane_of = lane_of(engine, workspaces, at_once)
        self._own: list[OwnConnection] = []
        if self._lane_of:
            count = max(self._lane_of.values()) + 1
            self._own = [OwnConnection(engine) for _ in range(count)]
        self._pools = [ThreadPoolExecutor(1) for _ in self._own] or [ThreadPoolExecutor(at_once)]
        self._begins: Sequence[Begins] = self._own or [engine]

    def submit(self, workspace_id: int, work: Callable[[Begins], Result]) -> Future[Result]:
        """Has a workspace's work done."""
        lane = self._lane_of.get(workspace_id, 0)
        return self._pools[lane].submit(work, self._begins[lane])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)
        for own in self._own:
            own.close()


def lane_of(engine: Engine, workspaces: Sequence[int], at_once: int) -> Mapping[int, int]:
    """The lane of each workspace: that of its node, or of its shard where there is one node; none on one
    server."""
    with engine.connect() as connection:
        if not workspaces or not nights.stages(connection):
            return {}
        shards = nights.by_shard(connection, workspaces)
    nodes = list(dict.fromkeys(node for node, _ in shards))
    if len(nodes) > 1:
        return {key: nodes.index(node) for node, ids in shards for key in ids}
    return {key: n % at_once for n, (_, ids) in enumerate(shards) for key in ids}
