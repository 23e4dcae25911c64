"""OpenSLO as people and its SDK write it: lists, v1alpha, calendar windows, several objectives."""

from __future__ import annotations

import json

import pytest

from tests.ingest.formats.telling import records, rows, told


def slo(
    name: str = "stock", window: str = "[{duration: 28d, isRolling: true}]", more: str = ""
) -> str:
    return (
        f"apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\n"
        f"spec:\n  timeWindow: {window}\n  objectives:\n    - target: 0.995\n{more}"
    )


def objectives(text: str | bytes, warnings: list[str] | None = None) -> dict[str, dict]:
    body = text if isinstance(text, bytes) else text.encode()
    rows("openslo", "slos", body, warnings)
    return records("slos", told("openslo", "slos", body))


def as_list(*documents: str) -> str:
    return "".join("- " + document.strip().replace("\n", "\n  ") + "\n" for document in documents)


DOCUMENT = {
    "apiVersion": "openslo/v1",
    "kind": "SLO",
    "metadata": {"name": "stock"},
    "spec": {
        "timeWindow": [{"duration": "28d", "isRolling": True}],
        "objectives": [{"target": 0.995}],
    },
}
SPELLED = {
    "one document": (slo(), {"stock"}),
    "one after another": (slo() + "---\n" + slo("parcels"), {"stock", "parcels"}),
    "a sequence": (as_list(slo(), slo("parcels")), {"stock", "parcels"}),
    "sequences one after another": (
        as_list(slo()) + "---\n" + as_list(slo("parcels")),
        {"stock", "parcels"},
    ),
    "json": (json.dumps(DOCUMENT), {"stock"}),
    "a json array": (
        json.dumps([DOCUMENT, {**DOCUMENT, "metadata": {"name": "b"}}]),
        {"stock", "b"},
    ),
    "a list of kind List": (json.dumps({"kind": "List", "items": [DOCUMENT]}), {"stock"}),
    "among services": (
        as_list("apiVersion: openslo/v1\nkind: Service\nmetadata: {name: shop}\n", slo()),
        {"stock"},
    ),
}


@pytest.mark.parametrize("name", SPELLED)
def test_objectives_are_found_however_the_file_lists_them(name):
    text, keys = SPELLED[name]
    made = objectives(text)
    assert set(made) == keys
    assert all((o["target_percent"], o["window_days"]) == (99.5, 28) for o in made.values())


def test_what_is_left_out_is_named_by_its_place():
    warnings: list[str] = []
    objectives(as_list("kind: Service\nmetadata: {name: shop}\n", slo()), warnings)
    assert warnings == ["left out line 1: of kind 'Service'"]


WINDOWS = [
    # what is written, days, calendar
    ("[{duration: 4w, isRolling: true}]", 28, None),
    ("[{duration: 4w}]", 28, None),
    ("[{duration: 36h, isRolling: true}]", 2, None),
    ("[{duration: 1M, isRolling: true}]", 30, None),
    ("[{duration: 1w, isRolling: false}]", None, "week"),
    ("[{duration: 7d, isRolling: false}]", None, "week"),
    ("[{duration: 1M, isRolling: false}]", None, "month"),
    ("[{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}}]", None, "month"),
    ("[{duration: 1Q, isRolling: false}]", None, "quarter"),
    ("[{duration: 3M, isRolling: false}]", None, "quarter"),
    ("[{duration: 1Y, isRolling: false}]", None, "year"),
    ("[{duration: 2w, isRolling: false}]", 14, None),
]


@pytest.mark.parametrize(("window", "days", "calendar"), WINDOWS)
def test_windows_roll_or_follow_the_calendar(window, days, calendar):
    warnings: list[str] = []
    made = objectives(slo(window=window), warnings)["stock"]
    assert (made.get("window_days"), made["calendar"]) == (days, calendar)
    assert len(warnings) == ("2w" in window or "36h" in window or "calendar:" in window)


def test_a_zone_of_its_own_is_told():
    warnings: list[str] = []
    window = "[{duration: 1w, calendar: {startTime: 2026-01-01 12:00:00, timeZone: Asia/Tokyo}}]"
    objectives(slo(window=window), warnings)
    assert warnings == [
        "stock: its window begins on Monday in the zone where figures are reported; startTime and timeZone"
        " are left out"
    ]


