"""The table of a run, as text and as rows of docs/signal.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Outcome = Mapping[str, Any]


class Judged(NamedTuple):
    """A figure beside what it must be."""

    what: str
    have: str
    must: str
    is_met: bool


def mean(values: Mapping[str, float]) -> float:
    """Mean over the measures."""
    return sum(values.values()) / len(values)


def judge_figures(outcome: Outcome) -> list[Judged]:
    """Figures with a bound, for one setting."""
    false, shares, plain = outcome["false_own"], outcome["found"], outcome["plain"]
    own, most = mean(false["1.0"]), 1.3 if outcome["setting"] == "DEV" else 2.0
    frequency, people = false["1.0"]["freq"], outcome["mixed"]
    one, five = shares["1.0"][2], shares["5.0"][2]
    rows = [
        Judged("false flags at nominal 1, own history", f"{own:.1f}", f"<= {most}", own <= most),
        Judged("of deploy frequency alone", f"{frequency:.1f}", "<= 3", frequency <= 3),
    ]
    if outcome.get("whole"):
        rows.append(_judged_whole(outcome["whole"]))
    if outcome["setting"] != "DEV":
        return [*rows, *_judged_chips(outcome["chips"])]
    return [
        *rows,
        Judged(
            "found in 56 days at nominal 1 / 5",
            f"{one:.1f} / {five:.1f} %",
            ">= 22 / 30 %",
            one >= 22 and five >= 30,
        ),
        Judged(
            "abrupt, bound <= 28 days: found in 28 / 56 days; median",
            f"{plain[0]:.0f} / {plain[1]:.0f} %; {plain[2]:.0f} d",
            ">= 60 / 88 %; <= 23 d",
            plain[0] >= 60 and plain[1] >= 88 and plain[2] <= 23,
        ),
        Judged(
            "first five by evidence really drift; false share at drifting",
            f"{people['first_five']:.0f} %; {people['false_share']:.0f} %",
            ">= 85 %; <= 20 %",
            people["first_five"] >= 85 and people["false_share"] <= 20,
        ),
        *_judged_truth(outcome),
        *_judged_night(outcome.get("night")),
        *_judged_chips(outcome["chips"]),
    ]


def _judged_whole(whole: Outcome) -> Judged:
    """False flags of sums over workspaces, which are watched at the second grade alone."""
    rate = 1000 * whole["false"] / whole["quarters"]
    return Judged(
        f"false flags of whole scopes at drifting, in {whole['quarters']:,.0f} scope-quarters",
        f"{whole['false']}",
        "<= 1 in 1,000",
        rate <= 1,
    )


def _judged_truth(outcome: Outcome) -> list[Judged]:
    """Beside what can be known: the share of the oracle, and when drifts truly began."""
    shares = [100 * outcome["found"][b][2] / outcome["oracle"][b] for b in ("1.0", "5.0")]
    rows = [
        Judged(
            "of what the oracle finds in 56 days at nominal 1 / 5",
            f"{shares[0]:.0f} / {shares[1]:.0f} %",
            ">= 90 %",
            min(shares) >= 90,
        )
    ]
    if begun := outcome.get("begun"):
        off, covered = begun["error"], begun["covered"]
        rows += [
            Judged(
                f"abrupt, bound <= 28 days: median error of since ({begun['drifts']:,} found)",
                f"{off:.0f} d",
                "<= 10 d",
                off <= 10,
            ),
            Judged(
                "of the same: true beginnings within give or take"
                f" ({begun['give_or_take']:.0f} days in the median)",
                f"{covered:.1f} %",
                ">= 90 %",
                covered >= 90,
            ),
        ]
    if over := outcome.get("endings"):
        rows.append(_judged_endings(over))
    return rows


def _judged_endings(over: Outcome) -> Judged:
    """Drifts that are over, and drifts that go on."""
    return Judged(
        f"drifts that end after 40 days ({over['ended']:,} flagged): over within 28 / 56 days; median; of"
        f" {over['going_on']:,} that go on called over within 56",
        f"{over['within_28']:.0f} / {over['within_56']:.0f} %; {over['median']:.0f} d;"
        f" {over['falsely']:.1f} %",
        "<= 56 d; <= 5 %",
        over["median"] <= 56 and over["falsely"] <= 5,
    )


def _judged_night(night: Outcome | None) -> list[Judged]:
    """The night's two bounds; none where it was not measured."""
    if not night:
        return []
    seconds, whole = night["seconds"], night["snapshot_seconds"]
    share = 100 * seconds / whole
    return [
        Judged(
            f"a night of {night['workspaces']:,} workspaces x {night['series']} series, reading included",
            f"{seconds:.2f} s; {share:.1f} % of {whole:.1f} s",
            "<= 1 s; <= 5 % of the snapshot run",
            seconds <= 1 and share <= 5,
        )
    ]


