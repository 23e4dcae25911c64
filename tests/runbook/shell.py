"""A shell in which an operator types block after block."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.runbook.blocks import outside
from tests.served import ROOT

END = "-- typed --"


class OperatorShell:
    """bash that ends at the first command that fails; variables and functions stay from block to block."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._file = folder / "block.sh"
        self.told = ""
        self._process = subprocess.Popen(
            ["bash", "-eu", "-o", "pipefail"], cwd=ROOT, env=outside() | dict(environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def type(self, block: str) -> str:
        """Output of a block. Raises AssertionError where a command of it fails."""
        assert self._process.stdin
        assert self._process.stdout
        self._file.write_text(block, encoding="utf-8")
        self._process.stdin.write(f"source {self._file} </dev/null; echo '{END}'\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.rstrip("\n") == END:
                self.told += "".join(lines)
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"{block}\n{''.join(lines)[-3000:]}")

    def close(self) -> None:
        """Leaves, whatever was typed."""
        self._process.kill()
        self._process.wait(10)
