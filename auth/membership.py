"""Rules of giving, changing and taking a role in a workspace. Pure, one function each."""

from __future__ import annotations

from provider_settings import ROLES

PLATFORM_ADMIN, OWNER = "platform_admin", "owner"
ORDER = ROLES
"""Roles, each above those before it."""
MANAGERS = ("admin", "owner", "platform_admin")
"""Roles that see the members and change them."""
KEEPERS = ("engineer", "admin", "owner", "platform_admin")
"""Roles that look after a workspace's records: deliveries, meanings of words, corrections."""

RIGHTS = (
    ("See the executive dashboard and what is across workspaces", (PLATFORM_ADMIN,)),
    ("Export the board pack", (PLATFORM_ADMIN,)),
    ("Open this workspace's pages and the records behind them", ORDER),
    ("Look after records: deliveries, meanings of words, corrections", KEEPERS),
    ("See the members, invite, change roles, revoke", MANAGERS),
)
"""Rights in words, each with the roles that have it."""


class NotAllowed(PermissionError):
    """A change that the rules refuse; the message says which."""


def in_words(role: str) -> str:
    """Name of a role as people read it."""
    return role.replace("_", " ")


def manages(role: str | None) -> bool:
    """Whether someone of this role sees and changes members."""
    return role in MANAGERS


def grantable_roles(role: str) -> tuple[str, ...]:
    """The roles that someone of ``role`` may give, lowest first: up to their own; platform_admin is
    given by platform admins alone."""
    return ORDER[: ORDER.index(role) + 1] if manages(role) else ()


def is_lower(after: str | None, before: str) -> bool:
    """Whether someone loses by the change."""
    return after is None or ORDER.index(after) < ORDER.index(before)


def check(asker: str | None, before: str | None, after: str | None, owners: int) -> None:
    """Raises NotAllowed unless ``asker`` may turn ``before`` into ``after`` (None: no membership), in
    a workspace with so many owners."""
    if asker is None or not manages(asker):
        raise NotAllowed("Only an owner, an admin or a platform admin changes members.")
    for role in (before, after):
        if role is not None and role not in grantable_roles(asker):
            raise NotAllowed(f"Your role, {asker}, is not enough for {role}.")
    if before == OWNER and after != OWNER and owners <= 1:
        raise NotAllowed("The last owner stays: make someone else owner first.")
