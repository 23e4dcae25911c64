"""Roles that a provider's groups stand for, given and taken at each sign-in.

The mapping owns a person's role in each workspace that it names: the highest of their groups' roles there,
none where no group of theirs has one. Workspaces that it does not name are left to owners and admins.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from sqlalchemy import Engine

from auth import membership
from auth.accounts import Account
from auth.granting import MembershipAction, active_role, change
from auth.membership import NotAllowed
from storage.context import active_workspaces, job_in

LOG = logging.getLogger(__name__)
EVERY = "*"
"""Stands for all active workspaces."""
Groups = Mapping[str, Mapping[str, str]]
"""Role by workspace, by group."""


def wanted_roles(
    groups: Groups, group_names: Iterable[str], slugs: Iterable[str]
) -> dict[str, str | None]:
    """The role in each workspace that the mapping names; None where none of the person's groups has one."""
    mine = [groups[name] for name in group_names if name in groups]
    named = {slug for roles in groups.values() for slug in roles}
    roles: dict[str, str | None] = {}
    for slug in slugs:
        if slug in named or EVERY in named:
            given = [role for of in mine for at, role in of.items() if at in (slug, EVERY)]
            roles[slug] = max(given, key=membership.ORDER.index, default=None)
    return roles


def apply(
    jobs: Engine, account: Account, groups: Groups, group_names: Iterable[str], actor: str
) -> None:
    """Gives and takes what the groups say, in one transaction a workspace. What the rules refuse (the last
    owner stays) is logged, and stays."""
    if not groups:
        return
    with jobs.connect() as connection:
        workspaces = active_workspaces(connection)
    roles = wanted_roles(groups, group_names, [slug for _, slug in workspaces])
    for id, slug in workspaces:
        if slug in roles and roles[slug] != (before := _role(jobs, id, account.id)):
            _change_or_warn(jobs, (id, slug), account.email, before, roles[slug], actor)


def _role(jobs: Engine, workspace_id: int, user_id: int) -> str | None:
    with job_in(jobs, workspace_id) as connection:
        return active_role(connection, user_id)


def _change_or_warn(
    jobs: Engine,
    workspace: tuple[int, str],
    email: str,
    before: str | None,
    after: str | None,
    actor: str,
) -> None:
    """Gives or revokes a role; one that may not be changed stays, and the log says so."""
    what = MembershipAction.GIVE if after else MembershipAction.REVOKE
    try:
        change(jobs, workspace, what, email, after, actor=actor)
    except NotAllowed as error:
        LOG.warning("%s keeps %s in %s: %s", email, before, workspace[1], error)
