"""Files that are not ours are named, and what to take instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.formats import recognise_format
from ingest.kinds import KINDS
from ingest.reader import FormatInput, UnreadableFile


def chosen(body: bytes, kind: str = "control-results") -> str:
    return recognise_format(
        KINDS[kind], FormatInput(Path("f"), KINDS[kind], True, print, body)
    ).name


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'<?xml version="1.0"?><oval_results xmlns="o"/>', "OVAL results.*XCCDF"),
        (b'{"version": "2.1.0", "runs": [{"tool": {}}]}', "is SARIF"),
        (b'{"$schema": "https://x.test/sarif-schema-2.1.0.json"}', "is SARIF"),
        (b"<NessusClientData_v2/>", "Nessus"),
        (b"<CHECKLIST><ASSET/></CHECKLIST>", "STIG Viewer"),
        (b'{"bomFormat": "CycloneDX"}', "CycloneDX"),
        (b"<!DOCTYPE html><html/>", "web page"),
        (b"%PDF-1.7", "is a PDF"),
        (b'{"weather": "fine"}', "JSON of no format.*hdf, oscal, prowler"),
        (b"---\nweather: fine\n", "YAML of no format"),
        (b"weather:\n  today: fine\n", "YAML of no format"),
        (b"<weather/>", "XML of no format"),
        (b"\xef\xbb\xbf [1]", "JSON of no format"),
    ],
)
def test_a_file_of_another_kind_is_named(body, reason):
    with pytest.raises(UnreadableFile, match=reason):
        chosen(body)


@pytest.mark.parametrize(
    "body", [b"", b"framework,control\n", b"a:b,c\n1,2\n", b"one\n", b'"a","b"\n']
)
def test_what_may_be_csv_is_left_to_csv(body):
    assert chosen(body) == "csv"


def test_semicolons_are_named(bring):
    outcome = bring("vendors", "workspace;key;name;tier\npayments;v;Acme;1\n", "v.csv")
    assert "semicolons: the delimiter is ;" in outcome.problem


def test_instants_without_offset_in_csv_need_a_zone_that_was_given(bring, stored):
    from zoneinfo import ZoneInfo

    text = "framework,control,result,assessed_at\nF,c,compliant,2026-07-01 12:00\n"
    assert (
        bring("control-results", text, workspace="payments", zone=ZoneInfo("Asia/Tokyo")).rejected
        == 1
    )
    given = {"workspace": "payments", "zone": ZoneInfo("Asia/Tokyo"), "zone_given": True}
    assert bring("control-results", text, **given).written == 1
    assert [row["assessed_at"].hour for row in stored("control-results")] == [3]


def test_pem_is_no_yaml():
    with pytest.raises(UnreadableFile, match="is PEM, which holds no control-results"):
        chosen(b"-----BEGIN PKCS7-----\nAA==\n")
