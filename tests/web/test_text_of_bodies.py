"""Forms, JSON, callbacks and deliveries: a clean 4xx that names what is no text, never a server error."""

from __future__ import annotations

import io
import json

import pytest

from auth import tokens
from ingest.door import senders
from ingest.door.deliveries import drain
from tests.api.test_ingest import EVENT
from tests.web.hostile import DIGITS, MEMBERS, refused
from tests.web.test_callbacks import UPDATE, VIEW, body, focus
from tests.webworld import PASSWORD, csrf

INGEST = "/api/v1/ws/alpha/ingest/github"
ROWS = {"startRow": 0, "endRow": 10, "filterModel": {}, "sortModel": []}


def rows(request, view=None):
    """Request of the grid of a workspace page."""
    places = [
        ("records", "getRowsResponse"),
        ("records-count", "children"),
        ("records-csv", "href"),
    ]
    shown = {"path": "/ws/alpha/analytics", "period": "28"} if view is None else view
    return {
        "output": "..{}..".format("...".join(f"{id}.{name}" for id, name in places)),
        "outputs": [{"id": id, "property": name} for id, name in places],
        "inputs": [{"id": "records", "property": "getRowsRequest", "value": request}],
        "changedPropIds": ["records.getRowsRequest"],
        "state": [{"id": "records-view", "property": "data", "value": shown}],
    }


def filtered(value, column="changes"):
    return rows(ROWS | {"filterModel": {column: {"type": "equals", "filter": value}}})


def test_the_requests_that_are_broken_here_work_when_they_are_not(alice):
    for sent in (body(), focus(VIEW | {"domain": "dora"}), rows(ROWS), filtered(1)):
        answer = alice.post(UPDATE, json=sent, headers=csrf(alice))
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "٢", "99999999999999999999"])
@pytest.mark.parametrize("path", ["/login", "/exports", INGEST, UPDATE])
def test_an_odd_content_length_is_no_error_of_ours(alice, path, length):
    sent = {"CONTENT_LENGTH": length, "CONTENT_TYPE": "application/json"}
    answer = alice.post(path, environ_overrides=sent, headers=csrf(alice))
    assert answer.status_code < 500


@pytest.mark.parametrize("kind", [
    "multipart/form-data", "multipart/form-data; boundary=ä", "application/json; charset=x",
    "application/x-www-form-urlencoded; charset=utf-7", "\xff", ";", "text/plain",
    "application/json-patch+json",
])  # fmt: skip
@pytest.mark.parametrize("path", ["/login", "/exports", MEMBERS, INGEST, UPDATE])
def test_an_odd_content_type_is_no_error_of_ours(alice, path, kind):
    for data in (b"", b"\xff\xfe", b"{}", b"a=%ff&b=%00", b"--\r\n\r\n--"):
        answer = alice.post(
            path, data=data, environ_overrides={"CONTENT_TYPE": kind}, headers=csrf(alice)
        )
        assert answer.status_code < 500


FORMS = (
    ("/login", "email", "\x00"),
    ("/login", "email", "a@x.example\x00"),
    ("/login", "password", "\x00"),
    ("/login", "next", "/\x00"),
    ("/login", "csrf_token", "\x00"),
    ("/login", "email", "x" * 20_000),
    (MEMBERS, "email", "\x00"),
    (MEMBERS, "role", "view\x00er"),
    (MEMBERS, "action", "\x00"),
    ("/exports", "period", "\x00"),
    ("/exports", "start", "2026-01-01\x00"),
    ("/exports", "format", "\x00"),
    ("/exports/schedule", "email", "\x00"),
    ("/exports/schedule", "cadence", "\x00"),
    ("/logout", "anything", "\x00"),
)


