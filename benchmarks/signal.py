"""How well the watch and the chips tell signal from noise, on simulated organisations.

``python benchmarks/signal.py [--simulator FILE --setting NAME --calibrate A-B --stable A-B --drift
A-B]``. The simulator is a file with the functions of ``shared/signal/sim.py``; the setting one of its
names, or WANDERING or BURSTY, which are harsher than its own. Thresholds are those of the placebo:
stable histories redrawn in blocks. ``--keep`` writes what docs/signal.md shows. ``--night`` measures a
night on a database of 1,000 workspaces too; ``--only`` measures some parts. Settings are tuned on seeds
1000-1019 alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

# This file is called as a module of the standard library is: its folder must not be looked into.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).parent.parent))

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from aggregators.signal.placebo import REDRAWN, own_threshold, placebo
from aggregators.signal.rules import LAG, SHIPPED
from aggregators.signal.watch import DailyEvidence, WatchState, advance_night, evidence_by_night
from benchmarks.drifts import bands, chips, night, oracle
from benchmarks.drifts.beginnings import measure_beginnings, measure_endings
from benchmarks.drifts.mixed import measure_mixed
from benchmarks.drifts.organisations import FALLS, KINDS, MEASURES, Simulator, each_scenario
from benchmarks.drifts.report import table_text
from benchmarks.drifts.rivals import RIVALS
from benchmarks.drifts.trial import (
    BUDGETS,
    WITHIN,
    Limits,
    Stable,
    direct_limits,
    false_flags,
    findings,
)
from benchmarks.drifts.whole import watch_whole_scopes

SIMULATOR = Path(__file__).parents[2] / "shared" / "signal" / "sim.py"
KEPT = Path(__file__).parent / "results" / "signal.json"
PLACEBO_ORGANISATIONS = 8
NIGHTS_SERIES = 15_000
ENDINGS = 2
"""Organisations whose drifts end."""
Json = dict[str, Any]


def own_limits(stable: Stable) -> Limits:
    """Thresholds from the organisations' own histories, redrawn."""
    limits: dict[float, dict[str, float]] = {budget: {} for budget in BUDGETS}
    for measure in MEASURES:
        evidence = [
            redrawn
            for seed, organisation in enumerate(stable[:PLACEBO_ORGANISATIONS])
            for redrawn in placebo(organisation[measure], seed, 2)
        ]
        for budget in BUDGETS:
            limits[budget][measure] = own_threshold(stable[0][measure], evidence, budget)
    return limits


def shipped_limits() -> Mapping[str, float]:
    """Thresholds of an installation without a history, of the first grade."""
    return {m: SHIPPED[KINDS[m], m in FALLS].watch for m in MEASURES}


def night_seconds() -> float:
    """Seconds of a night with the replay of 28, for 15,000 series, reading apart."""
    numbers = np.random.default_rng(1)
    shape = (NIGHTS_SERIES, 3 * LAG)
    n = numbers.poisson(5, shape).astype(float)
    x = numbers.binomial(n.astype(int), 0.1).astype(float)
    history = DailyEvidence(KINDS["cfr"], False, x, n, np.zeros(shape))
    state = WatchState.empty(NIGHTS_SERIES)
    for day in range(2 * LAG):
        state, _ = advance_night(state, history, day)
    begun = time.perf_counter()
    for day in range(2 * LAG, 3 * LAG):
        state, _ = advance_night(state, history, day)
    return time.perf_counter() - begun


def of_watch(simulator: Simulator, given: argparse.Namespace) -> tuple[Json, Stable, Stable]:
    """The watch's figures, and the organisations to calibrate on and to judge by."""
    calibrate = [simulator.stable(s) for s in given.calibrate]
    stable = [simulator.stable(s) for s in given.stable]
    limits = own_limits(calibrate)
    outcome = findings(evidence_by_night, each_scenario(simulator, given.drift), limits)
    begun = measure_beginnings(each_scenario(simulator, given.drift), limits[1.0])
    wholes = oracle.shares_found(simulator, given.calibrate, given.drift)
    people = measure_mixed(simulator, given.stable, limits[0.2])
    return (
        {
            "redrawn": redrawn(calibrate, limits[5.0], 5.0),
            "thresholds": {str(b): limits[b] for b in BUDGETS},
            "false_own": {
                str(b): false_flags(evidence_by_night, stable, limits[b]) for b in BUDGETS
            },
            "false_shipped": false_flags(evidence_by_night, stable, shipped_limits()),
            "found": {str(b): [outcome.share(b, d) for d in WITHIN] for b in BUDGETS},
            "median": outcome.median(1.0),
            "plain": [outcome.plain_share(28), outcome.plain_share(56), outcome.plain_median],
            "by_scenario": {
                " ".join(map(str, scenario)): [100 * float((n < d).mean()) for d in WITHIN]
                for scenario, n in outcome.by_scenario.items()
            },
            "oracle": {str(b): share for b, share in wholes.items()},
            "begun": begun._asdict(),
            "endings": measure_endings(simulator, given.drift[:ENDINGS])._asdict(),
            "whole": watch_whole_scopes(simulator, given.stable, given.drift)._asdict(),
            "mixed": people._asdict(),
        },
        calibrate,
        stable,
    )


