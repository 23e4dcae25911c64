"""Names of our own in the lists of records: shown and filtered as words."""

from __future__ import annotations

from aggregators import catalogue
from aggregators.vocabulary.listing import shown
from reading import grid_request

DELIVERY = catalogue.domain("dora").records
CONTROLS = catalogue.domain("compliance").records


def test_an_outcome_is_shown_and_found_in_words():
    assert shown("rolled_back", DELIVERY.column("outcome").type) == "rolled back"
    typed = {"outcome": {"type": "contains", "filter": "rolled back"}}
    (condition,) = grid_request.conditions(DELIVERY, typed)
    assert condition.value == "rolled_back"


def test_text_of_others_stays_as_it_is_written():
    assert shown("a_b", DELIVERY.column("service").type) == "a_b"
    (condition,) = grid_request.conditions(
        DELIVERY, {"service": {"type": "contains", "filter": "a b"}}
    )
    assert condition.value == "a b"


def test_what_a_link_narrows_is_told_in_words():
    links = {"framework": "OUR_OWN", "result": "non_compliant"}
    told = CONTROLS.narrowing(links)
    assert "OUR_OWN" in told
    assert "non compliant" in told
    assert "non_compliant" not in told
