"""CSV as spreadsheets and older programs write it: read, or refused with what to do."""

from __future__ import annotations

import pytest

DAY = "stock,2026-11-02,990,1000\n"
READ = {
    "as declared": "key,day,good,total\n" + DAY,
    "byte order mark": "\ufeffkey,day,good,total\n" + DAY,
    "line ends of Windows": "key,day,good,total\r\n" + DAY.replace("\n", "\r\n"),
    "capitals and spaces": " Key , DAY,Good,Total \n" + DAY,
    "quotes": '"key","day","good","total"\n"stock","2026-11-02","990","1000"\n',
    "a space within a name": "key,day,good,total,burn 1h max\n" + DAY.replace("\n", ",1.5\n"),
    "a hyphen within a name": "key,day,good,total,Burn-1h-max\n" + DAY.replace("\n", ",1.5\n"),
}


@pytest.mark.parametrize("name", READ)
def test_one_day_however_the_table_is_written(name, bring, stored):
    outcome = bring("slo-days", READ[name], workspace="payments")
    assert (outcome.written, outcome.failed, outcome.warnings[1:]) == (1, False, [])
    (row,) = stored("slo-days")
    assert (row["key"], row["good"], row["total"]) == ("stock", 990, 1000)
    assert row["burn_1h_max"] == (1.5 if "within" in name else None)


REFUSED = [
    ("key;day;good;total\n" + DAY, "the delimiter is ;"),
    ("key\tday\tgood\ttotal\n" + DAY, "the delimiter is a tab"),
    ("key,day,good,total\n".encode("utf-16"), "is UTF-16, not UTF-8"),
    ("key,day,good,total,Total\n" + DAY, "names a column twice: 'total'"),
    ("burn 1h max,burn_1h_max,key,day,good,total\n", "names a column twice: 'burn_1h_max'"),
    ("", "is empty"),
    ("key,day,good,total\n", "holds no slo-days"),
    ("key,day,good\n" + DAY, "lacks the required column total"),
]


@pytest.mark.parametrize(("content", "reason"), REFUSED)
def test_a_table_that_can_not_be_read_says_why(content, reason, bring):
    outcome = bring("slo-days", content, workspace="payments", form="csv")
    assert reason in str(outcome.problem)
    assert outcome.failed


@pytest.mark.parametrize("amount", ["1,000", "1 000", "1'000", "1,5", "1.000.000", "1\u00a0000"])
def test_numbers_with_marks_between_thousands_are_refused_with_how_to_write_them(amount, bring):
    content = f'key,day,good,total\nstock,2026-11-02,1,"{amount}"\n'
    (reject,) = bring("slo-days", content, workspace="payments").rejects
    assert (reject.line, reject.column) == (2, "total")
    assert "with a point for decimals and nothing between thousands" in reject.reason


def test_a_name_on_two_lines_is_one_name(bring, stored):
    content = 'key,name,tier\nV1,"North\nWest Parcels",1\nV2,South,2\n'
    assert bring("vendors", content, workspace="payments").written == 2
    assert [row["name"] for row in stored("vendors")] == ["North West Parcels", "South"]


@pytest.mark.parametrize("window", ["week", "month", "quarter", "year", "Month"])
def test_a_window_may_follow_the_calendar(window, bring, stored):
    content = f"key,target_percent,window\nstock,99.5,{window}\n"
    bring("slos", content, workspace="payments")
    assert stored("slos")[0]["calendar"] == window.lower()


@pytest.mark.parametrize("window", ["days", ""])
def test_or_roll(window, bring, stored):
    content = f"key,target_percent,window,window_days\nstock,99.5,{window},14\n"
    bring("slos", content, workspace="payments")
    assert (stored("slos")[0]["calendar"], stored("slos")[0]["window_days"]) == (None, 14)


def test_a_window_of_another_name_is_refused_with_those_that_are_taken(bring):
    content = "key,target_percent,window\nstock,99.5,fortnight\n"
    (reject,) = bring("slos", content, workspace="payments").rejects
    assert "takes one of days, week, month, quarter, year" in reject.reason
