"""Rights of those who look after the records of a workspace."""

from __future__ import annotations

from sqlalchemy import Engine

from auth import membership
from auth.accounts import Account
from storage import context
from storage.executive import memberships
from web.problem import Problem


def keeper(engine: Engine, account: Account, slug: str) -> memberships.Membership:
    """The membership of someone who looks after a workspace's records. Raises Problem: 404 for strangers,
    403 for members of another role."""
    with context.as_viewer(engine, account.viewer) as connection:
        mine, _ = memberships.membership(connection, slug)
    if mine is None:
        raise Problem(404)
    if mine.role not in membership.KEEPERS:
        raise Problem(
            403, "Records are looked after by engineers, admins, owners and platform admins."
        )
    return mine
