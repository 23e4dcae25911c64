"""Fenced blocks of a document, and a shell that runs them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.served import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def blocks(document: Path) -> Iterator[tuple[str, str, str]]:
    """Heading, language and text of each block, in order."""
    text = document.read_text(encoding="utf-8")
    for fence in FENCE.finditer(text):
        headings = HEADING.findall(text, 0, fence.start())
        yield headings[-1] if headings else "", fence[1], fence[2]


def outside() -> dict[str, str]:
    """Environment of the tests without what an installation is set up by."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VIGILO_", "PG")) and name not in ("HOST", "PORT")
    }


def run(script: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Outcome of a script in the root of the project; any command that fails ends it."""
    return subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=ROOT,
        env=outside() | dict(environment),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
