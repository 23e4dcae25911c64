"""Deployments as they are counted: told beside the figure, asked for and changed by the command line."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask

from commands.tree import SOURCE
from layouts.workspace.counted import DeploymentsOf, counted_as, sentence
from tests.ingest.pulling.choice.repositories import OWN, deployed, merge, named, standing
from tests.ingest.pulling.senders.fake import served
from tests.ingest.pulling.senders.github import FakeGitHub
from web.platform.sources import counted


@pytest.fixture
def source(installed):
    """A source of two repositories that differ, read once."""
    with served(FakeGitHub()) as fake:
        named(fake, "pay", "web")
        fake.deployments["acme/pay"] = deployed(1, 2)
        fake.pulls["acme/web"] = [merge(1, 1)]
        config = {"owner": "acme", "address": fake.base, "counts": OWN, "changes": "no"}
        made = installed.make("github", fake.token, **config)
        installed.sync(made)
        yield made


def told(installed, viewer, slug="alpha", domain="dora"):
    database = installed.context.database
    return counted.counted_as(database.web, database, viewer, slug, domain)


def test_members_read_what_is_counted_beside_the_figures_of_deployments(installed, source):
    engineer, stranger = (installed.world.person(f"{n}@x.example") for n in ("eng", "eve"))
    installed.world.member(engineer, installed.world.alpha, "viewer")
    parts = told(installed, engineer)
    words = "Deployments are merges of web; production deployments of pay."
    assert sentence(parts) == words
    assert f"{words} Read from Github." in str(counted_as(parts))
    assert told(installed, stranger) == []
    assert told(installed, engineer, "beta") == []
    assert told(installed, engineer, domain="vendors") == []
    assert counted_as([]) is None


def test_of_many_parts_the_first_are_named():
    parts = [DeploymentsOf(f"acme/r{n}", "releases", "GitHub") for n in range(1, 8)]
    assert sentence(parts) == "Deployments are releases of r1, r2, r3, r4 and 3 more."


@pytest.fixture
def flask(installed):
    """Runs ``flask ...`` on an app with nothing but the commands of sources."""
    app = Flask("vigilo")
    database, settings = installed.context
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=settings)
    app.cli.add_command(SOURCE)
    runner = app.test_cli_runner()
    with app.app_context():
        yield lambda *words, **more: runner.invoke(args=[str(word) for word in words], **more)


def test_the_command_says_what_is_counted_and_asks_before_it_is_changed(installed, source, flask):
    listed = flask("source", "choose", source).output.splitlines()
    assert len(listed) == 2
    assert "acme/pay: production deployments (the first that there is), 2 records." in listed[0]
    assert "merges 1" in listed[1]
    asked = flask("source", "choose", source, "acme/pay", "merges", input="n\n")
    assert "2 records of acme/pay count as production deployments." in asked.output
    assert "counts instead of the former one, not beside it" in asked.output
    assert asked.exit_code == 1
    installed.sync(source)
    assert standing(installed) == ["1", "2", "acme/web@merge-1"]
    done = flask("source", "choose", source, "acme/pay", "merges", "--yes")
    assert "are its merges from the next sync on" in done.output
    installed.sync(source)
    assert standing(installed) == ["acme/web@merge-1"]
    assert "has no part acme/nothing" in flask("source", "choose", source, "acme/nothing").output
    wrong = flask("source", "choose", source, "acme/pay", "pigeons", "--yes")
    assert (wrong.exit_code, "is one of" in wrong.output) == (1, True)
