"""The world of records that the aggregators' tests ask about."""

from tests.aggregators.conftest import world as world
