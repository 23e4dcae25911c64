"""XCCDF and ARF results: whose they are, when they were so, and what is worst of several."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ingest.formats import FORMATS
from ingest.reader import UnreadableFile
from tests.ingest.formats.telling import controls, rows, told

XMLNS = 'xmlns="http://checklists.nist.gov/xccdf/1.2"'


def rule(name: str, *results: str, time: str = "2026-11-10T08:00:00Z") -> str:
    at = f' time="{time}"' if time else ""
    return "".join(
        f'<rule-result idref="xccdf_org.acme_rule_{name}"{at}><result>{result}</result></rule-result>'
        for result in results
    )


def scanned(inside: str, target: str = "db-1.acme.test", facts: str = "", **times: str) -> str:
    said = "".join(f' {name}-time="{at}"' for name, at in times.items())
    named = f"<target>{target}</target>" if target else ""
    return (
        f'<TestResult {XMLNS} id="xccdf_org.acme_testresult_n"{said}>'
        f'<benchmark id="xccdf_org.acme_benchmark_base"/>{named}{facts}{inside}</TestResult>'
    )


@pytest.mark.parametrize(
    ("results", "worst"),
    [
        (("pass", "fail", "pass"), "non_compliant"),
        (("pass", "notapplicable"), "compliant"),
        (("pass", "error"), "not_assessed"),
        (("fixed", "notselected"), "compliant"),
        (("notapplicable", "notselected"), "not_applicable"),
        (("unknown", "fail"), "non_compliant"),
    ],
)
def test_a_rule_of_several_checks_is_as_its_worst(results, worst):
    body = scanned(rule("a", *results)).encode()
    assert controls(body, "xccdf") == {("a", "db-1.acme.test"): worst}


def test_each_test_result_of_a_file_is_of_its_own_target():
    body = (
        "<report>"
        + scanned(rule("a", "fail"), "db-1")
        + scanned(rule("a", "pass"), "db-2")
        + "</report>"
    )
    assert controls(body.encode(), "xccdf") == {
        ("a", "db-1"): "non_compliant",
        ("a", "db-2"): "compliant",
    }


@pytest.mark.parametrize(
    ("zone", "hour"), [(UTC, 8), (ZoneInfo("Europe/Berlin"), 7), (ZoneInfo("America/Lima"), 13)]
)
@pytest.mark.parametrize(
    "time", ["2026-11-10T08:00:00", "2026-11-10 08:00:00.25", "2026-11-10T08:00"]
)
def test_a_time_without_offset_is_of_the_zone(zone, hour, time):
    (raw,) = rows(
        "xccdf", "control-results", scanned(rule("a", "pass", time=time)).encode(), zone=zone
    )
    assert datetime.fromisoformat(raw.cells["assessed_at"]).astimezone(UTC).hour == hour
    (raw,) = rows(
        "xccdf",
        "control-results",
        scanned(rule("a", "pass", time=f"{time}Z")).encode(),
        zone=zone,
    )
    assert datetime.fromisoformat(raw.cells["assessed_at"]).astimezone(UTC).hour == 8


def test_a_rule_without_a_time_was_assessed_at_the_end_or_the_start_or_with_the_newest_rule():
    def instant(**times: str) -> str:
        body = scanned(
            rule("a", "pass", time="") + rule("b", "pass", time="2026-11-09T01:00:00Z"), **times
        )
        return rows("xccdf", "control-results", body.encode())[0].cells["assessed_at"]

    assert instant(start="2026-11-10T08:00:00Z", end="2026-11-10T09:00:00Z").startswith(
        "2026-11-10T09"
    )
    assert instant(start="2026-11-10T08:00:00Z").startswith("2026-11-10T08")
    assert instant().startswith("2026-11-09T01")


FACTS = (
    '<target-facts><fact name="urn:xccdf:fact:asset:identifier:host_name">web-7</fact>'
    '<fact name="urn:xccdf:fact:asset:identifier:fqdn">web-7.acme.test</fact></target-facts>'
)


@pytest.mark.parametrize(
    ("target", "facts", "asset"),
    [
        ("web-1", FACTS, "web-1"),
        ("localhost", FACTS, "web-7.acme.test"),
        ("localhost.localdomain", FACTS, "web-7.acme.test"),
        ("", FACTS, "web-7.acme.test"),
        ("localhost", "<target-address>127.0.0.1</target-address>", "localhost"),
        ("localhost", "<target-address>10.2.0.9</target-address>", "10.2.0.9"),
        (
            "",
            "<target-address>::1</target-address><target-address>fd00::7</target-address>",
            "fd00::7",
        ),
        ("", "", ""),
        ("", "<target-address>127.0.0.1</target-address>", "127.0.0.1"),
        ("  two\n words ", "", "two words"),
    ],
)
def test_the_asset_is_what_tells_the_machine_from_others(target, facts, asset):
    body = scanned(rule("a", "pass"), target, facts).encode()
    assert controls(body, "xccdf") == {("a", asset): "compliant"}


ARF = (
    '<arf:asset-report-collection xmlns:arf="http://scap.nist.gov/schema/asset-reporting-format/1.1"'
    ' xmlns:ai="http://scap.nist.gov/schema/asset-identification/1.1"><arf:assets>'
    '<arf:asset id="asset0"><ai:computing-device><ai:hostname>cache-3</ai:hostname>'
    "</ai:computing-device></arf:asset></arf:assets><arf:reports><arf:report><arf:content>{}"
    "</arf:content></arf:report></arf:reports></arf:asset-report-collection>"
)


def test_a_target_of_an_arf_is_one_of_its_assets():
    inside = '<target-id-ref system="x" name="asset0" href=""/>' + rule("a", "fail")
    body = ARF.format(scanned(inside, "localhost")).encode()
    assert FORMATS["xccdf"].sniff(body[:300])
    assert controls(body, "xccdf") == {("a", "cache-3"): "non_compliant"}


def test_a_config_map_is_unwrapped():
    inside = scanned(rule("a", "pass")).replace("\n", " ")
    body = f"kind: ConfigMap\ndata:\n  results: |\n    {inside}\n".encode()
    assert controls(body, "xccdf") == {("a", "db-1.acme.test"): "compliant"}


@pytest.mark.parametrize(
    "body",
    [
        f'<Benchmark {XMLNS} id="b"><Rule id="r"/></Benchmark>',
        '<ds:data-stream-collection xmlns:ds="http://scap.nist.gov/schema/scap/source/1.2"/>',
    ],
)
def test_rules_without_results_are_named(body):
    with pytest.raises(UnreadableFile, match="holds no TestResult"):
        controls(body.encode(), "xccdf")


def test_the_framework_is_the_profile_else_the_benchmark_else_as_mapped():
    plain = scanned(rule("a", "pass")).encode()
    profiled = scanned(
        '<profile idref="xccdf_org.acme_profile_strict"/>' + rule("a", "pass")
    ).encode()
    names = [
        rows("xccdf", "control-results", body, columns=columns)[0].cells["framework"]
        for body, columns in ((plain, {}), (profiled, {}), (profiled, {"framework": "House rules"}))
    ]
    assert names == ["base", "strict", "House rules"]


def test_results_are_events_at_their_instants():
    (each,) = told("xccdf", "control-results", scanned(rule("a", "pass")).encode())
    assert each.statement.at == datetime(2026, 11, 10, 8, tzinfo=UTC)
    assert each.statement.manner == 0
