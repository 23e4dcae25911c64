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
