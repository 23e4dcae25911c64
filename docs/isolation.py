"""The table of isolation in docs/assurance.md: how much of what was tried, and the test that tries it.
``tests/storage/rights/test_assurance.py`` holds the numbers to those of the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TRIED = Path(__file__).parent / "isolation.json"


def table() -> str:
    """The chapter."""
    tried: dict[str, dict[str, Any]] = json.loads(TRIED.read_text(encoding="utf-8"))
    lines = [
        "## Isolation",
        "",
        "Nobody where they do not belong ([SECURITY.md](../SECURITY.md)). A leak is a row, a right or an"
        " identity that the rules do not give; the test fails at the first.",
        "",
        "| tried | `make test`, `make test-long` | `make test-deep` | of what | leaks | shown by |",
        "|---|---:|---:|---|---:|---|",
    ]
    for name, row in tried.items():
        shown = row["test"].replace("::", "` `")
        numbers = f"{row['quick']:,} | {row['deep']:,}"
        lines.append(f"| {name} | {numbers} | {row['unit']} | {row['leaks']} | `{shown}` |")
    return "\n".join([*lines, "", ""])
