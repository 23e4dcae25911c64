"""Files from a folder and from a real HTTP server, by tag and by digest."""

from __future__ import annotations

import functools
import os
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest.pulling import store
from ingest.pulling.problems import SourceProblem
from ingest.pulling.runner import open_pull, try_source
from ingest.sources import files
from ingest.sources.files import SOURCE

ROW = "{slug},{key},2026-11-01T10:00:00Z,2026-11-01T10:05:00Z,successful,production\n"
HEADER = "workspace,key,created_at,completed_at,outcome,environment\n"


@pytest.fixture
def inbox(installed, tmp_path):
    """A folder that the operator allows."""
    settings = installed.context.settings.model_copy(update={"source_folders": (str(tmp_path),)})
    installed.context = installed.context._replace(settings=settings)
    folder = tmp_path / "alpha"
    folder.mkdir()
    return folder


def put(folder, name, text, age=60.0):
    path = folder / name
    path.write_text(text)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def keys(installed):
    return [key for (key,) in installed.rows("deployment", "key")]


def test_a_folder_is_read_when_something_changed(installed, inbox):
    put(inbox, "deployments.csv", HEADER + ROW.format(slug="alpha", key="D-1"))
    source = installed.make("files", place="alpha")
    run = installed.sync(source)
    assert (run.state, run.written) == ("done", 1), run
    assert installed.sync(source).read == 0
    put(inbox, "deployments.csv", HEADER + ROW.format(slug="alpha", key="D-2"), age=30)
    put(inbox, "notes.txt", "nothing")
    run = installed.sync(source)
    assert keys(installed) == ["D-1", "D-2"]
    assert "notes.txt: its name tells no kind of records" in run.message


def test_bad_rows_are_told_and_the_good_ones_kept(installed, inbox):
    put(
        inbox,
        "deployments.csv",
        HEADER + ROW.format(slug="alpha", key="D-1") + "alpha,D-2,x,y,z,q\n",
    )
    run = installed.sync(installed.make("files", place="alpha"))
    assert (run.read, run.written, run.refused) == (2, 1, 1)
    assert run.message.startswith("deployments.csv:3"), "without the folder"


def test_a_file_that_is_being_written_waits(installed, inbox):
    put(inbox, "deployments.csv", HEADER + ROW.format(slug="alpha", key="D-1"), age=0)
    run = installed.sync(installed.make("files", place="alpha"))
    assert "is being written" in run.message
    assert keys(installed) == []


def test_a_file_of_a_clock_that_is_ahead_does_not_wait_for_that_time(installed, inbox):
    put(inbox, "deployments.csv", HEADER + ROW.format(slug="alpha", key="D-1"), age=-3600)
    installed.sync(installed.make("files", place="alpha"))
    assert keys(installed) == ["D-1"]


def test_no_folder_beyond_what_the_operator_allows(installed, inbox, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    put(outside, "deployments.csv", HEADER + ROW.format(slug="alpha", key="D-9"))
    for place in ("../..", str(outside), "/etc"):
        run = installed.sync(installed.make("files", place=place))
        assert run.error_code == "blocked_address", place
    (inbox / "deployments-link.csv").symlink_to(outside / "deployments.csv")
    run = installed.sync(installed.make("files", place="alpha"))
    assert "leads out of the folder" in run.message
    assert keys(installed) == []


def test_rows_of_another_workspace_are_refused(installed, inbox):
    put(inbox, "deployments.csv", HEADER + ROW.format(slug="beta", key="D-1"))
    run = installed.sync(installed.make("files", place="alpha"))
    assert (run.written, run.refused) == (0, 1)
    assert installed.rows("deployment", "key", "beta") == []


@pytest.fixture
def web_server(tmp_path):
    """A real server of files."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_at_an_address_is_read_once(installed, web_server):
    folder, address = web_server
    put(folder, "deployments.csv", HEADER + ROW.format(slug="alpha", key="D-1"))
    source = installed.make("files", place=f"{address}/deployments.csv")
    assert installed.sync(source).written == 1
    again = installed.sync(source)
    assert (again.requests, again.read) == (1, 0)
    gone = installed.make("files", place=f"{address}/incidents.csv")
    assert installed.sync(gone).error_code == "not_found_or_hidden"


def test_the_test_names_what_would_be_read(installed, inbox):
    put(inbox, "vendors.csv", "x")
    source = installed.source(installed.make("files", place="alpha"))
    assert try_source(open_pull(installed.context, source), "files")[0] == ["vendors.csv: vendors"]


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"place": "alpha", "kind": "cats"}, "Records takes one of"),
        ({}, "Folder or address is required"),
        ({"place": "x", "colour": "red"}, "no setting 'colour'"),
    ],
)
def test_settings_are_checked(config, problem):
    with pytest.raises(SourceProblem, match=problem):
        SOURCE.checked(config)


def test_a_file_that_may_not_be_read_keeps_no_other_from_being_read(installed, inbox, monkeypatch):
    put(inbox, "deployments-1.csv", HEADER + ROW.format(slug="alpha", key="D-1"))
    put(inbox, "deployments-2.csv", HEADER + ROW.format(slug="alpha", key="D-2"))
    digest = files.digest_of

    def refused(path):
        if path.name == "deployments-1.csv":
            raise PermissionError(13, "Permission denied")
        return digest(path)

    monkeypatch.setattr(files, "digest_of", refused)
    run = installed.sync(installed.make("files", place="alpha"))
    assert run.state == "done", run
    assert "deployments-1.csv can not be read: Permission denied" in run.message
    assert keys(installed) == ["D-2"]


def test_hidden_folders_are_no_places_of_files(installed, inbox):
    (inbox / ".snapshot").mkdir()
    put(inbox / ".snapshot", "deployments.csv", HEADER + ROW.format(slug="alpha", key="D-1"))
    assert installed.sync(installed.make("files", place="alpha")).read == 0


def test_more_files_than_are_read_are_told(installed, inbox, monkeypatch):
    monkeypatch.setattr(files, "MOST_FILES", 2)
    for n in range(3):
        put(inbox, f"deployments-{n}.csv", HEADER + ROW.format(slug="alpha", key=f"D-{n}"))
    run = installed.sync(installed.make("files", place="alpha"))
    assert "There are 3 files; the first 2 are read." in run.message
    assert keys(installed) == ["D-0", "D-1"]


def test_another_folder_with_files_of_the_same_look_is_read(installed, inbox):
    other = inbox.parent / "beta"
    other.mkdir()
    path = put(inbox, "deployments.csv", HEADER + ROW.format(slug="alpha", key="D-1"))
    copy = put(other, "deployments.csv", HEADER + ROW.format(slug="alpha", key="D-2"))
    os.utime(copy, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))
    source = installed.make("files", place="alpha")
    installed.sync(source)
    jobs, email = installed.context.database.job, installed.admin.email
    store.change(jobs, source, email, config={"place": "beta"})
    assert installed.sync(source).written == 1
    assert keys(installed) == ["D-1", "D-2"]
