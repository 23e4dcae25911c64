"""Instants on the plain pages: each with the zone that it is told in."""

from __future__ import annotations

import re

import pytest

TIME = re.compile(r"\b\d\d:\d\d(?::\d\d)?\b(?!:| UTC)")
PAGES = (
    "/exports",
    "/account",
    "/platform/audit",
    "/platform/nights",
    "/platform/sources",
    "/platform/signals",
    "/ws/alpha/admin/members",
    "/ws/alpha/records",
)


@pytest.mark.parametrize("path", PAGES)
def test_the_zone_stands_beside_every_instant(alice, path):
    page = alice.get(path)
    assert page.status_code == 200
    text = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]+>", " ", page.text, flags=re.DOTALL)
    assert [text[at.start() - 20 : at.end() + 8] for at in TIME.finditer(text)] == []


def test_there_are_instants_to_look_at(alice):
    assert " UTC" in alice.get("/account").text
    assert " UTC" in alice.get("/platform/audit").text