@pytest.mark.parametrize(("path", "field", "value"), FORMS)
@pytest.mark.parametrize("multipart", [False, True])
def test_a_form_field_that_is_no_text_is_refused_by_name(
    shared_web, alice, path, field, value, multipart
):
    client = shared_web.browser() if path == "/login" else alice
    form = {"email": "alice@x.example", "password": PASSWORD} | {field: value}
    kind = "multipart/form-data" if multipart else "application/x-www-form-urlencoded"
    refused(client.post(path, data=form, content_type=kind, headers=csrf(client)), field)


@pytest.mark.parametrize("field", ["email", "password", "csrf_token", "next"])
@pytest.mark.parametrize("path", ["/login", MEMBERS, "/exports", "/exports/schedule"])
def test_a_file_is_no_form_field(shared_web, alice, path, field):
    client = shared_web.browser() if path == "/login" else alice
    refused(
        client.post(path, data={field: (io.BytesIO(b"x"), "x.txt")}, headers=csrf(client)), field
    )


CALLBACKS = (
    (focus(VIEW | {"domain": "dora", "find": "\ud800"}), "inputs.0.value.find"),
    (focus(VIEW | {"domain": "dora", "find": "\x00"}), "inputs.0.value.find"),
    (focus(VIEW | {"domain": "dora", "pins": ["\ud800"]}), "inputs.0.value.pins.0"),
    (focus(VIEW | {"domain": "dora", "from": 10**30}), "inputs.0.value.from"),
    (focus(VIEW | {"domain": "dora", "from": float("nan")}), "inputs.0.value.from"),
    (focus(VIEW | {"domain": "dora", "from": float("inf")}), "inputs.0.value.from"),
    (focus(VIEW | {"domain": "\ud800"}), "inputs.0.value.domain"),
    (body(VIEW | {"path": "\udfff"}), "inputs.0.value.path"),
    (body(VIEW | {"path": "x" * 20_000}), "inputs.0.value.path"),
    (body(VIEW | {"links": {"within": "\ud800"}}), "inputs.0.value.links.within"),
    (body(VIEW | {"\ud800": 1}), None),
    (filtered("\ud800", "key"), "inputs.0.value.filterModel.key.filter"),
    (filtered("\x00", "key"), "inputs.0.value.filterModel.key.filter"),
    (filtered(10**30), "inputs.0.value.filterModel.changes.filter"),
    (filtered(2**63), "inputs.0.value.filterModel.changes.filter"),
    (filtered(-(2**63) - 1), "inputs.0.value.filterModel.changes.filter"),
    (rows(ROWS | {"endRow": 10**30}), "inputs.0.value.endRow"),
    (rows(ROWS | {"sortModel": [{"colId": "\ud800", "sort": "asc"}]}), None),
    ([body(VIEW | {"find": "\ud800"})], None),
    (body() | {"output": "\ud800"}, "output"),
    (body() | {"changedPropIds": ["\x00"]}, "changedPropIds.0"),
)


@pytest.mark.parametrize(("sent", "field"), CALLBACKS)
def test_a_callback_body_that_is_no_text_is_refused_by_name(alice, sent, field):
    data = json.dumps(sent)
    refused(
        alice.post(UPDATE, data=data, content_type="application/json", headers=csrf(alice)), field
    )


RAW_JSON = (
    b'{"period": "\xed\xa0\x80"}',
    b'{"period": "\xff"}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"period": ' + DIGITS.encode() + b"}",
    b'{"period": -' + DIGITS.encode() + b"}",
    b'{"period": 1' + b"0" * 400 + b".5}",
    b'{"period": 1e99999}',
    b'{"period": NaN}',
    b'{"period": -Infinity}',
    b'{"period": "7", "period": "28"}',
    b'{"a": ' * 9000,
    b"[" * 60_000,
    b"[" * 900 + b"]" * 900,
    b'{"period": "7"',
    b'{"period": 7} x',
    b"{period: 7}",
    b"",
    b"null",
    b"true",
    b'"28"',
    b"28",
    b"[]",
    b"\x00",
)


@pytest.mark.parametrize("data", RAW_JSON, ids=range(len(RAW_JSON)))
@pytest.mark.parametrize("path", ["/exports", UPDATE])
def test_json_that_is_none_is_refused(alice, path, data):
    refused(alice.post(path, data=data, content_type="application/json", headers=csrf(alice)))


