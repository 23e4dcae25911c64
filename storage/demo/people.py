"""The four demo accounts and what they may see."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, text

from auth import accounts
from storage.demo.stories import HOME, Team

ALICE, BOB = "alice@demo.example", "bob@demo.example"
CAROL, DAVE = "carol@demo.example", "dave@demo.example"
NAMES = {ALICE: "Alice Okafor", BOB: "Bob Lindqvist", CAROL: "Carol Nakamura", DAVE: "Dave Moreau"}


def create(engine: Engine, teams: Sequence[Team], password: str) -> None:
    """Alice is platform admin everywhere, Bob owns one workspace, Carol is platform admin of three,
    Dave has no membership."""
    for email, name in NAMES.items():
        accounts.create(engine, email, password, name, HOME)
    for team in teams:
        accounts.grant(engine, ALICE, team.slug, "platform_admin")
    accounts.grant(engine, BOB, teams[0].slug, "owner")
    for team in teams[1:4]:
        accounts.grant(engine, CAROL, team.slug, "platform_admin")


def exist(engine: Engine) -> bool:
    """Whether the demo accounts are there."""
    with engine.connect() as connection:
        found = connection.execute(
            text("select exists (select 1 from app_user where email = :e)"), {"e": ALICE}
        )
        return bool(found.scalar_one())
