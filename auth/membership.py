"""Who may give, change and take which role in a workspace. Pure rules, one function each."""

from __future__ import annotations

PLATFORM_ADMIN, OWNER = "platform_admin", "owner"
ORDER = ("viewer", "engineer", "approver", "admin", "owner", "platform_admin")
"""Roles, each above those before it."""
MANAGERS = ("admin", "owner", "platform_admin")
"""Who sees the members and changes them."""


class NotAllowed(PermissionError):
    """A change that the rules refuse; the message says which."""


def manages(role: str | None) -> bool:
    """Whether someone of this role sees and changes members."""
    return role in MANAGERS


def grantable(role: str) -> tuple[str, ...]:
    """The roles that someone of ``role`` may give, lowest first: up to their own; platform_admin is
    given by platform admins alone."""
    return ORDER[: ORDER.index(role) + 1] if manages(role) else ()


def check(asker: str | None, before: str | None, after: str | None, owners: int) -> None:
    """Raises NotAllowed unless ``asker`` may turn ``before`` into ``after`` (None: no membership), in
    a workspace with so many owners."""
    if asker is None or not manages(asker):
        raise NotAllowed("Only an owner, an admin or a platform admin changes members.")
    for role in (before, after):
        if role is not None and role not in grantable(asker):
            raise NotAllowed(f"Your role, {asker}, is not enough for {role}.")
    if before == OWNER and after != OWNER and owners <= 1:
        raise NotAllowed("The last owner stays: make someone else owner first.")