@pytest.mark.parametrize("window", ["[{duration: 3m, isRolling: false}]", "[{duration: 3m}]"])
def test_a_minute_is_refused_with_what_a_month_is(bring, window):
    outcome = bring("slos", slo(window=window), "slo.yaml", workspace="payments")
    (reject,) = outcome.rejects
    assert reject.column == "spec.timeWindow.0"
    assert "is 3m: m is a minute by the standard; a month is M, as in 3M" in reject.reason


def test_v1alpha_tells_its_window_in_words():
    text = (
        "apiVersion: openslo/v1alpha\nkind: SLO\nmetadata: {name: stock, displayName: In stock}\n"
        "spec:\n  timeWindows: [{count: 2, unit: Week, isRolling: true}]\n"
        "  objectives: [{target: 0.98, displayName: quick}]\n"
    )
    (made,) = objectives(text).values()
    assert (made["name"], made["target_percent"], made["window_days"]) == ("In stock", 98.0, 14)
    monthly = text.replace(
        "{count: 2, unit: Week, isRolling: true}", "{count: 1, unit: Month, isRolling: false}"
    )
    assert objectives(monthly)["stock"]["calendar"] == "month"


FURTHER = [
    ("    - {target: 0.9, displayName: Very slow}\n", {"stock", "stock-very-slow"}),
    ("    - {target: 0.9}\n", {"stock", "stock-2"}),
    ("    - {target: 0.9}\n    - {target: 0.8}\n", {"stock", "stock-2", "stock-3"}),
    (
        "    - {target: 0.9, displayName: slow}\n    - {target: 0.8, displayName: Slow}\n",
        {"stock", "stock-slow", "stock-slow-3"},
    ),
    (
        "    - {target: 0.9, displayName: Grüße}\n    - {target: 0.8, displayName: Größe}\n",
        {"stock", "stock-grüße", "stock-größe"},
    ),
    ("    - {target: 0.9, displayName: Größe}\n", {"stock", "stock-gr-e"}),
    ("    - {target: 0.9, displayName: 遅い}\n", {"stock", "stock-遅い"}),
]


@pytest.mark.parametrize(("more", "keys"), FURTHER)
def test_a_further_objective_renames_none(more, keys):
    alone, with_more = objectives(slo()), objectives(slo(more=more))
    assert set(with_more) == keys
    assert with_more["stock"] == alone["stock"]
    assert len({o["name"] for o in with_more.values()}) == len(keys)


def test_further_objectives_keep_their_names_in_any_order_and_number():
    slow, fast = (
        f"    - {{target: {t}, displayName: {n}}}\n" for t, n in ((0.8, "遅い"), (0.9, "速い"))
    )
    both = objectives(slo(more=slow + fast))
    assert objectives(slo(more=fast + slow)) == both
    assert objectives(slo(more=slow)).items() <= both.items()


def test_a_file_that_tells_no_window_leaves_it(bring, stored):
    bring("slos", "key,target_percent,window\nstock,99.5,quarter\n", workspace="payments")
    text = slo().replace("  timeWindow: [{duration: 28d, isRolling: true}]\n", "")
    assert bring("slos", text, "slo.yaml", workspace="payments").written == 1
    (row,) = stored("slos")
    assert row["calendar"] == "quarter"


def test_a_calendar_and_back(bring, stored):
    bring(
        "slos", slo(window="[{duration: 1M, isRolling: false}]"), "slo.yaml", workspace="payments"
    )
    assert stored("slos")[0]["calendar"] == "month"
    bring("slos", slo(), "slo.yaml", workspace="payments")
    assert (stored("slos")[0]["calendar"], stored("slos")[0]["window_days"]) == (None, 28)


@pytest.mark.parametrize(
    ("duration", "calendar"), [("1y", "year"), ("1q", "quarter"), ("1Y", "year")]
)
def test_a_year_and_a_quarter_are_read_in_either_case(duration, calendar):
    window = f"[{{duration: {duration}, isRolling: false}}]"
    assert objectives(slo(window=window))["stock"]["calendar"] == calendar


def test_no_days_are_no_window():
    (raw,) = rows("openslo", "slos", slo(window="[{duration: 0d, isRolling: true}]").encode())
    assert raw.cells["window_days"] == "0d"
