"""The command line answers before anything heavy is imported, and says what is wrong in a sentence."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import Result
from sqlalchemy import URL, create_engine, text

from app import create_app
from commands.deferred import Deferred
from commands.tree import COMMANDS, RECORDS
from demo.real import SOURCES
from settings import load
from tests.deep import all_but
from web.server.application import Application
from web.server.installation import Installation

ROOT = Path(__file__).parents[2]
HEAVY = {"dash", "plotly", "pandas", "fpdf", "celery", "redis", "openpyxl", "xlsxwriter"}
WATCHED = """
import json, sys
from flask.cli import cli
try:
    cli.main(["--app", "app", *sys.argv[1:]])
finally:
    print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def run(
    *words: str, line: str = WATCHED, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """``flask --app app WORDS``, with the modules that it imported in the last line."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIGILO_")}
    return subprocess.run(
        [sys.executable, "-c", line, *words],
        cwd=cwd,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(json.loads(done.stdout.splitlines()[-1]))


def leaves(command: click.Command) -> Iterator[Deferred]:
    if isinstance(command, click.Group):
        for child in command.commands.values():
            yield from leaves(child)
    elif isinstance(command, Deferred):
        yield command


ALL = [leaf for command in COMMANDS for leaf in leaves(command)]


@pytest.mark.parametrize("leaf", ALL, ids=lambda leaf: leaf.target)
def test_a_command_is_there_under_its_name_and_its_first_sentence(leaf):
    assert leaf.command.help is not None
    first = " ".join(leaf.command.help.split("\n\n")[0].split())
    assert leaf.short_help == first
    assert leaf.name == leaf.command.name


def test_the_commands_are_those_of_the_contract():
    """Each path is typed by operators and their scripts."""
    typed = {
        "db upgrade", "serve", "user create", "user password", "member grant", "member revoke",
        "token create", "export pdf", "export trace", "worker", "records import",
        "records scan certificates", "records fetch slo-days", "snapshot run", "snapshot backfill",
        "signals run", "signals list", "signals calibrate",
        "demo load", "demo real",
    }  # fmt: skip

    assert {path for c in COMMANDS for path in paths(c, c.name or "")} >= typed


@pytest.mark.parametrize(
    "words",
    all_but([("serve",)], [(), ("records",), ("export", "pdf"), ("snapshot", "run"), ("serve",)]),
)
def test_help_imports_nothing_that_draws_or_computes(words, tmp_path):
    done = run(*words, "--help", VIGILO_DATA_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout
    assert not imported(done) & (HEAVY | {"alembic", "psycopg2"})


def test_migrating_imports_nothing_that_draws(settings, server):
    done = run("db", "upgrade", VIGILO_DATA_DIR=str(settings.data_dir))
    assert "The schema is up to date." in done.stdout, done.stderr
    assert not imported(done) & (HEAVY | {"alembic", "mako"}), "nothing was to be migrated"


TYPED_ALONE = """
import json, sys
sys.argv = ["vigilo.py", *sys.argv[1:]]
import vigilo
try:
    vigilo.main()
finally:
    print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""
COMPUTING = HEAVY | {"numpy", "alembic", "urllib3", "requests", "apscheduler", "authlib", "yaml"}
SERVING = {"flask", "flask_login", "werkzeug", "jinja2", "structlog", "gunicorn"}
CONNECTING = {"sqlalchemy", "psycopg2", "pydantic", "cryptography"}


@pytest.mark.parametrize(
    "words",
    all_but(
        ["user list"], ["user list", "token list", "audit verify", "backup list", "db upgrade"]
    ),
)
def test_a_command_imports_nothing_of_figures_or_pages(settings, server, words):
    done = run(*words.split(), line=TYPED_ALONE, VIGILO_DATA_DIR=str(settings.data_dir))
    assert done.returncode == 0, done.stderr
    assert not imported(done) & (COMPUTING | SERVING)


@pytest.mark.parametrize(
    "words",
    all_but(["snapshot run"], ["", "records", "secrets rotate", "snapshot run", "db upgrade"]),
)
def test_help_by_the_programs_own_line_connects_to_nothing(tmp_path, words):
    done = run(*words.split(), "--help", line=TYPED_ALONE, VIGILO_DATA_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Usage: vigilo" in done.stdout
    assert not imported(done) & (COMPUTING | SERVING | CONNECTING)


def test_a_wrong_setting_ends_the_programs_own_line_in_one_sentence(tmp_path):
    done = run("user", "list", line=TYPED_ALONE, VIGILO_DATA_DIR=str(tmp_path), VIGILO_TODAY="x")
    assert done.returncode == 1
    assert done.stderr.startswith("Wrong setting.\nVIGILO_TODAY")
    assert "Traceback" not in done.stderr


def test_a_file_of_variables_in_the_folder_is_read_by_either_line(tmp_path):
    (tmp_path / ".env").write_text("VIGILO_TODAY=x\n")
    for line in (TYPED_ALONE, WATCHED):
        path = {"PYTHONPATH": str(ROOT), "VIGILO_DATA_DIR": str(tmp_path)}
        done = run("user", "list", line=line, cwd=tmp_path, **path)
        assert "VIGILO_TODAY" in done.stderr


def test_what_serves_imports_nothing_that_draws_a_pack():
    asked = "import json, sys, mounting, web.server.startup; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True)
    drawing = {"fpdf", "fontTools", "xlsxwriter", "redis", "celery", "plotly.graph_objs._layout"}
    assert not imported(done) & drawing


def test_the_collector_looks_at_what_a_command_does_and_not_at_what_it_imported():
    asked = (
        "import gc, sys, click; gc.disable();"
        "from commands.deferred import Deferred;"
        "Deferred('upgrade', 'commands.database:upgrade', '').make_context('upgrade', []);"
        "print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_the_help_of_a_command_lists_its_options():
    command = RECORDS.commands["import"]
    help = command.make_context("import", ["--help"], resilient_parsing=True).get_help()
    assert "--strict" in help


PART = "6f1b8f6e-6a2c-4f5e-9c36-3f9d2f4a7c11"
NEEDS_NONE = {
    "doctor",
    "backup create",
    "backup list",
    "backup verify",
    "backup restore",
    "serve",
    "source kinds",
    "worker",
}
"""Commands that wait for the database instead, or need another address first: tests/commands/operation,
tests/storage/test_away.py and tests/exports have those."""
TYPED = {
    "db upgrade": "",
    "db revision": "name",
    "db mend": "",
    "user create": "a@x.example",
    "user password": "a@x.example",
    "user list": "",
    "user deactivate": "a@x.example",
    "user activate": "a@x.example",
    "user second-factor-off": "a@x.example",
    "user unlink": "a@x.example",
    "user sessions": "a@x.example",
    "token list": "",
    "token revoke": "1",
    "member grant": "a@x.example team owner",
    "member revoke": "a@x.example team",
    "member invite": "a@x.example team owner",
    "member invitations": "",
    "member uninvite": "a@x.example team",
    "token create": "a@x.example",
    "secrets rotate": "",
    "export pdf": "--as a@x.example --out pack.pdf",
    "export trace": __file__,
    "records import": f"incidents {__file__} --workspace team",
    "records scan certificates": f"--hosts {__file__} --workspace team",
    "records fetch slo-days": "--prometheus http://127.0.0.1:1 --workspace team"
    " --from 2026-01-01 --to 2026-01-02",
    "records quarantine list": "",
    "records quarantine show": PART,
    "records quarantine replay": PART,
    "records quarantine drop": PART,
    "records correct": "incident key title=x",
    "records merge": "incident key into",
    "records withdraw": "incident key",
    "records restore": "incident key",
    "mapping list": "",
    "mapping set": "environment kiosk production",
    "mapping unset": "environment kiosk",
    "snapshot run": "",
    "snapshot backfill": "--from 2026-01-01 --to 2026-01-02",
    "source add": "files place=x --as a@x.example",
    "source preview": "files place=x --as a@x.example",
    "framework seed": "alpha SOC2",
    "framework list": "",
    "setting list": "",
    "setting set": "sprint_days 7",
    "setting unset": "sprint_days",
    "setting history": "sprint_days",
    "annotation list": "",
    "annotation add": "2026-11-01 freeze",
    "annotation edit": "00000000-0000-0000-0000-000000000000 2026-11-01 freeze",
    "annotation withdraw": "00000000-0000-0000-0000-000000000000",
    "source list": "",
    "source show": "1",
    "source test": "1",
    "source sync": "1",
    "source map": "1",
    "source choose": "1",
    "source secret": "1",
    "source pause": "1",
    "source remove": "1",
    "schedule run": "",
    "schedule list": "",
    "audit verify": "",
    "audit export": "",
    "signals run": "",
    "signals list": "--as a@x.example",
    "signals calibrate": "",
    "demo load": "",
    "demo real": "{folder}",
}
SOME = [*TYPED][::6]
"""Something that each command takes."""


def paths(command: click.Command, path: str) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield path
        return
    for name, child in command.commands.items():
        yield from paths(child, f"{path} {name}")


def test_every_command_is_typed_without_a_database():
    assert set(TYPED) | NEEDS_NONE == {p for c in COMMANDS for p in paths(c, c.name or "")}


@pytest.fixture(scope="module")
def elsewhere(server) -> Iterator[URL]:
    """Address of an empty database on the tests' server, as the web role."""
    superuser = create_engine(server.web.url.set(username="postgres"), isolation_level="AUTOCOMMIT")
    with superuser.connect() as connection:
        connection.execute(text("create database empty owner vigilo_owner"))
    yield server.web.url.set(database="empty")
    with superuser.connect() as connection:
        connection.execute(text("drop database empty with (force)"))
    superuser.dispose()


@pytest.fixture(scope="module")
def typed_at(tmp_path_factory) -> Iterator[Callable[..., Result]]:
    """Runs a command of an installation with these addresses."""
    folder = tmp_path_factory.mktemp("typed")
    for source in SOURCES:
        (folder / source.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / source.path).touch()
    with ExitStack() as closing:

        @cache
        def application(**addresses: str) -> Application:
            app = create_app(load(data_dir=folder, secret_key="x" * 32, **addresses))
            closing.callback(lambda: closed(app.installation))
            return app

        def run_there(path: str, **addresses: str) -> Result:
            words = [*path.split(), *shlex.split(TYPED[path].format(folder=folder))]
            app = application(**addresses)
            with app.app_context():
                return app.test_cli_runner().invoke(args=words, input="a long password\n")

        yield run_there


def closed(installation: Installation) -> None:
    """Closes the database of an installation that came to connect to one."""
    if "database" in vars(installation):
        installation.database.close()


def sentence_of(outcome: Result) -> str:
    assert isinstance(outcome.exception, SystemExit), outcome.exception
    assert outcome.exit_code == 1
    return str(outcome.output.strip().splitlines()[-1])


@pytest.mark.parametrize("path", all_but(SOME, TYPED))
def test_without_a_database_a_command_says_so_in_a_sentence(typed_at, path):
    gone = "postgresql://nobody@127.0.0.1:1/none"
    sentence = sentence_of(typed_at(path, database_url=gone, owner_database_url=gone))
    assert "Error: The database does not answer" in sentence or "the database broke off" in sentence


@pytest.mark.parametrize("path", all_but(SOME, TYPED))
def test_a_database_that_does_not_exist_is_named(typed_at, elsewhere, path):
    gone = elsewhere.set(database="nowhere").render_as_string(hide_password=False)
    sentence = sentence_of(typed_at(path, database_url=gone, owner_database_url=gone))
    assert 'database "nowhere" does not exist' in sentence


@pytest.mark.parametrize("path", sorted(set(TYPED) - {"db upgrade", "db revision"}))
def test_without_a_schema_a_command_says_how_to_make_it(typed_at, elsewhere, path):
    web = elsewhere.render_as_string(hide_password=False)
    owner = elsewhere.set(username="vigilo_owner").render_as_string(hide_password=False)
    sentence = sentence_of(typed_at(path, database_url=web, owner_database_url=owner))
    assert "flask --app app db upgrade" in sentence


@pytest.mark.parametrize("path", all_but(SOME, TYPED))
def test_where_the_web_role_is_all_there_is_a_command_says_what_it_lacks(typed_at, elsewhere, path):
    web = elsewhere.render_as_string(hide_password=False)
    sentence = sentence_of(typed_at(path, database_url=web))
    assert "VIGILO_OWNER_DATABASE_URL" in sentence or "flask --app app db upgrade" in sentence
