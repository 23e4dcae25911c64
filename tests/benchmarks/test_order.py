"""Worst first on organisations whose true rates are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.order import MUST, load_simulator, measure_orders, ndcg, seed_range


def simulate(seed, setting, need):
    """Failures as the public simulator draws them, without its calendar."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.uniform(np.log(setting["cfr"][0]), np.log(setting["cfr"][1]), 1000))
    daily = np.exp(rng.uniform(np.log(0.2), np.log(30), 1000))
    ended = rng.poisson(daily[:, None], (1000, 400))
    spread = 1 / 0.04 - 1
    failing = rng.beta(rate * spread, (1 - rate) * spread, (400, 1000)).T
    return {"cfr": {"x": rng.binomial(ended, failing), "n": ended}, "par": {"cfr": rate}}


def test_the_first_ten_of_a_thousand_are_the_worst():
    module = SimpleNamespace(simulate=simulate, DEV={"cfr": (0.02, 0.3)})
    scores = measure_orders(module, "DEV", range(2))
    assert scores[1000, "empirical Bayes"] >= MUST
    for size in (12, 100, 1000):
        shown, best = scores[size, "as shown"], scores[size, "empirical Bayes"]
        assert best > max(shown, scores[size, "ten events first"])


def test_the_best_order_has_all_of_the_gain():
    gain = np.array([0.1, 0.3, 0.2])
    assert ndcg(gain, gain) == pytest.approx(1)
    assert ndcg(-gain, gain) < 1


def test_a_simulator_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="--simulator"):
        load_simulator(tmp_path / "none.py")


def test_seeds_are_a_range():
    assert list(seed_range("3-5")) == [3, 4, 5]
    assert list(seed_range("7")) == [7]
