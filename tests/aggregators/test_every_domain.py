"""Rules for every domain, the ones to come included."""

import numpy as np
import pytest

from aggregators.catalogue import DOMAINS, domains
from aggregators.vocabulary.measure import Better, Nature, Status
from storage.snapshot.columns import HISTORY_COLUMNS, USAGE_COLUMNS
from storage.tables import metadata


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda d: d.key)
class TestEveryDomain:
    def test_its_facts_and_labels_are_columns_of_its_snapshot_table(self, domain):
        columns = metadata.tables[domain.table].c
        held = HISTORY_COLUMNS.get(domain.table, USAGE_COLUMNS)
        for fact, nature in domain.natures().items():
            if nature is Nature.DISTRIBUTION:
                assert fact in held.distributions
            else:
                assert (f"{fact}_total" if nature is Nature.FLOW else fact) in columns
        assert domain.labels() <= set(held.labels)
        if domain.by:
            assert domain.by in columns

    def test_every_measure_is_defined_in_words(self, domain):
        for measure in domain.measures:
            assert measure.definition.endswith("."), measure.key
            assert measure.title
        assert domain.measure(domain.headline).why

    def test_thresholds_stand_in_the_order_of_worse(self, domain):
        for measure in domain.measures:
            if measure.watch is not None and measure.bad is not None:
                assert measure.badness(measure.watch) < measure.badness(measure.bad), measure.key
                limits = np.array([measure.watch, measure.bad])
                assert measure.statuses(limits) == [Status.WATCH, Status.BAD]
            assert measure.statuses(np.array([np.nan])) == [Status.NO_DATA]

    def test_a_value_is_of_the_first_band_that_it_is_no_worse_than(self, domain):
        rng = np.random.default_rng(len(domain.key))
        for measure in domain.measures:
            limits = [band.limit for band in measure.bands]
            beside = [np.nextafter(limit, side) for limit in limits for side in (-np.inf, np.inf)]
            drawn = 10 ** rng.uniform(-4, 9, 50)
            values = np.array([*limits, *beside, *drawn, 0.0, np.inf, np.nan])
            named = measure.bands_of(values)
            sign = 1 if measure.better is Better.LOWER else -1
            for value, name in zip(values.tolist(), named, strict=True):
                holding = [b.name for b in measure.bands if sign * value <= sign * b.limit]
                assert name == (holding[0] if holding else None), (measure.key, value)

    def test_benchmark_bands_cover_every_value_and_name_their_edition(self, domain):
        for measure in domain.measures:
            for band in measure.bands:
                assert "2023" in band.name
                assert measure.band(band.limit) == band.name
            assert measure.band(None) is None

    def test_it_leads_to_a_page_of_the_workspace(self, domain):
        assert domain.page("payments").startswith("/ws/payments/")


def test_the_contract_of_keys():
    promised = ["dora", "incidents", "slos", "compliance", "certificates", "vendors"]
    assert [d.key for d in DOMAINS if d.key in promised] == promised
    keys = {d.key: {m.key for m in d.measures} for d in DOMAINS}
    assert {"deploy_frequency", "lead_time_for_changes", "change_failure_rate", "mttr"} <= keys[
        "dora"
    ]
    assert {"open", "mtta", "mttr", "postmortem_coverage"} <= keys["incidents"]
    assert {"objectives_in_budget", "fastest_burn", "budget_remaining"} <= keys["slos"]
    assert {"pass_rate", "coverage", "days_to_lapse"} <= keys["compliance"]
    assert {"within_7", "within_30", "within_90", "expired"} <= keys["certificates"]
    assert {"tier1_out_of_review", "tier1_in_review_rate"} <= keys["vendors"]


def test_an_installation_sets_its_own_thresholds():
    (vendors,) = domains(("vendors",), {"vendors.tier1_out_of_review": (2, 5)})
    measure = vendors.measure("tier1_out_of_review")
    assert measure.statuses(np.array([1.0, 2.0, 5.0])) == [Status.GOOD, Status.WATCH, Status.BAD]
