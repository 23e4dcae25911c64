"""``records import`` as it is typed."""

from types import SimpleNamespace

import pytest
from flask import Flask

from commands.tree import RECORDS

HEAD = "workspace,key,name,tier\n"


@pytest.fixture
def flask(database, workspaces, settings):
    """Runs ``flask ...`` on an app with nothing but the command."""
    app = Flask("vigilo")
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=settings)
    app.cli.add_command(RECORDS)
    runner = app.test_cli_runner()
    with app.app_context():
        yield lambda *words: runner.invoke(args=[str(word) for word in words])


def test_a_good_file(flask, tmp_path):
    path = tmp_path / "vendors.csv"
    path.write_text(HEAD + "payments,v,Acme,1\n")
    result = flask("records", "import", "vendors", path)
    assert result.exit_code == 0, result.output
    assert result.output == f"{path}: 1 rows read, 1 written, 0 unchanged, 0 rejected\n"


def test_rejected_rows_are_listed_up_to_a_hundred_and_the_exit_code_is_1(flask, tmp_path):
    path, other = tmp_path / "vendors.csv", tmp_path / "other.csv"
    path.write_text(HEAD + "payments,v,Acme,9\n" * 250)
    other.write_text("key\n")
    result = flask("records", "import", "vendors", path, other)
    lines = result.output.splitlines()
    assert result.exit_code == 1
    assert lines[1] == (f"  {path}:2: tier: takes a whole number from 1 to 4, got '9' [payments/v]")
    assert lines[101] == "  and 150 more rejected rows"
    assert lines[102].startswith(f"{other}: 0 rows read")
    assert "lacks the required columns workspace, name, tier" in lines[103]


def test_strict_and_workspace(flask, tmp_path, stored):
    path = tmp_path / "vendors.csv"
    path.write_text("key,name,tier\nv,Acme,1\nw,Acme,9\n")
    result = flask("records", "import", "vendors", path, "--workspace", "search", "--strict")
    assert result.exit_code == 1
    assert "0 written, 0 unchanged, 1 rejected, 1 held back" in result.output
    assert "strict: nothing was written" in result.output
    assert stored("vendors", "search") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonsense", "x.csv"), "'nonsense' is not one of 'workspaces', 'deployments'"),
        (("vendors",), "Missing argument 'FILES...'"),
        (("vendors", "x.csv", "--workspace", "nowhere"), "no workspace 'nowhere'"),
        (("workspaces", "x.csv", "--workspace", "search"), "does not apply to workspaces"),
        (
            ("vendors", "x.csv", "--format", "toml"),
            "is not one of 'alertmanager', 'cdevents', 'csv'",
        ),
    ],
)
def test_a_wrong_command_says_what_it_takes(words, said, flask):
    result = flask("records", "import", *words)
    assert result.exit_code == 2
    assert said in result.output


def test_a_database_that_is_gone_is_said_in_one_line(settings, tmp_path):
    from sqlalchemy import create_engine

    gone = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    app = Flask("vigilo")
    app.extensions["vigilo"] = SimpleNamespace(
        database=SimpleNamespace(job=gone), settings=settings
    )
    app.cli.add_command(RECORDS)
    path = tmp_path / "vendors.csv"
    path.write_text(HEAD + "payments,v,Acme,1\n")
    with app.app_context():
        result = app.test_cli_runner().invoke(args=["records", "import", "vendors", str(path)])
    assert result.exit_code == 1
    assert "The database does not answer: " in result.output
    assert "Traceback" not in result.output
