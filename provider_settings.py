"""Settings of identity providers: what one is, and what the groups that it lists stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

ROLES = ("viewer", "engineer", "approver", "admin", "owner", "platform_admin")
"""Roles in a workspace, each above those before it."""
NAME = re.compile(r"[a-z0-9-]{1,30}")


class OidcProvider(BaseModel):
    """An OpenID Connect provider: where its discovery document is, and this client's registration there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(pattern=r"^https?://[^\s?#]+$", max_length=500)
    client_id: str = Field(min_length=1, max_length=500)
    client_secret: str | None = Field(None, min_length=1, max_length=1000, repr=False)
    title: str = Field("", max_length=60)


def named_for_addresses(providers: Mapping[str, OidcProvider]) -> Mapping[str, OidcProvider]:
    """The providers. Raises ValueError for a name that no address can have."""
    if not all(NAME.fullmatch(name) for name in providers):
        raise ValueError("takes names of small letters, digits and -")
    return providers


def of_known_roles(groups: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    """Roles by workspace, by group. Raises ValueError for a role that is none."""
    for group, roles in groups.items():
        for role in roles.values():
            if role not in ROLES:
                raise ValueError(f"of {group!r} takes one of {', '.join(ROLES)}, not {role!r}")
    return groups
