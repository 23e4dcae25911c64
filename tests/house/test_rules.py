"""The whole project keeps the house rules, but for a list of older breaks that only shrinks."""

from __future__ import annotations

import pytest

from tests.house import debts
from tests.house.rules import RULES, Module, full_folders, upward_imports


@pytest.fixture(scope="module")
def breaks() -> debts.Breaks:
    return debts.actual()


@pytest.mark.parametrize("rule", RULES)
def test_no_module_breaks_the_rule(breaks, rule):
    new = breaks[rule] - debts.allowed()[rule]
    assert not new, f"{RULES[rule].__doc__}\n" + "\n".join(sorted(new))


@pytest.mark.parametrize("rule", RULES)
def test_a_mended_break_is_struck_from_the_list(breaks, rule):
    mended = debts.allowed()[rule] - breaks[rule]
    assert not mended, "run `python -m tests.house.debts`\n" + "\n".join(sorted(mended))


BROKEN = {
    "dangling-docstrings": '"""That of the caller."""',
    "raised-names-of-nothing": '"""A page. Raises KeyError, or Gone."""',
    "riddles": "found = 1",
    "long-modules": "a = 1\n" * 401,
    "long-functions": "def f():\n" + "    a = 1\n" * 41,
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_sees_the_module_that_breaks_it(rule):
    assert list(RULES[rule]([Module("web/pages.py", BROKEN[rule])]))
    assert not list(RULES[rule]([Module("web/pages.py", '"""Pages."""')]))


@pytest.mark.parametrize(
    ("source", "breaks"),
    [
        ("from web.pages import _title", True),
        ("from web import pages\npages._title()", True),
        ("monkeypatch.setattr(pages, '_title', None)", True),
        ("monkeypatch.setattr('web.pages._title', None)", True),
        ("row._mapping", False),
        ("self._title", False),
    ],
)
def test_private_names_are_seen_in_tests_alone(source, breaks):
    rule = RULES["private-names-in-tests"]
    assert bool(list(rule([Module("tests/web/test_pages.py", source)]))) == breaks
    assert not list(rule([Module("web/pages.py", source)]))


def test_class_names_are_seen_across_modules():
    page = Module("web/pages.py", "class Page: ...")
    rule = RULES["classes-of-one-name"]
    assert not list(rule([page]))
    assert len(list(rule([page, Module("api/pages.py", "def f():\n  class Page: ...")]))) == 2


@pytest.mark.parametrize(
    ("path", "imported", "breaks"),
    [
        ("settings.py", "web.pages", True),
        ("settings.py", "app", True),
        ("web/pages.py", "app", True),
        ("web/pages.py", "tests.world", True),
        ("web/pages.py", "settings", False),
        ("web/pages.py", "mounting", True),
        ("mounting.py", "app", True),
        ("addresses.py", "settings", True),
        ("app.py", "web.pages", False),
        ("benchmarks/pages.py", "app", False),
        ("tests/web/test_pages.py", "app", False),
    ],
)
def test_imports_run_down(path, imported, breaks):
    house = [Module(path, f"import {imported}"), Module("web/__init__.py", "")]
    assert bool(list(upward_imports(house))) == breaks


def test_folders_of_one_shape_may_be_full():
    many = [f"m{n}.py" for n in range(13)]
    assert list(full_folders([Module(f"web/{name}", "") for name in many])) == ["web"]
    assert not list(full_folders([Module(f"ingest/formats/{name}", "") for name in many]))
