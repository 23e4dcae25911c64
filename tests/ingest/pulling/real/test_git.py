"""Git over HTTP: real repositories behind git's own server, and behind a real nginx with a private CA."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from commands.tree import RECORDS
from ingest.importer import load
from ingest.kinds import KINDS
from ingest.pulling import store
from ingest.pulling.ahead.preview import PreviewTarget, preview
from ingest.sources import git as source_of_git
from tests.ingest.pulling.real import nginx
from tests.ingest.pulling.real.git_server import git, release, serving

NOW = datetime.now(UTC).replace(microsecond=0)
COLUMNS = "key, completed_at, outcome, service, environment"
SECRET = "a-token-of-the-git-server"


@pytest.fixture
def served(tmp_path):
    """Two repositories with the same tags, at other times."""
    with serving(tmp_path / "root") as made:
        for days, name in ((1, "team/shop.git"), (2, "team/search.git")):
            bare = made.repository(name)
            for number in range(6):
                release(bare, f"v1.{number}.0", NOW - timedelta(days=60 - 10 * number + days))
            release(bare, "v2.0.0-rc.1", NOW - timedelta(days=3))
        yield made


def make(installed, served, repositories="team/shop.git\nteam/search.git", secret="", **more):
    config = {"address": served.base, "repositories": repositories, **more}
    return installed.make("git", secret, **config)


def test_tags_are_releases_as_a_clone_tells_them(installed, served):
    run = installed.sync(make(installed, served))
    assert (run.state, run.refused) == ("done", 0), run
    pulled = installed.rows("deployment", COLUMNS)
    changes = installed.rows("deployment_change", "deployment, key, committed_at")
    assert len(pulled) == 14
    assert {key for key, *_ in pulled} >= {"team/shop@v1.0.0", "team/search@v1.0.0"}
    assert len(changes) == 2 * 5 * 2
    for name in ("shop", "search"):
        bare = served.root / "team" / f"{name}.git"
        git(bare, "remote", "add", "origin", f"https://git.example.com/team/{name}.git")
        for kind in ("deployments", "changes"):
            load(installed.context.database, KINDS[kind], [bare], workspace="beta", form="git")
    assert installed.rows("deployment", COLUMNS, "beta") == pulled
    told = installed.rows("deployment_change", "deployment, key, committed_at", "beta")
    assert told == changes


def test_while_the_tags_are_the_same_nothing_is_cloned(installed, served):
    source = make(installed, served)
    installed.sync(source)
    served.asked.clear()
    again = installed.sync(source)
    assert (again.state, again.read) == ("done", 0)
    assert not [path for path in served.asked if "git-upload-pack" in path and "info" not in path
                and served.asked.count(path) > 1]  # fmt: skip
    release(served.root / "team/shop.git", "v1.6.0", NOW - timedelta(hours=2))
    run = installed.sync(source)
    assert run.written > 0
    assert "team/shop@v1.6.0" in [key for (key,) in installed.rows("deployment", "key")]
    folder = Path(os.environ.get("TMPDIR", "/tmp"))
    assert not list(folder.glob("vigilo-git-*")), "a clone lives as long as its run"


def test_each_repository_feeds_its_workspace(installed, served):
    installed.world.member(installed.admin, installed.world.beta, "platform_admin")
    config = {"address": served.base, "repositories": "team/shop.git\nteam/search.git"}
    source = installed.make("git", home=None, **config)
    engine = installed.context.database.job
    rules = [("*/search", installed.world.beta), ("team/*", installed.world.alpha)]
    store.set_rules(engine, source, rules, "alice@x.example")
    assert installed.sync(source).state == "done"
    for slug, name in (("alpha", "team/shop"), ("beta", "team/search")):
        keys = [key for (key,) in installed.rows("deployment", "key", slug)]
        assert {key.partition("@")[0] for key in keys} == {name}


def test_a_pattern_names_the_releases(installed, served):
    installed.sync(make(installed, served, "team/shop.git", tags="v1.[0-2].*"))
    keys = [key for (key,) in installed.rows("deployment", "key")]
    assert keys == [f"team/shop@v1.{n}.0" for n in range(3)]


def test_it_signs_in_and_no_secret_is_told(installed, served, caplog):
    served.token = SECRET
    run = installed.sync(make(installed, served, "team/shop.git", "wrong-wrong-wrong"))
    assert (run.state, run.error_code) == ("failed", "token_invalid")
    run = installed.sync(make(installed, served, "team/shop.git"))
    assert (run.state, run.error_code) == ("failed", "token_invalid")
    for secret in (SECRET, f"somebody:{SECRET}"):
        run = installed.sync(make(installed, served, "team/shop.git", secret))
        assert run.state == "done", run
    assert SECRET not in caplog.text
    assert SECRET not in run.message


def test_one_that_is_gone_stops_none_of_the_others(installed, served):
    run = installed.sync(make(installed, served, "team/none.git\nteam/shop.git"))
    assert run.state == "done"
    assert "team/none: It is not there" in run.message
    assert installed.rows("deployment", "key")


def test_a_redirection_is_not_followed(installed, served, tmp_path):
    with serving(tmp_path / "other") as other:
        served.token, served.elsewhere = SECRET, other.base
        run = installed.sync(make(installed, served, "team/shop.git", SECRET))
        assert (run.state, run.error_code) == ("failed", "moved_elsewhere"), run
        assert other.asked == []


@pytest.mark.parametrize(
    ("address", "repositories", "code"),
    [
        ("http://169.254.169.254", "a.git", "blocked_address"),
        ("http://[::1]:8080", "a.git", "blocked_address"),
        ("http://127.0.0.1:22", "a.git", "blocked_address"),
        ("http://user:password@127.0.0.1:8080", "a.git", "blocked_address"),
        ("http://127.0.0.1:8080", "../a.git", "setting"),
        ("http://127.0.0.1:8080", "a//b.git", "setting"),
        ("http://127.0.0.1:8080", "# nothing", "setting"),
        ("http://127.0.0.1:1025", "a.git", "unreachable"),
        ("http://no-such-host.invalid", "a.git", "unreachable"),
    ],
)
def test_what_may_not_be_asked_is_not(installed, address, repositories, code):
    run = installed.sync(installed.make("git", address=address, repositories=repositories))
    assert (run.state, run.error_code) == ("failed", code), run


def test_a_server_that_never_answers_ends(installed, served, monkeypatch):
    monkeypatch.setattr(source_of_git, "LISTING", 0.0)
    monkeypatch.setattr(source_of_git, "LOOK", 0.001)
    run = installed.sync(make(installed, served))
    assert (run.state, run.error_code) == ("failed", "unreachable")


def test_a_history_that_is_too_large_is_left(installed, served, monkeypatch):
    monkeypatch.setattr(source_of_git, "LARGEST", 0)
    monkeypatch.setattr(source_of_git, "LOOK", 0.001)
    run = installed.sync(make(installed, served, "team/shop.git"))
    assert "larger than is read" in run.message
    assert installed.rows("deployment", "key") == []


def test_a_look_ahead_reads_the_tags(installed, served):
    config = {"address": served.base, "repositories": "team/shop.git"}
    told = preview(installed.context, "git", config, "", PreviewTarget("alpha"), 90)
    assert told.in_no_figure == {"environment 'pre-release' is not production": 1}
    assert (told.refused, [p.name for p in told.parts]) == (0, ["team/shop"])
    assert installed.rows("deployment", "key") == []


def test_behind_nginx_with_a_private_authority(installed, served, tmp_path):
    (tmp_path / "nginx").mkdir()
    with nginx.running(tmp_path / "nginx", behind=served.base) as web:
        config = {
            "address": f"https://localhost:{web.tls}/behind",
            "repositories": "team/shop.git",
        }
        settings = installed.context.settings
        allowed = ("127.0.0.0/8", "::1/128")
        untrusted = settings.model_copy(update={"source_allow": allowed})
        installed.context = installed.context._replace(settings=untrusted)
        run = installed.sync(installed.make("git", **config))
        assert (run.state, run.error_code) == ("failed", "tls_untrusted"), run
        trusting = untrusted.model_copy(update={"source_ca": web.authority})
        installed.context = installed.context._replace(settings=trusting)
        run = installed.sync(installed.make("git", **config))
        assert run.state == "done", run
        assert len(installed.rows("deployment", "key")) == 7


def test_a_command_imports_from_an_address(installed, served, monkeypatch):
    app = Flask("vigilo")
    database, settings = installed.context
    app.extensions["vigilo"] = SimpleNamespace(database=database, settings=settings)
    app.cli.add_command(RECORDS)
    served.token = SECRET

    def imported(url):
        words = ("records", "import", "deployments", "--format", "git", "--workspace", "alpha")
        with app.app_context():
            return app.test_cli_runner().invoke(args=[*words, "--repository", url])

    refused = imported(f"{served.base}/team/shop.git")
    assert refused.exit_code == 1
    assert "does not take the secret" in refused.output
    monkeypatch.setenv("VIGILO_GIT_TOKEN", SECRET)
    done = imported(f"{served.base}/team/shop.git")
    assert done.exit_code == 0, done.output
    assert len(installed.rows("deployment", "key")) == 7
    assert "is link-local" in imported("http://169.254.169.254/a.git").output
