"""Heimdall's format: what was not looked at, overlays, ids over lines, and targets."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.formats import FORMATS
from ingest.reader import UnreadableFile
from tests.ingest.formats.telling import controls, rows


def control(
    name: str, impact: Any, *states: str, at: str = "2026-11-12T10:00:00Z"
) -> dict[str, Any]:
    results = [{"status": state, "start_time": at} for state in states]
    return {"id": name, "impact": impact, "results": results}


def report(*profiles: dict[str, Any], platform: Any = None) -> dict[str, Any]:
    return {"platform": platform or {}, "profiles": list(profiles), "version": "5"}


def profile(name: str, *controls: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "controls": list(controls), **more}


@pytest.mark.parametrize(
    ("impact", "states", "result"),
    [
        (0.7, ("passed",), "compliant"),
        (0.7, ("passed", "skipped"), "not_assessed"),
        (0.7, ("skipped", "failed"), "non_compliant"),
        (0.7, ("error",), "not_assessed"),
        (0.7, (), "not_assessed"),
        (0, ("failed",), "not_applicable"),
        (0.0, (), "not_applicable"),
        ("none", ("passed",), "not_applicable"),
        (None, ("Passed",), "compliant"),
    ],
)
def test_what_a_control_is(impact, states, result):
    body = report(profile("p", control("x", impact, *states), control("timed", 1, "passed")))
    assert controls(body, "hdf")["x", ""] == result


@pytest.mark.parametrize("impacts", [(0, 0.5), (0.5, 0)])
def test_a_control_that_is_listed_twice_has_the_impact_of_either(impacts):
    twice = [control("x", impact, "passed") for impact in impacts]
    assert controls(report(profile("p", *twice)), "hdf")["x", ""] == "compliant"


def test_an_untimed_control_takes_the_newest_instant_of_the_file():
    body = report(
        profile(
            "p",
            control("none", 1),
            control("old", 1, "passed", at="2026-11-01T00:00:00Z"),
            control("new", 1, "passed", at="2026-11-02T00:00:00+02:00"),
            control("year one", 1, "passed", at="0001-01-01T00:00:00Z"),
        )
    )
    warnings: list[str] = []
    found = {
        raw.cells["control"]: raw.cells["assessed_at"]
        for raw in rows("hdf", "control-results", body, warnings)
    }
    assert found == {
        "none": "2026-11-02T00:00:00+02:00",
        "old": "2026-11-01T00:00:00Z",
        "new": "2026-11-02T00:00:00+02:00",
        "year one": "2026-11-02T00:00:00+02:00",
    }
    (warning,) = warnings
    assert "year one" in warning


@pytest.mark.parametrize("link", ["parent", "depends", "both"])
@pytest.mark.parametrize("base_first", [True, False])
def test_an_overlay_says_the_impact_and_its_base_the_results(link, base_first):
    base = profile(
        "base", control("x", 0.7, "failed"), control("y", 0.7, "failed"), control("z", 1, "passed")
    )
    overlay = profile("house", control("x", 0), control("y", None))
    if link != "depends":
        base["parent_profile"] = "house"
    if link != "parent":
        overlay["depends"] = [{"name": "base"}]
    body = report(*((base, overlay) if base_first else (overlay, base)))
    assert controls(body, "hdf") == {
        ("x", ""): "not_applicable",
        ("y", ""): "non_compliant",
        ("z", ""): "compliant",
    }
    assert {raw.cells["framework"] for raw in rows("hdf", "control-results", body)} == {"house"}


def test_overlays_of_overlays_and_overlays_in_a_circle():
    body = report(
        profile("top", control("x", 0), depends=[{"name": "mid"}]),
        profile("mid", control("x", 0.5), depends=[{"name": "low"}]),
        profile("low", control("x", 0.5, "failed")),
    )
    assert controls(body, "hdf") == {("x", ""): "not_applicable"}
    circle = report(
        profile("a", control("x", 1, "failed"), parent_profile="b"),
        profile("b", control("x", 1, "passed"), parent_profile="a"),
        profile("c", control("x", 1, "passed"), parent_profile="c"),
    )
    assert "non_compliant" in {
        raw.cells["result"] for raw in rows("hdf", "control-results", circle)
    }


def test_ids_over_several_lines_are_folded_and_stay_apart():
    long = "V-" + "9" * 400
    body = report(
        profile(
            "p",
            control("1.1\n  (b)\t", 1, "passed"),
            control(long, 1, "passed"),
            control(long + "x", 1, "passed"),
        )
    )
    names = [name for name, _ in controls(body, "hdf")]
    assert names[0] == "1.1 (b)"
    assert len(set(names)) == 3
    assert all(len(name) <= 200 for name in names)


@pytest.mark.parametrize(
    ("platform", "asset"),
    [
        ({"name": "ubuntu", "release": "24.04", "target_id": "4f1c-host"}, "4f1c-host"),
        ({"name": "ubuntu", "release": "24.04"}, "ubuntu"),
        (
            {"name": "Heimdall Tools", "target_id": "registry.acme.test/shop"},
            "registry.acme.test/shop",
        ),
        ({"name": "Heimdall Tools", "release": "2.11"}, ""),
        (None, ""),
        ([], ""),
    ],
)
def test_the_asset_is_the_target(platform, asset):
    body = report(profile("p", control("x", 1, "passed")), platform=platform)
    assert list(controls(body, "hdf")) == [("x", asset)]


def test_other_reports_of_inspec_are_named():
    body = b'{"controls": [{"id": "x", "profile_id": "p", "status": "passed", "code_desc": "d"}]}'
    assert FORMATS["hdf"].sniff(body)
    with pytest.raises(UnreadableFile, match="--reporter json"):
        controls(body, "hdf")


@pytest.mark.parametrize("odd", [None, 7, "text", {"id": 1}, [7], [None]])
def test_odd_shapes_are_no_crash(odd):
    for body in (
        {"platform": odd, "profiles": [odd]},
        report(profile("p"), {"name": "q", "controls": odd, "depends": odd}),
        report(profile("p", {"id": "x", "impact": odd, "results": odd})),
    ):
        rows("hdf", "control-results", body)
