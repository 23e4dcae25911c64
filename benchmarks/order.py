"""How well worst first finds the worst: NDCG of the first ten, where the true rates are known.

``python benchmarks/order.py [--simulator FILE] [--setting NAME] [--seeds A-B]``. The simulator is a file
with the function ``simulate`` of ``shared/signal/sim.py``; the setting one of its names. Change failure
rates over 28 days, of organisations of 12, 100 and 1,000 workspaces; the gain of a workspace is its true
rate.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).parent.parent))

from aggregators.dora.answer import wilson
from aggregators.vocabulary.effects import Array
from aggregators.vocabulary.shrinkage import of_ratios

SIMULATOR = Path(__file__).parents[2] / "shared" / "signal" / "sim.py"
SIZES, DAYS, ENDS = (12, 100, 1000), 28, (258, 299, 340, 399)
FIRST, ENOUGH = 10, 10
MUST = 0.92


def order_as_shown(failed: Array, ended: Array) -> Array:
    """Rates as they are shown."""
    return failed / ended


def enough_first(failed: Array, ended: Array) -> Array:
    """Rates over ten deployments or more before those over fewer."""
    return failed / ended - 2.0 * (ended < ENOUGH)


def order_by_lower_end(failed: Array, ended: Array) -> Array:
    """Lower ends of the Wilson intervals."""
    return np.array([wilson(x, n)[0] for x, n in zip(failed, ended, strict=True)])


ORDERS: Mapping[str, Callable[[Array, Array], Array]] = {
    "as shown": order_as_shown,
    "ten events first": enough_first,
    "Wilson's lower end": order_by_lower_end,
    "empirical Bayes": of_ratios,
}


def ndcg(value: Array, gain: Array, first: int = FIRST) -> float:
    """Discounted gain of the first in the order of ``value``, over that of the best order."""
    weight = 1 / np.log2(np.arange(min(first, len(gain))) + 2)
    chosen, best = gain[np.argsort(-value, kind="stable")[:first]], np.sort(gain)[::-1][:first]
    return float(chosen @ weight / (best @ weight))


def organisations(
    module: ModuleType, setting: str, seeds: range
) -> Iterator[tuple[Array, Array, Array]]:
    """Failed and ended deployments, and the true rate, of those that deployed at all."""
    for seed in seeds:
        organisation = module.simulate(seed, getattr(module, setting), need=("cfr",))
        for end in ENDS:
            failed, ended = (
                organisation["cfr"][key][:, end - DAYS : end].sum(1).astype(float)
                for key in ("x", "n")
            )
            yield failed, ended, organisation["par"]["cfr"]


def measure_orders(module: ModuleType, setting: str, seeds: range) -> dict[tuple[int, str], float]:
    """Mean NDCG by size and order."""
    scores = defaultdict(list)
    for failed, ended, truth in organisations(module, setting, seeds):
        for size in SIZES:
            for start in range(0, len(truth) - size + 1, max(size, 100)):
                chosen = np.arange(start, start + size)
                chosen = chosen[ended[chosen] > 0]
                for name, order in ORDERS.items():
                    score = ndcg(order(failed[chosen], ended[chosen]), truth[chosen])
                    scores[size, name].append(score)
    return {key: float(np.mean(scores)) for key, scores in scores.items()}


def table(scores: Mapping[tuple[int, str], float]) -> Iterator[str]:
    """Lines of the table: a row an order, a column a number of workspaces."""
    yield f"{'NDCG of the first ten':<24}" + "".join(f"{size:>8,}" for size in SIZES)
    for name in ORDERS:
        yield f"{name:<24}" + "".join(f"{scores[size, name]:8.3f}" for size in SIZES)


def load_simulator(file: Path) -> ModuleType:
    """The simulator in a file. Raises FileNotFoundError."""
    spec = spec_from_file_location("simulator", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise FileNotFoundError(f"no simulator at {file}: --simulator names one")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seed_range(text: str) -> range:
    """ "5000-5005" as the seeds from one to the other, both included."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main() -> None:
    """Prints the table; fails where the first ten of a thousand are found worse than they must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulator", type=Path, default=SIMULATOR)
    parser.add_argument("--setting", default="DEV")
    parser.add_argument("--seeds", type=seed_range, default="5000-5005")
    given = parser.parse_args()
    if not given.simulator.is_file():
        parser.error(f"--simulator: no file {given.simulator}")
    scores = measure_orders(load_simulator(given.simulator), given.setting, given.seeds)
    print("\n".join(table(scores)))
    if scores[SIZES[-1], "empirical Bayes"] < MUST:
        sys.exit(f"\nbelow {MUST} at {SIZES[-1]:,} workspaces")


if __name__ == "__main__":
    main()
