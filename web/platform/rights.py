"""Rights of platform admins over what is the whole organisation's."""

from __future__ import annotations

from sqlalchemy import Engine

from auth import membership
from auth.accounts import Account
from storage import context
from storage.executive import memberships
from storage.executive.memberships import Membership
from web.problem import needs_platform_admin


def administered_workspaces(engine: Engine, account: Account) -> list[Membership]:
    """Workspaces of which the person is platform admin now."""
    with context.as_viewer(engine, account.viewer) as connection:
        everything = memberships.memberships(connection)
    return [m for m in everything if m.role == membership.PLATFORM_ADMIN]


def platform_admin(engine: Engine, account: Account) -> list[Membership]:
    """The workspaces of a platform admin. Raises Problem 403 for everybody else."""
    mine = administered_workspaces(engine, account)
    if not mine:
        raise needs_platform_admin()
    return mine
