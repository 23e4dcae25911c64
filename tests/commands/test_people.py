"""The table of who may what by the command line, walked: for each person, and as the web role."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest
from click.testing import Result

from app import create_app
from commands.tree import COMMANDS
from demo.real import SOURCES
from tests.commands.people import BACKUPS, NAMING, OPEN, OPERATORS, PEOPLE
from tests.commands.test_tree import TYPED, paths
from tests.conftest import empty
from tests.deep import all_but
from tests.webworld import HASH, WebWorld, make

NAMES = {"nobody": "dave", "owner": "bob", "platform_admin": "alice"}


@pytest.fixture(scope="module")
def peopled(server, settings) -> WebWorld:
    """The small world with four more: of another workspace, one that left, one that is deactivated, and a
    second owner, so that the first is not the last."""
    empty(server)
    (settings.data_dir / "inbox").mkdir(parents=True, exist_ok=True)
    made = make(server, settings)
    for name in ("elsewhere", "leaver", "deactivated"):
        columns = {"password_hash": HASH, "is_active": name != "deactivated"}
        made.people[name] = made.world.person(f"{name}@x.example", **columns)
    second = made.world.person("second@x.example", password_hash=HASH)
    made.world.member(second, made.world.alpha, "owner")
    made.world.member(made.people["elsewhere"], made.world.beta, "platform_admin")
    made.world.member(made.people["leaver"], made.world.alpha, "platform_admin")
    made.world.revoke(made.people["leaver"], made.world.alpha)
    made.world.member(made.people["deactivated"], made.world.alpha, "platform_admin")
    return made


@pytest.fixture(scope="module")
def typed(peopled) -> Callable[[str], Result]:
    """Runs a command of the installation, by whoever has its addresses."""

    def run(words: str) -> Result:
        with peopled.app.app_context():
            told = "a long password\n"
            return peopled.app.test_cli_runner().invoke(args=shlex.split(words), input=told)

    return run


def test_every_command_is_in_the_table():
    there = {path for command in COMMANDS for path in paths(command, command.name or "")}
    assert {*(row.path for row in NAMING), *OPERATORS, *OPEN, *BACKUPS} == there
    assert set(OPERATORS).isdisjoint(row.path for row in NAMING)


@pytest.mark.parametrize("who", all_but(["stranger", "viewer", "owner", "platform_admin"], PEOPLE))
def test_a_command_is_done_for_those_whom_the_table_names(typed, tmp_path, who):
    wrong = []
    email = f"{NAMES.get(who, who)}@x.example"
    for row in NAMING:
        done = typed(f"{row.path} {row.words.format(email=email, folder=tmp_path)}")
        assert done.exit_code in (0, 1), (row, done.output)
        assert isinstance(done.exception, (SystemExit, type(None))), (row, done.exception)
        if (done.exit_code == 0) != (who in row.may):
            wrong.append((row.path, row.words, done.output.strip()))
    assert not wrong, "\\n".join(map(str, wrong))


@pytest.mark.parametrize("path", [*dict.fromkeys(row.path for row in NAMING), *OPERATORS])
def test_with_the_web_roles_address_alone_no_command_does_anything(peopled, tmp_path, path):
    database, settings = peopled.world.database, peopled.world.settings
    web = database.web.url.render_as_string(hide_password=False)
    app = create_app(
        settings.model_copy(
            update={"database_url": web, "secret_key": "x" * 32, "data_dir": tmp_path}
        )
    )
    for source in SOURCES:
        (tmp_path / source.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / source.path).touch()
    words = f"{path} {TYPED.get(path, '').format(folder=tmp_path)}"
    with app.app_context():
        done = app.test_cli_runner().invoke(args=shlex.split(words), input="a long password\n")
    assert done.exit_code == 1, done.output
    assert "VIGILO_OWNER_DATABASE_URL" in done.output or "VIGILO_JOB_DATABASE_URL" in done.output


def test_the_table_names_people_that_there_are():
    assert set().union(*(row.may for row in NAMING)) <= set(PEOPLE)
