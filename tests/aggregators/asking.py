"""Answers of the executive page over a world of records."""

from datetime import date, timedelta

from aggregators.pooling.dashboard import Answer
from aggregators.vocabulary.period import Ask, Compare
from reading.dashboard import read
from tests.conftest import TODAY
from tests.world import World

LAST = TODAY - timedelta(days=1)


def answer(
    world: World, key: str, first: date = LAST, compare: Compare = Compare.PREVIOUS
) -> Answer:
    """Answer to one question, after snapshots from ``first`` on, where the figures compare with that."""
    world.backfill(first, LAST)
    ask = Ask(28, compare=compare)
    answers = read(world.database, world.alice, ask, world.settings).answers
    return next(a for a in answers if a.key == key)
