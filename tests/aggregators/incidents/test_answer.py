"""MTTR climbing three sprints, on organisations made for each answer."""

from datetime import timedelta

from aggregators.vocabulary.period import Ask, completed_sprints
from reading.dashboard import read
from tests.aggregators.asking import LAST, answer
from tests.world import World, at


def resolve(world: World, slug: str, minutes: tuple[float, ...], count: int = 3) -> None:
    sprints = completed_sprints(14, LAST, 4)
    rows = []
    for s, (sprint, mean) in enumerate(zip(sprints, minutes, strict=True)):
        for i in range(count):
            opened = at(sprint.start + timedelta(days=2 + i), 8)
            rows.append(
                {
                    "key": f"INC-{s}{i}",
                    "opened_at": opened,
                    "resolved_at": opened + timedelta(minutes=mean),
                }
            )
    world.add(world.ids[slug], "incident", rows)


def test_three_rises_in_a_row_are_found(world):
    resolve(world, "payments", (40, 50, 60, 70))
    resolve(world, "search", (40, 50, 49, 70))
    resolve(world, "mobile", (40, 41, 60, 70))
    found = answer(world, "mttr_climbing", LAST - timedelta(days=69))
    assert found.workspace == "payments"
    assert "40 min → 50 min → 1 h → 1 h 10 min" in found.sentence
    assert found.evidence["judged"] == 3


def test_a_rise_of_exactly_five_percent_counts(world):
    resolve(world, "payments", (100, 105, 110.25, 115.7625))
    assert answer(world, "mttr_climbing", LAST - timedelta(days=69)).workspace == "payments"


def test_two_resolved_in_a_sprint_are_too_few(world):
    resolve(world, "payments", (40, 50, 60, 70), count=2)
    found = answer(world, "mttr_climbing", LAST - timedelta(days=69))
    assert (found.found, found.evidence["judged"]) == (False, 0)


def test_it_reads_four_sprints_back_whatever_the_period(world):
    resolve(world, "payments", (40, 50, 60, 70))
    world.backfill(LAST - timedelta(days=69), LAST)
    for preset in (7, 28, 90, 365):
        found = read(world.database, world.alice, Ask(preset), world.settings).answers[3]
        assert found.workspace == "payments"


def test_a_period_of_the_past_reads_the_sprints_up_to_its_end(world):
    """Seen: a custom quarter quoted sprints of the next one."""
    resolve(world, "payments", (40, 50, 60, 70))
    world.backfill(LAST - timedelta(days=69), LAST)
    end = completed_sprints(14, LAST, 4)[2].end
    ask = Ask(None, end - timedelta(days=20), end + timedelta(days=3))
    found = read(world.database, world.alice, ask, world.settings).answers[3]
    assert not found.found
    assert found.sentence.startswith("No MTTR rose three sprints in a row (sprints ")
    assert f"{end.day} {end:%b} {end.year}; 0 workspaces" in found.sentence