def _judged_chips(chips: Outcome) -> list[Judged]:
    """Chips, intervals and points of stable workspaces, each by the worst measure and period."""
    stable, points = chips["stable"], chips.get("red", {})
    likely, worst = (max(stable, key=lambda key: stable[key][name]) for name in ("likely", "worse"))
    off = max(stable, key=lambda key: abs(stable[key]["covered"] - 95))
    rows = [
        Judged(
            f"stable cards likely or worse ({likely} days); worse ({worst} days)",
            f"{stable[likely]['likely']:.2f} %; {stable[worst]['worse']:.2f} %",
            "<= 5 %; <= 1 %",
            stable[likely]["likely"] <= 5 and stable[worst]["worse"] <= 1,
        ),
        Judged(
            f"95 % intervals that hold, the farthest off ({off} days)",
            f"{stable[off]['covered']:.1f} %",
            "95 +- 1.5 %",
            abs(stable[off]["covered"] - 95) <= 1.5,
        ),
    ]
    if few := chips.get("few"):
        rows.append(_judged_few(few))
    if points:
        red = max(points, key=lambda key: points[key])
        label = f"points of stable workspaces drawn outside ({red} days)"
        rows.append(Judged(label, f"{points[red]:.2f} %", "<= 1 %", points[red] <= 1))
    return rows


def _judged_few(few: Outcome) -> Judged:
    """Cards with fewer than five events, by the worst measure."""
    likely, worst = (max(few, key=lambda key: few[key][name]) for name in ("likely", "worse"))
    number = sum(one["chips"] for one in few.values())
    return Judged(
        f"of {number:,} stable cards with n < 5: likely or worse ({likely}); worse ({worst})",
        f"{few[likely]['likely']:.2f} %; {few[worst]['worse']:.2f} %",
        "<= 5 %; <= 1 %",
        few[likely]["likely"] <= 5 and few[worst]["worse"] <= 1,
    )


def table_text(outcome: Outcome) -> str:
    """The whole table of one setting."""
    lines = [f"setting {outcome['setting']}, {outcome['seconds']:.0f} s", ""]
    lines += [
        f"{'ok  ' if r.is_met else 'MISS'} {r.what:62s} {r.have:>20s}  must {r.must}"
        for r in judge_figures(outcome)
    ]
    lines += ["", "false flags per 1,000 workspace-quarters (own history; shipped thresholds at 1)"]
    for budget, by_measure in outcome["false_own"].items():
        each = "  ".join(f"{m} {v:.1f}" for m, v in by_measure.items())
        lines.append(f"  nominal {budget:>4s}: mean {mean(by_measure):.1f}   {each}")
    each = "  ".join(f"{m} {v:.1f}" for m, v in outcome["false_shipped"].items())
    lines.append(f"  shipped    : mean {mean(outcome['false_shipped']):.1f}   {each}")
    limits = "  ".join(f"{m} {v:.1f}" for m, v in outcome["thresholds"]["1.0"].items())
    flags = "  ".join(
        f"{m} {one['redrawn']:.1f}/{one['real']:.1f}" for m, one in outcome["redrawn"].items()
    )
    lines += [f"  thresholds at 1: {limits}", f"  redrawn/real at 5: {flags}", ""]
    lines += [*_detectors(outcome), "", *_chips(outcome["chips"]), ""]
    lines.append(f"a night of 15,000 series with replay: {1000 * outcome['night_seconds']:.0f} ms")
    return "\n".join(lines)


def _detectors(outcome: Outcome) -> list[str]:
    lines = [
        "found in 14 / 28 / 56 days of twenty drifts     nominal 1            nominal 5   delay"
    ]
    every = {"the watch": outcome, **outcome["rivals"]}
    for name, one in every.items():
        at_one, at_five = (
            " / ".join(f"{share:4.1f}" for share in one["found"][budget])
            for budget in ("1.0", "5.0")
        )
        lines.append(f"  {name:36s} {at_one:>20s} {at_five:>20s}  {one['median']:4.0f} d")
    shares = [100 * outcome["found"][b][2] / outcome["oracle"][b] for b in ("1.0", "5.0")]
    wholes = [outcome["oracle"][b] for b in ("1.0", "5.0")]
    lines.append(
        f"  oracle, in 56 days: {wholes[0]:.1f} / {wholes[1]:.1f};"
        f" the watch has {shares[0]:.0f} / {shares[1]:.0f} % of it"
    )
    return lines


def _chips(outcome: Outcome) -> list[str]:
    lines = ["chips of stable workspaces: % likely or worse / worse; % of intervals that hold"]
    for key, one in outcome["stable"].items():
        row = f"{one['likely']:4.1f} / {one['worse']:4.2f}   {one['covered']:5.1f}"
        lines.append(f"  {key:10s} {row}")
    lines.append(
        "after abrupt drifts, 28 days: % likely or worse / worse; % of intervals that hold"
    )
    for key, one in outcome["drifted"].items():
        row = f"{one['likely']:4.0f} / {one['worse']:4.0f}   {one['covered']:5.1f}"
        lines.append(f"  {key:10s} {row}")
    return lines
