"""Lengths that a page's fields take are those that the server does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from wtforms.validators import Length

import mounting  # noqa: F401 - imports the module of every form
from auth.accounts import LONGEST_EMAIL, AccountError, checked_address
from web.forms import PageForm

FIELD = re.compile(r"<(?:input|textarea)\b[^>]*>")
OF_QUERIES = ("person", "q")
"""Fields that no form is behind."""
TEMPLATES = Path(__file__).parents[3] / "web/templates"


def fields() -> list[tuple[str, str, int]]:
    """Page, name and length of each field that a template writes itself."""
    return [
        (path.name, name[1], int(longest[1]))
        for path in sorted(TEMPLATES.rglob("*.html"))
        for field in FIELD.findall(path.read_text())
        if (name := re.search(r'name="(\w+)"', field))
        and name[1] not in OF_QUERIES
        and (longest := re.search(r'maxlength="(\d+)"', field))
    ]


def taken(name: str) -> set[int]:
    """Lengths that the forms take in fields of that name."""
    validators = [
        validator
        for form in PageForm.__subclasses__()
        if (unbound := getattr(form, name, None)) is not None
        for group in (*unbound.args, unbound.kwargs.get("validators", ()))
        if isinstance(group, (list, tuple))
        for validator in group
    ]
    return {validator.max for validator in validators if isinstance(validator, Length)}


@pytest.mark.parametrize(("page", "name", "longest"), fields())
def test_a_field_takes_as_much_as_the_form_behind_it(page, name, longest):
    assert longest in taken(name)


def test_an_address_that_nobody_could_sign_in_with_is_no_account_s():
    longest = f"{'a' * 64}@{'b' * 125}.{'c' * 63}"
    assert len(longest) == LONGEST_EMAIL
    assert checked_address(longest) == longest
    with pytest.raises(AccountError):
        checked_address(longest.replace("@", "@b"))
