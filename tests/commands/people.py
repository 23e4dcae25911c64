"""Table of who may what by the command line: each command, and for whom it is done.

Whoever runs commands holds an address of the database, and is asked for nothing else; so that of the web
role opens none. Some commands act for a person or about one: those for whom they do are in the table. A
command that is not here fails the build (``test_people.py``): whoever adds one says who it is for.
"""

from __future__ import annotations

from dataclasses import dataclass

PEOPLE = ("stranger", "nobody", "viewer", "engineer", "approver", "admin", "owner", "platform_admin",
          "elsewhere", "leaver", "deactivated")  # fmt: skip
"""People whom a command names: somebody without an account, an account without a workspace, people of
workspace alpha by role, the platform admin of beta alone, who was that of alpha, and who can no longer
sign in."""
ACCOUNTS = frozenset(PEOPLE) - {"stranger"}
ACTIVE = ACCOUNTS - {"deactivated"}
MEMBERS = ACTIVE - {"nobody", "elsewhere", "leaver"}
SENDERS = MEMBERS - {"viewer"}
MANAGERS = frozenset({"admin", "owner", "platform_admin"})
EVERYWHERE = frozenset({"platform_admin"})
PLATFORM = EVERYWHERE | {"elsewhere"}


@dataclass(frozen=True)
class CommandCell:
    """A command with its words, in which ``{email}`` is the person's address, and for whom it is done."""

    path: str
    words: str
    may: frozenset[str]


NAMING = (
    CommandCell("user list", "", frozenset(PEOPLE)),
    CommandCell("user sessions", "{email}", ACCOUNTS),
    CommandCell("user sessions", "{email} --end", ACCOUNTS),
    CommandCell("user password", "{email}", ACCOUNTS),
    CommandCell("user second-factor-off", "{email}", ACCOUNTS),
    CommandCell("user unlink", "{email}", ACCOUNTS),
    CommandCell("token list", "{email}", ACCOUNTS),
    CommandCell("token create", "{email}", ACTIVE),
    CommandCell("token create", "{email} --ingest alpha", SENDERS),
    CommandCell("token create", "{email} --ingest beta", PLATFORM),
    CommandCell("source add", "files place=. --as {email} --workspace alpha", MANAGERS),
    CommandCell("source add", "files place=. --as {email} --workspace beta", PLATFORM),
    CommandCell("source add", "github owner=acme --as {email}", EVERYWHERE),
    CommandCell("source preview", "files place=. --as {email} --workspace alpha", MANAGERS),
    CommandCell("source preview", "files place=. --as {email} --workspace beta", PLATFORM),
    CommandCell("signals list", "--as {email}", PLATFORM),
    CommandCell("export pdf", "--as {email} --format csv --out {folder}/pack.csv", PLATFORM),
    CommandCell("member invite", "{email} alpha viewer --link", frozenset(PEOPLE) - MEMBERS),
    CommandCell("member uninvite", "{email} alpha", frozenset(PEOPLE) - MEMBERS),
    CommandCell("member revoke", "{email} alpha", MEMBERS),
    CommandCell("member grant", "{email} alpha viewer", ACTIVE),
    CommandCell("user deactivate", "{email}", ACCOUNTS),
    CommandCell("user activate", "{email}", ACCOUNTS),
    CommandCell("user create", "{email}", frozenset({"stranger"})),
)  # fmt: skip
"""Commands about a person, in the order in which they are typed: the last ones change who that is."""
OPERATORS = (
    "db upgrade", "db revision", "db mend", "audit verify", "audit export",
    "member invitations", "token revoke", "secrets rotate", "export trace",
    "worker", "records import", "records scan certificates", "records fetch slo-days",
    "records quarantine list", "records quarantine show", "records quarantine replay",
    "records quarantine drop", "records correct", "records merge", "records withdraw", "records restore",
    "mapping list", "mapping set", "mapping unset", "framework seed", "framework list", "snapshot run",
    "snapshot backfill", "source list", "source show", "source test", "source sync", "source map",
    "source choose", "source secret", "source pause", "source remove", "schedule run", "schedule list",
    "signals run", "signals calibrate", "setting list", "setting set", "setting unset", "setting history",
    "annotation list", "annotation add", "annotation edit", "annotation withdraw", "demo load", "demo real",
)  # fmt: skip
"""Commands about the installation: whoever has the owner's or the job role's address, and nobody else."""
OPEN = ("doctor", "serve", "source kinds")
"""Commands that need no right: what is wrong, the program itself, and a list of its own."""
BACKUPS = ("backup create", "backup list", "backup verify", "backup restore")
"""Commands on files, or with an address of their own: tests/commands/operation/test_backup.py."""
