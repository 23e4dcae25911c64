"""The database roles, and what they are for; the roles of people. Names of the login roles come from the
addresses."""

from __future__ import annotations

from dataclasses import dataclass

from provider_settings import ROLES

WORKSPACE_ROLES = ROLES[::-1]
"""Roles that a person may have in a workspace, the highest first."""
DEFINER = "vigilo_definer"
"""Owns the SECURITY DEFINER functions and can not log in."""


@dataclass(frozen=True, slots=True)
class Roles:
    """``owner`` owns the tables and serves nobody; ``web`` serves requests; ``job`` runs the
    nightly snapshot and the importers. None of them is a superuser or bypasses row security."""

    owner: str = "vigilo_owner"
    web: str = "vigilo_web"
    job: str = "vigilo_job"
