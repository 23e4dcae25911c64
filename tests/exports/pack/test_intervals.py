"""Interval around a figure: Wilson's of a sampled ratio, none of what is counted completely."""

from __future__ import annotations

import pytest

from aggregators.catalogue import DOMAINS
from aggregators.dora.answer import wilson
from exports.pack.places.intervals import interval
from tests import samples

BY_KEY = {domain.key: domain for domain in DOMAINS}
RATE = BY_KEY["dora"].measure("change_failure_rate")


@pytest.mark.parametrize(("failed", "ended"), [(0, 2), (1, 20), (25, 79), (79, 79)])
def test_a_ratio_has_the_interval_that_the_answer_tells(failed, ended):
    figure = samples.figure(RATE, failed / ended, numerator=failed, denominator=ended, n=ended)
    assert interval(figure) == pytest.approx(wilson(failed, ended))


def test_what_is_counted_completely_has_none():
    for domain, key in (("slos", "objectives_in_budget"), ("incidents", "open")):
        measure = BY_KEY[domain].measure(key)
        assert interval(samples.figure(measure, 0.5, numerator=5, denominator=10, n=10)) is None


def test_no_data_has_none():
    assert interval(samples.figure(RATE)) is None
    assert interval(samples.figure(RATE, 0.5, numerator=1)) is None


def test_a_rate_has_one_that_holds_it_and_shrinks_with_its_events():
    measure = BY_KEY["dora"].measure("deploy_frequency")
    few, many = (
        interval(samples.figure(measure, n / 28, tested=(n, 28.0, n, 28.0))) for n in (4.0, 400.0)
    )
    assert few is not None
    assert many is not None
    assert few[0] < 4 / 28 < few[1]
    assert (many[1] - many[0]) / (400 / 28) < (few[1] - few[0]) / (4 / 28)
