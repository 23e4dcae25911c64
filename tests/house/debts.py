"""Breaks of the house rules that stood when the rules came: a list that only shrinks.

python -m tests.house.debts            strikes what is mended
python -m tests.house.debts --moved    takes what moved to another file, as long as no rule grows
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from tests.house.rules import RULES, modules, without_collecting

FILE = Path(__file__).with_name("debts.txt")
Breaks = dict[str, Counter[str]]


def actual() -> Breaks:
    """Each rule's breaks in the project as it stands; an entry counts as often as it occurs."""
    house = modules()
    with without_collecting():
        return {name: Counter(rule(house)) for name, rule in RULES.items()}


def allowed() -> Breaks:
    """The breaks that the list still allows."""
    listed: Breaks = {name: Counter() for name in RULES}
    for line in FILE.read_text(encoding="utf-8").splitlines() if FILE.exists() else ():
        rule, _, entry = line.partition(" ")
        if entry and rule in listed:
            listed[rule][entry] += 1
    return listed


def write(breaks: Breaks) -> None:
    """Writes the list, sorted, a break a line."""
    lines = sorted(f"{rule} {e}" for rule, entries in breaks.items() for e in entries.elements())
    FILE.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Rewrites the list; tells what it may not take."""
    now, before = actual(), allowed()
    if "--moved" in arguments:
        grown = [rule for rule in RULES if now[rule].total() > before[rule].total()]
        if grown:
            sys.stderr.write(f"more breaks than before: {', '.join(grown)}\n")
            return 1
        write(now)
        return 0
    write({rule: now[rule] & before[rule] for rule in RULES})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
