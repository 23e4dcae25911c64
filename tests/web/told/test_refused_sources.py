"""Sentences on what is wrong with a source: beside its field, with what was typed."""

from __future__ import annotations

import pytest

from tests.web.platform.test_sources import PATH, connect, github, post, web  # noqa: F401
from tests.web.told.beside import told_beside

WRONG = (
    ("setting-owner", "", "Organisation is required."),
    ("setting-address", "http://169.254.169.254", "link-local"),
    ("setting-changes", "perhaps", "takes one of"),
    ("secret", "wrong-wrong-wrong", "does not take the secret"),
    ("days", "4000", "History reaches back"),
    ("days", "many", "History takes a whole number."),
    ("minutes", "1", "at most, once a week at least."),
    ("rules", "nonsense", "Line 1 is not PATTERN = WORKSPACE."),
)


@pytest.mark.parametrize(("field", "value", "words"), WRONG)
def test_what_is_wrong_is_told_beside_its_field(web, github, field, value, words):  # noqa: F811
    workspace = "" if field == "rules" else "alpha"
    answer = connect(web.sign_in("alice"), github, workspace, **{field: value})
    assert answer.status_code == 422
    assert words in told_beside(answer.text, field)


def test_what_is_wrong_with_a_connected_source_is_told_beside_its_field(web, github):  # noqa: F811
    alice = web.sign_in("alice")
    connect(alice, github)
    page = post(alice, f"{PATH}/1", action="rules", rules="acme/* = alpha\nnonsense").text
    assert told_beside(page, "rules") == "Line 2 is not PATTERN = WORKSPACE."
    assert "acme/* = alpha\nnonsense</textarea>" in page
    told = {"setting-owner": "", "setting-address": "https://other.example"}
    page = post(alice, f"{PATH}/1", action="save", **told).text
    assert told_beside(page, "setting-owner") == "Organisation is required."
    assert 'value="https://other.example"' in page
    page = post(alice, f"{PATH}/1", action="secret", secret=" ").text
    assert told_beside(page, "secret") == "The secret is empty."
    page = post(alice, f"{PATH}/1", action="again").text
    assert told_beside(page, "from_day") == "Choose the day from which it is read again."
    assert "autofocus" not in alice.get(f"{PATH}/1").text
