"""Sloth specs: ``prometheus/v1`` files and the Kubernetes resource PrometheusServiceLevel.

The key is service and name; the window is Sloth's default of 30 days. The queries for errors and total are
kept as text: good and total per day come from ``slo-days``, or from your Prometheus with ``records fetch
slo-days``. Other documents, window definitions for instance, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storage.records.documents import YAML, at, broken, content, said, yaml_documents
from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading


def read(reading: Reading) -> Iterator[Raw]:
    """An objective for each of every spec."""
    for line, document in yaml_documents(content(reading, YAML)):
        spec = document if at(document, "version") == "prometheus/v1" else at(document, "spec")
        if spec is not document and at(document, "kind") != "PrometheusServiceLevel":
            reading.warn(f"left out line {line}: no Sloth spec")
            continue
        found = at(spec, "slos")
        if not isinstance(found, list):
            yield broken(reading, "has no list of slos", line=line)
            continue
        for number, slo in enumerate(found):
            yield _objective(reading, said(at(spec, "service")), slo, line, number)


def _objective(reading: Reading, service: str, slo: Any, line: int, number: int) -> Raw:
    name = said(at(slo, "name"))
    cells = {
        "key": f"{service}-{name}" if service and name else "",
        "name": f"{service}: {name}",
        "type": _type(name),
        "target_percent": said(at(slo, "objective")),
        "window_days": "30",
        "error_query": _query(slo, "error"),
        "total_query": _query(slo, "total"),
    }
    called = {"error_query": "sli.events.error_query", "target_percent": "objective", "key": "name"}
    return Raw(reading.path, line, cells, called=called, place=f"/slos/{number}")


def _query(slo: Any, which: str) -> str:
    """On one line; PromQL does not mind."""
    found = at(slo, f"sli.events.{which}_query") or at(slo, f"sli.events.{which}Query")
    return " ".join(said(found).split())


def _type(name: str) -> str:
    return next((kind for kind in ("availability", "latency") if kind in name), "custom")


FORMAT = Format(
    "sloth",
    {"slos": read},
    "Sloth specs",
    sniff=lambda head: b"prometheus/v1" in head or b"PrometheusServiceLevel" in head,
)
