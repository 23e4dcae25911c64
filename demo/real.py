"""An organisation of real records that others published: releases of open-source projects, incidents of a
status page, certificates, scanner findings, vendors, objectives. Read by the importer, as anybody's are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from auth.passwords import hash_password
from demo import DemoAccounts, Interrupted, NotEmpty, Progress, is_empty, people, write
from ingest.importer import load as import_files
from ingest.kinds import KINDS
from ingest.report import ImportOutcome
from settings import Settings
from storage.database import Database
from storage.snapshot import job
from storage.tables import workspace

JENKINS = "jenkins"
CERTIFICATES = "x509-certificate-exporter"


class Absent(FileNotFoundError):
    """A file of the collection is not there; nothing was loaded."""


@dataclass(frozen=True, slots=True)
class CollectionFile:
    """A file of the collection and the workspace whose it is; None where its rows say so."""

    kind: str
    path: str
    workspace: str | None = None
    form: str | None = None


SOURCES = (
    CollectionFile("workspaces", "git_history/deployments.csv", form="git-history"),
    CollectionFile("deployments", "git_history/deployments.csv", form="git-history"),
    CollectionFile("changes", "git_history/commits.csv.gz", form="git-history"),
    CollectionFile(
        "incidents", "incidents/jenkins_status/issues_md.tar.gz", JENKINS, "jenkins-status"
    ),
    CollectionFile("certificates", "certificates/roots", JENKINS),
    CollectionFile("certificates", "certificates/pyca", CERTIFICATES),
    CollectionFile("certificates", "certificates/pkits", CERTIFICATES),
    *(
        CollectionFile(
            "control-results", f"compliance/prowler/sample_output/example_output_{file}", to
        )
        for to, files in (
            ("prowler", ("aws.ocsf.json", "aws.csv", "azure.csv", "gcp.csv")),
            ("kube-bench", ("kubernetes.ocsf.json", "kubernetes.csv")),
        )
        for file in files
    ),
    CollectionFile(
        "control-results", "compliance/oscal/ocp4-check-result.xml", "compliance-trestle"
    ),
    CollectionFile(
        "control-results",
        "compliance/oscal/ifa_assessment-results-example.json",
        "heimdall2",
    ),
    *(
        CollectionFile("slos", f"slos/sloth/examples/{name}.yml", "sloth")
        for name in ("getting-started", "home-wifi", "kubernetes-apiserver")
    ),
    CollectionFile("vendors", "vendors/probo_common_third_parties.json", "probo"),
)


def load(
    database: Database,
    settings: Settings,
    folder: Path,
    days: int = 400,
    progress: Progress | None = None,
) -> tuple[DemoAccounts, list[ImportOutcome]]:
    """Imports the collection into an empty database and makes the snapshots of ``days`` days up to
    yesterday.

    Returns who can sign in, and what became of each file. Raises Absent, NotEmpty, Interrupted.
    """
    if missing := [s.path for s in SOURCES if not (folder / s.path).exists()]:
        raise Absent(f"{folder} lacks {', '.join(dict.fromkeys(missing))}")
    if not is_empty(database):
        raise NotEmpty(
            "The database holds workspaces already; nothing was changed. Set VIGILO_DATA_DIR to a new"
            " folder, or VIGILO_DATABASE_URL to an empty database."
        )
    with database.job.begin() as connection:
        connection.execute(workspace.insert(), [{"slug": JENKINS, "name": "Jenkins"}])
    outcomes = list(_import_outcomes(database, folder, progress))
    password = people.password(settings.demo_password, settings.data_dir)
    _accounts(database, hash_password(password))
    last = settings.now().date() - timedelta(days=1)
    first = last - timedelta(days=days - 1)
    done = job.backfill(database, first, last, settings)
    if done.failed:
        raise Interrupted(
            f"The records are loaded, but snapshots failed: {done.failed}. Make them with\n"
            f"  flask --app app snapshot backfill --from {first} --to {last}"
        )
    return DemoAccounts((people.ALICE, people.BOB), password), outcomes


def _import_outcomes(
    database: Database, folder: Path, progress: Progress | None
) -> Iterator[ImportOutcome]:
    """Imports the sources one after the other; the outcome of each file."""
    for number, source in enumerate(SOURCES, 1):
        yield from import_files(
            database,
            KINDS[source.kind],
            [folder / source.path],
            workspace=source.workspace,
            form=source.form,
        )
        if progress:
            progress(number, len(SOURCES), source.path)


def _accounts(database: Database, password_hash: str) -> None:
    """Alice is platform admin everywhere; Bob owns Jenkins."""
    with database.job.begin() as connection:
        accounts = write.people(connection, people.accounts(password_hash))
        query = workspace.select().with_only_columns(workspace.c.slug, workspace.c.id)
        for slug, key in connection.execute(query).all():
            roles = [(people.ALICE, "platform_admin")]
            roles += [(people.BOB, "owner")] if slug == JENKINS else []
            rows = [{"user_id": accounts[email], "role": role} for email, role in roles]
            write.records(connection, int(key), write.encode_rows({"membership": rows}))
