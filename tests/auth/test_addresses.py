"""Mail addresses: what an account may have as one is taken out of every log."""

from __future__ import annotations

import pytest

from addresses import without_people
from auth.accounts import checked_address

ODD = (
    "o'brien@x.example",
    "a&b=c@x.example",
    "ana@münchen.example",
    "ну@почта.example",
    "x_1+y@a-b.example",
)


@pytest.mark.parametrize("email", ODD)
@pytest.mark.parametrize("around", ["{} is refused", "to <{}>: no", "({}, 550)", "user:{}"])
def test_an_account_s_address_is_told_to_no_log(email, around):
    assert checked_address(email) == email
    assert without_people(around.format(email)) == around.format("(address)")


@pytest.mark.parametrize("word", ["a", "é", "a.b", "a@", "ab "])
def test_a_long_text_is_looked_through_once(word):
    """From each letter anew a megabyte would take hours: the bound of a test is the judge."""
    long = word * (2**20 // len(word))
    assert without_people(f"{long} of ana@x.example, {long}").count("ana") == 0


def test_what_stands_around_an_address_stays():
    assert (
        without_people("@ana a@ @b ana@x.example@ b@y.example") == "@ana a@ @b (address)@ (address)"
    )
