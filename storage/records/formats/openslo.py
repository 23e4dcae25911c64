"""OpenSLO v1: each objective of a document of kind SLO.

The key is ``metadata.name``, with the objective's number where there are several. The target is
``target`` (a fraction) or ``targetPercent``; the window the first ``timeWindow`` (weeks, days, hours as
whole days). Other kinds of documents are left out. Good and total per day come from ``slo-days``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from storage.records.documents import YAML, at, broken, content, said, yaml_documents
from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading

DAYS = {"d": 1.0, "w": 7.0, "h": 1 / 24, "M": 30.0, "Q": 90.0, "Y": 365.0}


def read(reading: Reading) -> Iterator[Raw]:
    """An objective for each of every SLO."""
    for line, document in yaml_documents(content(reading, YAML)):
        if at(document, "kind") != "SLO":
            reading.warn(f"left out line {line}: of kind {said(at(document, 'kind'))[:40]!r}")
            continue
        objectives = at(document, "spec.objectives")
        if not isinstance(objectives, list) or not objectives:
            yield broken(reading, "spec.objectives is empty", line=line)
            continue
        for number, objective in enumerate(objectives, 1):
            suffix = f"-{number}" if len(objectives) > 1 else ""
            yield _objective(reading, document, objective, suffix, line)


def _objective(reading: Reading, document: Any, objective: Any, suffix: str, line: int) -> Raw:
    name = said(at(document, "metadata.name"))
    cells = {
        "key": f"{name}{suffix}" if name else "",
        "name": said(at(document, "metadata.displayName")) or name,
        "target_percent": _percent(objective),
        "window_days": _days(said(at(document, "spec.timeWindow.0.duration"))),
    }
    called = {"window_days": "spec.timeWindow.0.duration", "key": "metadata.name"}
    return Raw(reading.path, line, cells, called=called)


def _percent(objective: Any) -> str:
    target = at(objective, "target")
    if isinstance(target, (int, float)) and not isinstance(target, bool):
        return f"{target * 100:.10g}"
    return said(at(objective, "targetPercent")) or said(target)


def _days(duration: str) -> str:
    """4w as 28; what is no duration stays as it is, for the importer to refuse."""
    found = re.fullmatch(r"(\d{1,5})([dwhMQY])", duration)
    return f"{max(1, round(int(found[1]) * DAYS[found[2]]))}" if found else duration


FORMAT = Format(
    "openslo",
    {"slos": read},
    "OpenSLO v1",
    sniff=lambda head: b"openslo/v1" in head,
)