@pytest.mark.parametrize("path", ["/login", MEMBERS, "/exports/schedule"])
def test_json_where_a_form_is_expected_is_no_error_of_ours(shared_web, alice, path):
    for client in (shared_web.browser(), alice):
        for sent in ([1], "x", 7, None, {"email": ["x"], "password": {}, "action": 1}):
            answer = client.post(path, json=sent, headers=csrf(alice))
            assert answer.status_code < 500, sent


def test_a_number_filter_takes_plain_digits_alone(alice):
    for value in (
        "٢٨",
        "1_0",
        " 1 ",
        "0x1f",
        "1e-400",
        "--1",
        "1e999",
        "nan",
        "",
        [],
        {},
        None,
        True,
    ):
        answer = alice.post(UPDATE, json=filtered(value), headers=csrf(alice))
        assert answer.status_code in (200, 422), (value, answer.text)
    for value in ("٢٨", "1_0", "0x1f", "--1", "1e999", "nan", True):
        assert alice.post(UPDATE, json=filtered(value), headers=csrf(alice)).status_code == 422, (
            value
        )


WRONG = (None, True, -1, 1.5, "x", "", [], {}, [[]], [{}], {"id": 1}, "x" * 9_000, 2**63 - 1, -0.0)


@pytest.mark.parametrize("make_body", [body, lambda v: focus({**VIEW, "domain": "dora", "from": v}),
                                       rows, lambda v: rows(ROWS, v),
                                       lambda v: rows(ROWS | {"filterModel": v}),
                                       lambda v: rows(ROWS | {"filterModel": {"key": v}}),
                                       lambda v: rows(ROWS | {"sortModel": v}),
                                       lambda v: rows(ROWS | {"startRow": v}),
                                       lambda v: filtered(v, "completed_at"),
                                       lambda v: focus({**VIEW, "domain": "dora", "pins": v}),
                                       lambda v: body({**VIEW, "links": v})])  # fmt: skip
def test_a_value_of_another_type_is_no_error_of_ours(alice, make_body):
    for value in WRONG:
        answer = alice.post(UPDATE, json=make_body(value), headers=csrf(alice))
        assert answer.status_code < 500, (value, answer.text)


def merged(**more):
    """A delivery that is right but for what is given."""
    return EVENT | {"deployment": EVENT["deployment"] | more}


def test_a_delivery_that_is_no_text_is_kept_and_lies_in_quarantine(shared_web):
    token = tokens.create(
        shared_web.world.database.job, "engineer@x.example", scope=senders.scope("alpha")
    )
    bearer = {"Authorization": f"Bearer {token}"}
    surrogate, nul = (json.dumps(merged(id=text)).encode() for text in ("\ud800", "\0"))
    for data in (
        surrogate,
        nul,
        b'{"deployment": {"id": ' + DIGITS.encode() + b"}}",
        b'[{"deployment": {"id": ' + DIGITS.encode() + b"}}]",
        b'{"a": 1}\n{"deployment": {"id": ' + DIGITS.encode() + b"}}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ):
        answer = shared_web.browser().post(INGEST, data=data, headers=bearer)
        assert answer.status_code == 202, (data[:40], answer.text)
        drain(shared_web.world.database)
        state = shared_web.browser().get(answer.json["href"], headers=bearer).json
        assert state["state"] == "quarantined", (data[:40], state)
        assert state["quarantine"][0]["reason"]


@pytest.mark.parametrize("data", [b"\xff\xfe", b"", b"hello"])
def test_what_is_no_document_is_refused(shared_web, data):
    token = tokens.create(
        shared_web.world.database.job, "engineer@x.example", scope=senders.scope("alpha")
    )
    bearer = {"Authorization": f"Bearer {token}"}
    assert shared_web.browser().post(INGEST, data=data, headers=bearer).status_code == 400
