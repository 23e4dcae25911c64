"""The demo accounts, what they may see, and their password."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aggregators.records.demo import Row, Team
from demo.stories import HOME

ALICE, BOB = "alice@demo.example", "bob@demo.example"
CAROL, DAVE = "carol@demo.example", "dave@demo.example"
NAMES = {ALICE: "Alice Okafor", BOB: "Bob Lindqvist", CAROL: "Carol Nakamura", DAVE: "Dave Moreau"}
EMAILS = tuple(NAMES)
CAROLS = slice(1, 4)
PASSWORD_BYTES = 9


def accounts(password_hash: str) -> list[Row]:
    """The four accounts. One hash serves them all: the password is the same and printed."""
    return [
        {"email": email, "name": name, "password_hash": password_hash, "home_region": HOME}
        for email, name in NAMES.items()
    ]


def memberships(
    teams: Sequence[Team], workspaces: Mapping[str, int], people: Mapping[str, int]
) -> Iterator[tuple[int, Row]]:
    """(workspace id, membership): Alice is platform admin everywhere, Bob owns the first workspace,
    Carol is platform admin of the three after it, Dave has no membership."""
    roles = [(team, ALICE, "platform_admin") for team in teams]
    roles += [(team, BOB, "owner") for team in teams[:1]]
    roles += [(team, CAROL, "platform_admin") for team in teams[CAROLS]]
    for team, email, role in roles:
        yield workspaces[team.slug], {"user_id": people[email], "role": role}


def password(chosen: str | None, data_dir: Path) -> str:
    """``chosen``, else one made up once and kept in the data directory for its owner alone."""
    if chosen:
        return chosen
    path = data_dir / "demo-password"
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(handle, "w", encoding="utf-8") as kept:
        kept.write(made := secrets.token_urlsafe(PASSWORD_BYTES))
    return made
