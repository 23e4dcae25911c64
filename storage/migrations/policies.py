"""The one place that writes tenancy: every policy of every tenant table comes from here.

Each policy says itself whose rows it shows: Citus writes policies again on its nodes without ``as
restrictive``, and a permissive one without a condition beside them would open everything. That no other
policy is added is what a test and the probe at each start (``storage.isolation``) look after.
"""

from __future__ import annotations

import re

SCALAR = re.compile(r"\( SELECT (vigilo\.\w+\([^()]*\)) AS \w+\)")
"""A scalar sub-select as PostgreSQL writes it back."""

ROLLUP, WORKSPACE = "rollup", "workspace"


def scalar(call: str, *, distributed: bool = False) -> str:
    """A policy's call, evaluated once per statement: as a scalar sub-select on a single server.
    Citus refuses sub-selects in policies and evaluates the stable function on its own."""
    return call if distributed else f"(select {call})"


def tenancy(table: str, level: str, web: str, job: str, *, distributed: bool = False) -> list[str]:
    """The statements that put a table under row-level security.

    ``level`` is what a reader's context must be: ROLLUP (or better) or WORKSPACE. The web role
    reads; the job role reads and writes its one workspace.
    """
    readable = scalar(f"vigilo.readable_workspace('{level}')", distributed=distributed)
    own = scalar("vigilo.job_workspace()", distributed=distributed)
    return [
        f"alter table {table} enable row level security",
        f"alter table {table} force row level security",
        f"create policy web_read on {table} for select to {web} using (workspace_id = {readable})",
        f"create policy job_all on {table} for all to {job} "
        f"using (workspace_id = {own}) with check (workspace_id = {own})",
        f"grant select on {table} to {web}",
        f"grant select, insert, update, delete on {table} to {job}",
    ]


def for_distribution(table: str, name: str, using: str | None, check: str | None) -> str:
    """The statement that takes the scalar sub-selects out of a policy made for a single server."""
    parts = [f"alter policy {name} on {table}"]
    for clause, expression in (("using", using), ("with check", check)):
        if expression is not None:
            plain = SCALAR.sub(lambda m: scalar(m[1], distributed=True), expression)
            parts.append(f"{clause} ({plain})")
    return " ".join(parts)
