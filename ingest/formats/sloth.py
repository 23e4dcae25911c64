"""Sloth specs: ``prometheus/v1`` files and the Kubernetes resource PrometheusServiceLevel.

The key is service and name. The window is no part of a spec (Sloth takes it as a flag): it is 30 days, as
Sloth's, until a file says otherwise, CSV's column ``window_days`` for instance, and what was said stays.
The queries for errors and total are kept as text, with ``{{ .window }}`` however it is spaced: good and
total per day come from ``slo-days``, or from your Prometheus with ``records fetch slo-days``. SLIs of a
plugin or a raw ratio have no such queries, which is told. Other documents, window definitions for instance,
are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.documents import YAML, broken_row, cell_text, content, value_at, yaml_documents
from ingest.formats.form import Format
from ingest.reader import FormatInput, RawRecord


def read(reading: FormatInput) -> Iterator[RawRecord]:
    """An objective for each of every spec."""
    for line, document in yaml_documents(content(reading, YAML)):
        spec = (
            document
            if value_at(document, "version") == "prometheus/v1"
            else value_at(document, "spec")
        )
        if spec is not document and value_at(document, "kind") != "PrometheusServiceLevel":
            kind = cell_text(value_at(document, "kind"))[:40]
            reading.warn(f"left out line {line}: no Sloth spec" + (f" but {kind}" if kind else ""))
            continue
        slos = value_at(spec, "slos")
        if not isinstance(slos, list):
            yield broken_row(reading, "has no list of slos", line=line)
            continue
        for number, slo in enumerate(slos):
            yield _objective(reading, cell_text(value_at(spec, "service")), slo, line, number)


def _objective(reading: FormatInput, service: str, slo: Any, line: int, number: int) -> RawRecord:
    name = cell_text(value_at(slo, "name"))
    cells = {
        "key": f"{service}-{name}" if service and name else "",
        "name": f"{service}: {name}",
        "type": _type(name),
        "target_percent": cell_text(value_at(slo, "objective")),
        "error_query": _query(slo, "error"),
        "total_query": _query(slo, "total"),
    }
    if name and not (cells["error_query"] and cells["total_query"]):
        reading.warn(f"{cells['key']}: no queries of it are kept: {_missing(slo)}")
    called = {"error_query": "sli.events.error_query", "target_percent": "objective", "key": "name"}
    return RawRecord(reading.path, line, cells, called=called, pointer=f"/slos/{number}")


def _missing(slo: Any) -> str:
    """Why an SLI has no queries for errors and total."""
    plugin = cell_text(value_at(slo, "sli.plugin.id"))
    if plugin:
        return f"its SLI is the plugin {plugin[:80]}"
    return "its SLI is a raw ratio" if value_at(slo, "sli.raw") else "its SLI has none for both"


def _query(slo: Any, which: str) -> str:
    """A query on one line; PromQL does not mind."""
    query = value_at(slo, f"sli.events.{which}_query") or value_at(slo, f"sli.events.{which}Query")
    return " ".join(cell_text(query).split())


def _type(name: str) -> str:
    return next((kind for kind in ("availability", "latency") if kind in name), "custom")


FORMAT = Format(
    "sloth",
    {"slos": read},
    "Sloth specs",
    sniff=lambda head: b"prometheus/v1" in head or b"PrometheusServiceLevel" in head,
)
