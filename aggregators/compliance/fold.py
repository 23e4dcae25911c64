"""Fold of control results: what was said of one control of one asset at one instant. The worst is right."""

from __future__ import annotations

from aggregators.records.statements import (
    Fold,
    Note,
    Tellings,
    Value,
    Words,
    greatest_value,
    impossible_instant,
    smallest_value,
    worst_of,
)

WORST_FIRST = ("non_compliant", "partial", "not_assessed", "compliant", "not_applicable")
"""Results, the gravest first: of several of one instant or scan, and over the assets, it counts."""


def _finish(record: dict[str, Value], _told: Tellings, _words: Words) -> list[Note]:
    assessed, until = record.get("assessed_at"), record.get("valid_until")
    if record.get("result") != "compliant":
        record["valid_until"] = None
    elif until is not None and assessed is not None and until < assessed:  # type: ignore[operator]
        record["valid_until"] = None
        return [impossible_instant("valid_until", until, "assessed_at", assessed)]
    return []


RETIREMENT = Fold(choices={"retired_at": greatest_value}, needs=("retired_at",))

SET_UP = Fold(choices={"set_up_at": smallest_value}, needs=("set_up_at",))

RESULT = Fold(
    choices={"result": worst_of(WORST_FIRST), "valid_until": smallest_value},
    needs=("result",),
    finish=_finish,
)
