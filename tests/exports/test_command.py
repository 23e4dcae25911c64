"""``export pdf`` and ``export trace``: files on behalf of a person, with what stands in the way named."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask

from commands.tree import EXPORT
from tests.webworld import make

ALICE = "alice@x.example"


@pytest.fixture
def runner(database, settings, tmp_path):
    make(database, settings)
    own = settings.model_copy(update={"data_dir": tmp_path})
    app = Flask(__name__)
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=own)
    app.cli.add_command(EXPORT)
    with app.app_context():
        yield app.test_cli_runner()


def pdf(runner, *more: str):
    return runner.invoke(args=["export", "pdf", *more])


@pytest.mark.parametrize(
    ("form", "begins"), [("pdf", b"%PDF-"), ("csv", b""), ("json", b"{"), ("xlsx", b"PK")]
)
def test_a_file_is_written_and_its_exporter_is_found_again(runner, tmp_path, form, begins):
    out = tmp_path / f"pack.{form}"
    done = pdf(runner, "--as", ALICE, "--period", "7", "--format", form, "--out", str(out))
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(begins)
    told = runner.invoke(args=["export", "trace", str(out)])
    assert (told.exit_code, ALICE in told.output) == (0, True), told.output


def test_of_a_strange_file_it_says_that_it_is_strange(runner, tmp_path):
    strange = tmp_path / "strange.pdf"
    strange.write_bytes(b"%PDF-1.7 of somebody else")
    done = runner.invoke(args=["export", "trace", str(strange)])
    assert done.exit_code == 1
    assert "was not exported by this installation" in done.output


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--as", "nobody@x.example"), "there is no active account nobody@x.example"),
        (("--as", ALICE, "--period", "8"), "--period"),
        (("--as", ALICE, "--start", "2026-11-10"), "--end"),
        (("--as", ALICE, "--format", "docx"), "docx"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(runner, tmp_path, given, says):
    done = pdf(runner, *given, "--out", str(tmp_path / "pack.pdf"))
    assert done.exit_code != 0
    assert says in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "pack.pdf").exists()


def test_where_nothing_can_be_written_it_says_so_before_it_begins(runner, tmp_path):
    done = pdf(runner, "--as", ALICE, "--out", str(tmp_path / "nowhere" / "pack.pdf"))
    assert (done.exit_code, "--out: nothing can be written in" in done.output) == (1, True)


def test_a_full_disk_is_named(runner):
    done = pdf(runner, "--as", ALICE, "--period", "7", "--out", "/dev/full")
    assert done.exit_code == 1
    assert "--out: /dev/full can not be written: No space left on device" in done.output
