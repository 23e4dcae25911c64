"""Rules of who sees which rows, in plain Python, beside the database's own; and one check of the two."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from sqlalchemy import Connection, text

from storage.context import JOB, ROLLUP, WORKSPACE
from storage.identity.proof import Proof
from storage.snapshot.tables import STAGED_TABLES, TENANT_TABLES
from tests.storage.test_isolation import SNAPSHOTS

STAGED = {table.name for table in STAGED_TABLES}
READ = sorted(table.name for table in TENANT_TABLES if table.name not in STAGED)
ADMIN = "platform_admin"
ROLES = (None, ADMIN, "owner", "admin", "approver", "engineer", "viewer")
REGIONS = ("eu", "us", None)


@dataclass(frozen=True, slots=True)
class Case:
    """State of an installation in which somebody asks for the rows of a workspace at a level. ``claim`` is
    how they say who they are: by proof, by writing the setting, or not at all."""

    role: str | None = ADMIN
    revoked: bool = False
    user_active: bool = True
    workspace_active: bool = True
    user_region: str | None = "eu"
    workspace_region: str | None = "eu"
    strict: bool = False
    level: str = WORKSPACE
    claim: str = "proof"
    elsewhere: bool = False
    """Whether the membership is of the other workspace."""

    def shown(self) -> set[str]:
        """Tables of which rows of that workspace, and of no other, are seen."""
        if self.level == JOB:
            return set(READ)
        if self.claim != "proof" or self.role is None or self.revoked or self.elsewhere:
            return set()
        if not (self.user_active and self.workspace_active):
            return set()
        if self.level == WORKSPACE:
            return set(READ)
        is_near = self.user_region == self.workspace_region is not None
        if self.level == ROLLUP and self.role == ADMIN and (is_near or not self.strict):
            return set(SNAPSHOTS)
        return set()


TELLING = [
    Case(level=JOB),
    *(Case(level=level, role=role) for level, role in product((WORKSPACE, ROLLUP), ROLES)),
    *(Case(level=level, **{field: value}) for level in (WORKSPACE, ROLLUP) for field, value in (
        ("revoked", True), ("user_active", False), ("workspace_active", False), ("elsewhere", True),
        ("claim", "setting"), ("claim", "none"), ("strict", True))),
    *(Case(level=ROLLUP, strict=True, user_region=u, workspace_region=w)
      for u, w in product(REGIONS, REGIONS)),
    *(Case(level=level) for level in ("", "other")),
]  # fmt: skip
"""Cases that between them tell every clause of the rules apart."""


@dataclass(frozen=True, slots=True)
class Place:
    """The person and the workspaces that the cases are about."""

    user_id: int
    proof: Proof
    workspace_id: int
    other_id: int


SETTING = text("select set_config(:name, :value, true)")
SEEN = text(
    " union all ".join(f"select '{t}', array_agg(distinct workspace_id) from {t}" for t in READ)
)


def arranged(connection: Connection, place: Place, case: Case) -> None:
    """Writes the state of the case, as the superuser."""
    values = {
        "u": place.user_id, "w": place.workspace_id, "o": place.other_id,
        "m": place.other_id if case.elsewhere else place.workspace_id,
        "role": case.role, "revoked": case.revoked,
        "ua": case.user_active, "wa": case.workspace_active,
        "ur": case.user_region, "wr": case.workspace_region, "strict": case.strict,
    }  # fmt: skip
    for statement in ARRANGE:
        connection.execute(statement, values)


ARRANGE = tuple(map(text, (
    "delete from membership where user_id = :u",
    "insert into membership (workspace_id, user_id, role, revoked_at) select :m, :u, :role,"
    " case when :revoked then now() end where cast(:role as text) is not null",
    "update app_user set is_active = :ua, home_region = :ur where id = :u",
    "update workspace set is_active = :wa, region = :wr where id = :w",
    "update installation set strict_residency = :strict",
)))  # fmt: skip


def seen(connection: Connection, place: Place, case: Case) -> dict[str, list[int]]:
    """Workspaces whose rows each table shows in the case, as the role that asks."""
    role = "vigilo_job" if case.level == JOB else "vigilo_web"
    connection.exec_driver_sql(f"set local session authorization {role}")
    if case.claim == "proof" and role == "vigilo_web":
        challenge = bytes(connection.exec_driver_sql("select vigilo.challenge()").scalar_one())
        connection.exec_driver_sql(
            "select vigilo.identify(%s, %s, %s)",
            (place.proof.kind.value, place.proof.handle, place.proof.answer(challenge)),
        )
    settings = {"vigilo.level": case.level, "vigilo.workspace_id": str(place.workspace_id)}
    if case.claim == "setting":
        settings |= {"vigilo.user_id": str(place.user_id), "vigilo.seal": "0" * 64}
    for name, value in settings.items():
        connection.execute(SETTING, {"name": name, "value": value})
    rows = {table: ids for table, ids in connection.execute(SEEN) if ids}
    connection.exec_driver_sql("reset session authorization")
    return rows


def differences(connection: Connection, place: Place, case: Case) -> list[str]:
    """Tables that the database shows otherwise than the rules; the state is taken back."""
    with connection.begin_nested() as undone:
        arranged(connection, place, case)
        rows = seen(connection, place, case)
        undone.rollback()
    expected = {table: [place.workspace_id] for table in case.shown()}
    return sorted(t for t in READ if rows.get(t) != expected.get(t))
