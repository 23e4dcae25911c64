"""Files of servers that say odd things of them: tags that lie or move, names that lead elsewhere."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import pytest

from ingest.pulling import store
from ingest.sources import files
from tests.ingest.pulling.senders.fake import Fake, Reply, served

HEADER = "key,created_at,completed_at,outcome,environment\n"
ROW = "{key},2026-11-01T10:00:00Z,2026-11-01T10:05:00Z,successful,production\n"
LONG_AGO = "Mon, 02 Nov 2026 10:00:00 GMT"


def rows(*keys: str) -> bytes:
    return (HEADER + "".join(ROW.format(key=key) for key in keys)).encode()


class Cabinet(Fake):
    """A server of files. ``content`` by name; ``headers`` of every answer; ``conditions`` are those of the
    requests that came; it answers 304 where one of them is its own tag or instant, as servers do."""

    def __init__(self) -> None:
        super().__init__()
        self.content: dict[str, bytes] = {"deployments.csv": rows("D-1")}
        self.headers: dict[str, str] = {}
        self.replies: dict[str, Reply] = {}
        self.listing: list[object] | None = None
        self.conditions: list[tuple[str, str]] = []

    def authorised(self, headers: object) -> bool:
        return True

    def get(self, path: str, query: dict[str, str], headers: object) -> Reply:
        if path == "/":
            told = [{"type": "file", "name": name} for name in self.content]
            return Reply(200, told if self.listing is None else self.listing)
        asked = (headers.get("If-None-Match", ""), headers.get("If-Modified-Since", ""))
        self.conditions.append(asked)
        name = path.removeprefix("/")
        if name in self.replies:
            return self.replies[name]
        if name not in self.content:
            return Reply(404, {"message": "Not Found"})
        own = (self.headers.get("ETag"), self.headers.get("Last-Modified"))
        if any(each and each == known for each, known in zip(asked, own, strict=True)):
            return Reply(304, None, dict(self.headers))
        return Reply(200, None, dict(self.headers), self.content[name])


@pytest.fixture
def cabinet():
    with served(Cabinet()) as made:
        yield made


@pytest.fixture
def source(installed, cabinet):
    return installed.make("files", place=f"{cabinet.base}/deployments.csv")


@pytest.fixture
def folder(installed, cabinet):
    return installed.make("files", place=f"{cabinet.base}/")


def keys(installed):
    return [key for (key,) in installed.rows("deployment", "key")]


@pytest.mark.parametrize("tag", ['"a-1"', 'W/"a-1"', "a-1", '"a-1-gzip"', '""', 'W/"ä,b"'])
def test_a_file_with_a_tag_of_any_form_is_read_once(installed, cabinet, source, tag):
    cabinet.headers = {"ETag": tag}
    assert installed.sync(source).written == 1
    assert installed.sync(source).read == 0
    assert cabinet.conditions[1:] == [(tag, "")]


def test_a_tag_that_stands_for_every_file_is_no_tag(installed, cabinet, source):
    cabinet.headers = {"ETag": "*"}
    installed.sync(source)
    cabinet.content["deployments.csv"] = rows("D-1", "D-2")
    assert installed.sync(source).written == 1
    assert keys(installed) == ["D-1", "D-2"]


def test_without_a_tag_the_instant_of_the_change_is_told(installed, cabinet, source):
    cabinet.headers = {"Last-Modified": LONG_AGO}
    assert installed.sync(source).written == 1
    assert installed.sync(source).read == 0
    assert cabinet.conditions == [("", ""), ("", LONG_AGO)]


def test_a_change_within_the_second_of_the_one_before_is_read(installed, cabinet, source):
    """An instant has whole seconds: one that is now may be that of two files."""
    cabinet.headers = {"Last-Modified": format_datetime(datetime.now(UTC), usegmt=True)}
    installed.sync(source)
    cabinet.content["deployments.csv"] = rows("D-1", "D-2")
    assert installed.sync(source).written == 1
    assert keys(installed) == ["D-1", "D-2"]


@pytest.mark.parametrize("told", ["yesterday", "Mon, 99 Nov 2026 10:00:00 GMT", "", "0"])
def test_an_instant_that_is_none_is_not_told(installed, cabinet, source, told):
    cabinet.headers = {"Last-Modified": told}
    assert installed.sync(source).written == 1
    assert installed.sync(source).state == "done"
    assert cabinet.conditions == [("", ""), ("", "")]


def test_another_tag_of_the_same_bytes_reads_nothing_again(installed, cabinet, source):
    cabinet.headers = {"ETag": '"1"'}
    installed.sync(source)
    cabinet.headers = {"ETag": '"2"'}
    again = installed.sync(source)
    assert (again.state, again.read, again.requests) == ("done", 0, 1)
    installed.sync(source)
    assert cabinet.conditions[2] == ('"2"', "")


def test_other_bytes_under_the_same_tag_are_read_when_they_come(installed, cabinet, source):
    cabinet.headers = {"ETag": '"1"'}
    installed.sync(source)
    cabinet.replies["deployments.csv"] = Reply(200, None, {"ETag": '"1"'}, rows("D-1", "D-2"))
    assert installed.sync(source).written == 1


def test_a_server_that_says_the_same_of_what_is_not_is_found_out_within_a_week(
    installed, cabinet, source, monkeypatch
):
    cabinet.headers = {"ETag": 'W/"1"'}
    installed.sync(source)
    cabinet.content["deployments.csv"] = rows("D-1", "D-2")
    assert installed.sync(source).read == 0, "as it says"
    monkeypatch.setattr(files, "WHOLE", timedelta(0))
    assert installed.sync(source).written == 1
    assert keys(installed) == ["D-1", "D-2"]


def test_an_answer_to_a_question_that_nobody_asked_is_told(installed, cabinet, source):
    cabinet.replies["deployments.csv"] = Reply(304)
    run = installed.sync(source)
    assert (run.state, run.error_code) == ("failed", "changed_shape")
    assert "nothing has changed" in run.message


@pytest.mark.parametrize("name", ["deployments.csv", "deployments.csv.gz"])
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", ""])
def test_what_is_packed_on_the_way_or_by_itself_is_read(installed, cabinet, name, encoding):
    """Servers send a packed file as itself, as packed on the way, or as both."""
    is_packed = encoding or name.endswith(".gz")
    body = gzip.compress(rows("D-1")) if is_packed else rows("D-1")
    headers = {"Content-Encoding": encoding} if encoding else {}
    cabinet.replies[name] = Reply(200, None, headers, body)
    run = installed.sync(installed.make("files", place=f"{cabinet.base}/{name}"))
    assert (run.state, run.written) == ("done", 1), run
    assert keys(installed) == ["D-1"]


def test_a_packed_answer_that_was_cut_is_no_file(installed, cabinet, source):
    many = rows(*(f"D-{n}" for n in range(400)))
    cut = gzip.compress(many)[:-400]
    cabinet.replies["deployments.csv"] = Reply(200, None, {"Content-Encoding": "gzip"}, cut)
    run = installed.sync(source)
    assert (run.state, run.error_code) == ("failed", "unreachable"), run
    assert keys(installed) == []


def test_a_file_that_changes_between_the_list_and_its_reading_is_read_as_it_is_then(
    installed, cabinet, folder
):
    cabinet.listing = [{"type": "file", "name": "deployments.csv", "size": 3}]
    cabinet.content["deployments.csv"] = rows("D-1", "D-2")
    assert installed.sync(folder).written == 2


def test_one_file_that_is_gone_or_too_large_keeps_no_other_from_being_read(
    installed, cabinet, folder, monkeypatch
):
    cabinet.content |= {"deployments-0.csv": b"", "deployments-9.csv": rows("D-9")}
    cabinet.replies["deployments-0.csv"] = Reply(404, {"message": "Not Found"})
    cabinet.replies["deployments.csv"] = Reply(200, None, {}, b"x" * 5_000_000)
    monkeypatch.setattr("ingest.pulling.client.LARGEST", 4_000_000)
    run = installed.sync(folder)
    assert (run.state, run.written) == ("done", 1), run
    assert "deployments-0.csv: " in run.message
    assert "deployments.csv: " in run.message
    assert keys(installed) == ["D-9"]


@pytest.mark.parametrize(
    "name",
    ["deployments #1.csv", "deployments?x=1.csv", "deployments 100%.csv", "deployments%2F.csv",
     "deployments-übersicht.csv", "deployments;v=2.csv", "deployments\\x.csv", "deployments+a&b.csv"],
)  # fmt: skip
def test_names_with_signs_that_mean_something_in_an_address_are_names(
    installed, cabinet, folder, name
):
    cabinet.content = {}
    cabinet.listing = [{"type": "file", "name": name}]
    cabinet.replies = {quote(name, safe=""): Reply(200, None, {}, rows("D-1"))}
    run = installed.sync(folder)
    assert (run.state, run.written) == ("done", 1), run


@pytest.mark.parametrize(
    "name", ["deployments/../x.csv", "http://127.0.0.1:1/deployments.csv", "//127.0.0.1/deployments.csv",
             "/deployments.csv", "deployments/..", "deployments\0.csv", "deployments" + "x" * 500 + ".csv"],
)  # fmt: skip
def test_no_name_of_a_list_leads_out_of_the_folder(installed, cabinet, name):
    cabinet.listing = [{"type": "file", "name": name}]
    source = installed.make("files", place=f"{cabinet.base}/")
    run = installed.sync(source)
    assert run.state == "done", run
    assert {*cabinet.asked} <= {"/", f"/{quote(name, safe='')}"}


def test_a_list_in_the_manner_of_caddy_is_read(installed, cabinet, folder):
    cabinet.listing = [
        {"name": "deployments.csv", "size": 9, "url": "./deployments.csv", "is_dir": False},
        {"name": "archive/", "size": 9, "url": "./archive/", "is_dir": True},
    ]
    assert installed.sync(folder).written == 1


def test_a_file_whose_name_tells_nothing_is_not_asked_for(installed, cabinet, folder):
    cabinet.content = {"photo.jpg": b"x", "deployments.csv": rows("D-1")}
    run = installed.sync(folder)
    assert (run.written, run.requests) == (1, 2)
    assert "photo.jpg: its name tells no kind" in run.message


def test_a_page_to_sign_in_is_named_as_what_it_is(installed, cabinet, source):
    page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>...</body></html>"
    cabinet.replies["deployments.csv"] = Reply(200, None, {"Content-Type": "text/html"}, page)
    run = installed.sync(source)
    assert "is a web page" in run.message
    assert keys(installed) == []


def test_another_format_in_the_settings_reads_the_same_bytes_again(installed, cabinet, source):
    cabinet.headers = {"ETag": '"1"'}
    assert installed.sync(source).written == 1
    config = {"place": f"{cabinet.base}/deployments.csv", "kind": "deployments", "format": "csv"}
    jobs = installed.context.database.job
    store.change(jobs, source, installed.admin.email, config=config)
    run = installed.sync(source)
    assert (run.read, run.written) == (1, 0), "read again, and nothing new"
