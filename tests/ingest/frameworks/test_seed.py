"""A framework that is set up stands as not assessed until a result lands on its control."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aggregators.vocabulary.period import Ask
from ingest.desk import meanings
from ingest.frameworks.seed import FRAMEWORKS, controls, frameworks, seed
from reading.dashboard import read
from tests.aggregators.asking import LAST
from tests.world import World, at


@pytest.mark.parametrize(("framework", "count"), zip(FRAMEWORKS, (61, 93, 49), strict=True))
def test_each_has_its_controls_with_short_titles(framework, count):
    titles = controls(framework)
    assert len(titles) == count
    assert all(0 < len(title) <= 60 for title in titles.values())


def figures(world: World) -> tuple[object, object]:
    """Numerator and denominator of the pass rate, and of the coverage, on the last day."""
    world.backfill(LAST, LAST)
    scorecard = read(world.database, world.alice, Ask(7), world.settings).scorecard("compliance")
    return tuple(
        ((evidence := scorecard.figures[key].by["SOC2"].evidence).numerator, evidence.denominator)
        for key in ("pass_rate", "coverage")
    )


def tell(world: World, result: str, days_ago: int, asset: str = "") -> None:
    told = {"framework": "SOC2", "control": "CC6.1", "asset": asset, "result": result}
    told["assessed_at"] = at(LAST - timedelta(days=days_ago), 1)
    world.add(world.ids["payments"], "control_result", [told])


def test_it_begins_at_nought_of_n_and_results_land_on_their_control(world):
    payments = (world.ids["payments"], "payments")
    assert seed(world.database, payments, "SOC2", at(LAST, 2), "x") == 61
    assert figures(world) == ((0, 61), (0, 61))
    tell(world, "compliant", 9)
    assert figures(world) == ((1, 61), (1, 61))


def test_a_result_of_an_asset_lands_there_too(world):
    seed(world.database, (world.ids["payments"], "payments"), "SOC2", at(LAST, 2), "x")
    tell(world, "compliant", 9, asset="host-1")
    assert figures(world) == ((1, 61), (1, 61))


def test_setting_it_up_again_changes_no_result(world):
    payments = (world.ids["payments"], "payments")
    seed(world.database, payments, "SOC2", at(LAST, 2), "x")
    tell(world, "non_compliant", 0)
    assert seed(world.database, payments, "SOC2", at(LAST, 3), "x") == 0
    (told,) = frameworks(world.database, payments[0])
    assert (told.framework, told.set_up, told.told) == ("SOC2", 61, 1)
    assert figures(world) == ((0, 61), (1, 61))


def test_a_name_that_means_another_is_told_with_that_ones_controls(world):
    payments = (world.ids["payments"], "payments")
    seed(world.database, payments, "SOC2", at(LAST, 2), "x")
    meanings.change(world.database, payments, "framework", "SOC2", "SOC 2 Type II", "x")
    told = {each.framework: each for each in frameworks(world.database, payments[0])}
    assert sorted(told) == ["SOC 2 Type II", "SOC2"]
    assert (told["SOC2"].counts_as, told["SOC2"].set_up) == ("SOC 2 Type II", 61)
    assert (told["SOC 2 Type II"].counts_as, told["SOC 2 Type II"].set_up) == ("", 61)
    assert seed(world.database, payments, "SOC2", at(LAST, 3), "x") == 0


def test_a_framework_that_is_not_set_up_says_what_it_will_count_as(world):
    payments = (world.ids["payments"], "payments")
    meanings.change(world.database, payments, "framework", "HIPAA", "Health", "x")
    (told,) = frameworks(world.database, payments[0])
    assert (told.framework, told.counts_as, told.set_up) == ("HIPAA", "Health", 0)
    assert seed(world.database, payments, "HIPAA", at(LAST, 3), "x") == 49
    assert seed(world.database, payments, "HIPAA", at(LAST, 3), "x") == 0
