"""The records of a workspace page: the grid's requests and the CSV, for members alone."""

from __future__ import annotations

import csv
import io
import json

import pytest

from aggregators import catalogue
from exports.spreadsheet import harmless as cell
from reading.grid_request import InvalidRequest, parse
from tests.webworld import make

DORA = catalogue.domain("dora").records


@pytest.fixture
def web(database, settings):
    return make(database, settings)


def download(web, who, query="", path="/ws/alpha/records/dora.csv"):
    return web.sign_in(who).get(f"{path}?period=28{query}")


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_a_member_downloads_what_the_filter_leaves(web):
    whole = rows(download(web, "viewer"))
    assert len(whole) == 28
    failed = json.dumps({"failed": {"filterType": "text", "type": "equals", "filter": "yes"}})
    some = rows(download(web, "viewer", f"&filter={failed}"))
    assert {r["failed"] for r in some} == {"yes"}
    assert len(some) == sum(r["failed"] == "yes" for r in whole)
    ordered = json.dumps([{"colId": "key", "sort": "asc"}])
    keys = [r["key"] for r in rows(download(web, "viewer", f"&sort={ordered}"))]
    assert keys == sorted(keys)


@pytest.mark.parametrize("who", ["dave", "revoked"])
def test_a_stranger_is_not_told_that_it_exists(web, who):
    assert download(web, who).status_code == 404
    assert download(web, who, path="/ws/nowhere/records/dora.csv").status_code == 404


def test_a_member_of_one_reads_no_other(web):
    assert download(web, "bob", path="/ws/beta/records/dora.csv").status_code == 404
    assert download(web, "alice", path="/ws/beta/records/dora.csv").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "&filter={",
        '&filter={"nothing":{"type":"equals","filter":"x"}}',
        '&filter={"failed":{"type":"drop table","filter":"x"}}',
        '&filter={"changes":{"type":"equals","filter":"NaN"}}',
        '&filter={"completed_at":{"type":"equals","dateFrom":"x"}}',
        '&sort=[{"colId":"key; drop","sort":"asc"}]',
        '&sort={"colId":1}',
    ],
)
def test_a_filter_that_no_grid_makes_is_refused_by_name(web, query):
    assert download(web, "viewer", query).status_code == 422


@pytest.mark.parametrize(
    "request_",
    [None, [], {"startRow": -1, "endRow": 5}, {"startRow": 0, "endRow": 10**9},
     {"startRow": "0", "endRow": 5}, {"startRow": 0, "endRow": 5, "filterModel": [1]},
     {"startRow": 0, "endRow": 5, "sortModel": "key"}],
)  # fmt: skip
def test_a_malformed_request_for_rows_is_refused(request_):
    with pytest.raises(InvalidRequest):
        parse(DORA, request_)


def test_wildcards_are_looked_for_as_they_are(web):
    given = json.dumps({"key": {"type": "contains", "filter": "%"}})
    assert rows(download(web, "viewer", f"&filter={given.replace('%', '%25')}")) == []


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(begins):
    assert cell(f"{begins}1+1") == f"'{begins}1+1"
    assert cell(-3) == -3
