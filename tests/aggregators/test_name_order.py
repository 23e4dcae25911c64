"""Order of names in every list that people see."""

from __future__ import annotations

import random

import pytest

from aggregators.name_order import by_name, places

ORDERS = {
    "Polish": ["Kraków", "Łódź", "Łomża", "Lublin", "Lyra", "Mobile", "Search", "Żary", "Zoo"],
    "German": [
        "Angel",
        "Ängelholm",
        "Apfel",
        "Ostern",
        "Österreich",
        "Strasse",
        "Straße",
        "Zürich",
    ],
    "Swedish": ["Åre", "Ärla", "Arvika", "Öre", "Örebro", "Orust"],
    "Turkish": ["Çorum", "Iğdır", "Isparta", "İstanbul", "İzmir", "Şişli", "Sivas"],
    "CJK": ["Zoo", "上海", "北京", "大阪", "東京"],
    "scripts": ["Zoo", "Ελλάδα", "Москва", "ירושלים", "القاهرة", "กรุงเทพ", "東京"],
    "digits": ["Team", "Team 2", "Team 10", "Team 10b", "Team 100", "Team A"],
    "digits alone": ["2 fast", "10 downing", "Alpha"],
    "capitals": ["apple", "Apple", "banana", "Banana"],
}


@pytest.mark.parametrize("names", ORDERS.values(), ids=ORDERS)
def test_names_stand_as_people_look_for_them(names):
    shuffled = random.Random(7).sample(names, len(names))
    assert by_name(shuffled, str) == names


def test_equal_names_stay_as_they_came():
    things = [("b", 1), ("a", 1), ("b", 0), ("a", 0)]
    assert by_name(things, lambda thing: thing[0]) == [("a", 1), ("a", 0), ("b", 1), ("b", 0)]
    assert places(["b", "a", "b"]) == (1, 0, 1)


def test_nothing_and_the_longest_number_have_an_order():
    assert by_name([], str) == []
    long = ["Team " + "9" * 40, "Team 1" + "0" * 40]
    assert sorted(by_name(long, str)) == sorted(long)
    assert by_name(["", "a", " "], str)[0] == ""