def redrawn(calibrate: Stable, limits: Mapping[str, float], budget: float) -> Json:
    """Flags of redrawn histories at the thresholds of a budget, and of the histories themselves."""
    real = false_flags(evidence_by_night, calibrate, limits)
    allowed = {m: budget * REDRAWN[KINDS[m], m in FALLS] for m in MEASURES}
    return {m: {"redrawn": allowed[m], "real": real[m]} for m in MEASURES}


def of_rivals(simulator: Simulator, given: argparse.Namespace, calibrate: Stable) -> Json:
    """The rivals' figures on the same data, each calibrated to the same false flags."""
    flags_by_rival: Json = {}
    for name, rival in RIVALS.items():
        begun = time.perf_counter()
        limits = direct_limits(rival, calibrate[: given.rival_organisations])
        own = findings(rival, each_scenario(simulator, given.drift), limits)
        flags_by_rival[name] = {
            "found": {str(b): [own.share(b, d) for d in WITHIN] for b in BUDGETS},
            "median": own.median(1.0),
            "plain": [own.plain_share(28), own.plain_share(56), own.plain_median],
            "seconds": time.perf_counter() - begun,
        }
        print(f"  {name}: {flags_by_rival[name]['seconds']:.0f} s", flush=True)
    return flags_by_rival


def of_chips(simulator: Simulator, given: argparse.Namespace, stable: Stable) -> Json:
    """Chips: percent coloured of stable ones, power, coverage."""
    drifts = list(each_scenario(simulator, given.drift))
    return {
        "stable": {f"{m} {d}": c._asdict() for (m, d), c in chips.coloured_chips(stable).items()},
        "few": {m: c._asdict() for m, c in chips.coloured_of_few(stable).items()},
        "drifted": {f"{m} {f}": p._asdict() for (m, f), p in chips.power(drifts).items()},
        "red": {f"{m} {d}": share for (m, d), share in bands.red(stable).items()},
    }


def main() -> None:
    """Runs, prints, keeps."""
    given = _arguments()
    simulator = Simulator.of(given.simulator, given.setting)
    begun = time.perf_counter()
    if given.only:
        refresh_parts(simulator, given)
        return
    outcome, calibrate, stable = of_watch(simulator, given)
    outcome |= {"chips": of_chips(simulator, given, stable), "rivals": {}}
    if not given.no_rivals:
        outcome["rivals"] = of_rivals(simulator, given, calibrate)
    outcome |= {"setting": given.setting, "night_seconds": night_seconds()}
    outcome["seconds"] = time.perf_counter() - begun
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    before = kept.get(given.setting, {})
    outcome["night"] = (
        night.measure_night(given.data_dir)._asdict() if given.night else before.get("night")
    )
    print(table_text(outcome))
    if given.keep:
        if given.no_rivals:
            outcome["rivals"] = before.get("rivals", {})
        KEPT.write_text(
            json.dumps(kept | {given.setting: rounded_numbers(outcome)}, indent=1) + "\n"
        )


PARTS: Mapping[str, Callable[[Simulator, argparse.Namespace], Any]] = {
    "rivals": lambda simulator, given: of_rivals(
        simulator,
        given,
        [simulator.stable(s) for s in given.calibrate[: given.rival_organisations]],
    ),
    "endings": lambda simulator, given: measure_endings(simulator, given.drift[:ENDINGS])._asdict(),
    "night": lambda simulator, given: night.measure_night(given.data_dir)._asdict(),
}
"""Parts that can be measured by themselves."""


def refresh_parts(simulator: Simulator, given: argparse.Namespace) -> None:
    """Measures some parts anew beside what is kept of the others; prints them."""
    outcome = {name: PARTS[name](simulator, given) for name in given.only}
    print(json.dumps(rounded_numbers(outcome), indent=1))
    if given.keep:
        kept = json.loads(KEPT.read_text())
        kept[given.setting] |= rounded_numbers(outcome)
        KEPT.write_text(json.dumps(kept, indent=1) + "\n")


def rounded_numbers(value: Any) -> Any:
    """Numbers with as many digits as mean something."""
    if isinstance(value, dict):
        return {key: rounded_numbers(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded_numbers(v) for v in value]
    return round(value, 3) if isinstance(value, float) else value


def seeds(text: str) -> Sequence[int]:
    """Seeds of A-B, both included."""
    first, _, last = text.partition("-")
    try:
        return range(int(first), int(last or first) + 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no range of seeds as 1000-1019") from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulator", type=Path, default=SIMULATOR)
    parser.add_argument("--setting", default="DEV")
    parser.add_argument("--calibrate", type=seeds, default=seeds("1000-1019"))
    parser.add_argument("--stable", type=seeds, default=seeds("5000-5005"))
    parser.add_argument("--drift", type=seeds, default=seeds("2500-2519"))
    parser.add_argument("--rival-organisations", type=int, default=8, help="to calibrate rivals on")
    parser.add_argument("--no-rivals", action="store_true")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts, beside what is kept")
    parser.add_argument("--night", action="store_true", help="on a database of 1,000 workspaces")
    parser.add_argument("--data-dir", type=Path, help="keep the database there, and use it again")
    parser.add_argument("--keep", action="store_true", help="for docs/signal.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
