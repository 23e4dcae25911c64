"""Figures of the chapter on signal and noise, as the benchmark has measured them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.drifts.report import judge_figures, mean

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results" / "signal.json"
Outcome = Mapping[str, Any]


def chapter_lines() -> list[str]:
    """Lines of docs/signal.md between its two comments."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    main = results["DEV"]
    return [
        *_table(results),
        *_detectors(main),
        *_scenarios(main),
        *(_whole(main["whole"]["found"]) if main.get("whole") else ()),
        *_chips(main),
    ]


def _table(results: Outcome) -> list[str]:
    lines = [
        "## Measured",
        "",
        "DEV is the public simulator's setting; WANDERING and BURSTY are harsher. Rules were chosen on"
        " seeds 1000-1019; false flags are of seeds 5000-5005, drifts of 2500-2519, thresholds from"
        " redrawn histories.",
        "",
        "| setting | figure | have | must | |",
        "|---|---|---|---|---|",
    ]
    for setting, outcome in results.items():
        for row in judge_figures(outcome):
            met = "met" if row.is_met else "**missed**"
            lines.append(f"| {setting} | {row.what} | {row.have} | {row.must} | {met} |")
    night = 1000 * results["DEV"]["night_seconds"]
    lines += ["", f"A night of 15,000 series with replay takes {night:.0f} ms without reading."]
    if results["DEV"].get("night"):
        lines.append(
            "A night on a database was measured on two cores that others used too, the snapshot"
        )
        lines.append("run of the same night beside it.")
    lines.append("")
    lines += [
        "| setting | nominal | mean | cfr | freq | inc | lead | mttr |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for setting, outcome in results.items():
        for budget, by_measure in outcome["false_own"].items():
            each = " | ".join(f"{value:.1f}" for value in by_measure.values())
            lines.append(f"| {setting} | {budget} | {mean(by_measure):.1f} | {each} |")
    lines += ["", "False flags in a thousand workspace-quarters, by measure.", ""]
    return [*lines, *_redrawn(results)]


def _redrawn(results: Outcome) -> list[str]:
    """How many flags the histories themselves have where the redrawn ones have what is permitted."""
    lines = [
        "| setting | cfr | freq | inc | lead | mttr |",
        "|---|---|---|---|---|---|",
    ]
    for setting, outcome in results.items():
        each = (f"{o['redrawn']:.1f} / {o['real']:.1f}" for o in outcome["redrawn"].values())
        lines.append(f"| {setting} | {' | '.join(each)} |")
    return [
        *lines,
        "",
        "Flags of redrawn histories / of the histories themselves (seeds 1000-1019) at the thresholds of"
        " nominal 5: redrawing cuts what lasts longer than its blocks, so that the histories have more or"
        " fewer than what was redrawn of them; what is permitted of the redrawn allows for that.",
        "",
    ]


def _detectors(outcome: Outcome) -> list[str]:
    lines = [
        "| detector | found in 14 / 28 / 56 days at nominal 1 | at nominal 5 | median delay |",
        "|---|---|---|---|",
    ]
    for name, one in {"**the watch**": outcome, **outcome["rivals"]}.items():
        shares = (" / ".join(f"{s:.1f}" for s in one["found"][b]) for b in ("1.0", "5.0"))
        lines.append(f"| {name} | {' | '.join(shares)} | {one['median']:.0f} d |")
    one, five = outcome["oracle"]["1.0"], outcome["oracle"]["5.0"]
    lines.append(
        f"| oracle, which knows all parameters | – / – / {one:.1f} | – / – / {five:.1f} | |"
    )
    return [
        *lines,
        "",
        "Percent of twenty drifts found, each detector calibrated to the same false flags on the same"
        " data.",
        "",
    ]


def _scenarios(outcome: Outcome) -> list[str]:
    lines = ["| drift | 14 days | 28 days | 56 days |", "|---|---|---|---|"]
    for scenario, shares in outcome["by_scenario"].items():
        lines.append(f"| {scenario} | {' | '.join(f'{s:.0f} %' for s in shares)} |")
    return [*lines, ""]


def _whole(by_drift: Outcome) -> list[str]:
    lines = [
        "| drift of ten workspaces at once, watched as their sum | 28 days | 56 days |",
        "|---|---|---|",
    ]
    for scenario, shares in by_drift.items():
        lines.append(f"| {scenario} | {' | '.join(f'{s:.0f} %' for s in shares)} |")
    return [*lines, ""]


def _chips(outcome: Outcome) -> list[str]:
    lines = [
        "| chip of a stable workspace | likely or worse | worse | 95 % interval holds |",
        "|---|---|---|---|",
    ]
    for key, one in outcome["chips"]["stable"].items():
        row = f"{one['likely']:.1f} % | {one['worse']:.2f} % | {one['covered']:.1f} %"
        lines.append(f"| {key} days | {row} |")
    lines += _few(outcome["chips"].get("few", {}))
    lines += [
        "",
        "| 28 days after an abrupt drift | likely or worse | worse | interval holds |",
        "|---|---|---|---|",
    ]
    for key, one in outcome["chips"]["drifted"].items():
        row = f"{one['likely']:.0f} % | {one['worse']:.0f} % | {one['covered']:.1f} %"
        lines.append(f"| {key} | {row} |")
    lines += ["", "| series of a stable workspace | points drawn outside |", "|---|---|"]
    lines += [f"| {key} days | {share:.2f} % |" for key, share in outcome["chips"]["red"].items()]
    return lines


def _few(few: Outcome) -> list[str]:
    if not few:
        return []
    lines = [
        "",
        "| chip of a stable workspace with fewer than five events | likely or worse | worse | of chips |",
        "|---|---|---|---|",
    ]
    for key, one in few.items():
        row = f"{one['likely']:.1f} % | {one['worse']:.2f} % | {one['chips']:,}"
        lines.append(f"| {key} | {row} |")
    return lines
