"""Writes the documents that derive from the code: run ``make docs``; a test fails on drift."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from aggregators import words  # noqa: E402
from aggregators.domains import DOMAINS  # noqa: E402
from aggregators.measure import Domain, Measure, Ratio  # noqa: E402
from benchmarks import scaling as sizes  # noqa: E402
from benchmarks import table  # noqa: E402
from settings import Settings, variable  # noqa: E402
from storage.records.formats import FORMATS  # noqa: E402

KINDS = {
    "count": "summed over days, summed over workspaces",
    "level": "the last snapshot within the period; summed over workspaces unless said otherwise",
    "rate": "count over the snapshot days seen; counts are summed over workspaces",
    "ratio": "sum of numerators over sum of denominators, over days and over workspaces",
    "mean": "sum over count, over days and over workspaces",
    "quantile": "distributions are merged, then the quantile is read; within 2 % of the exact one",
}


ELSEWHERE = (
    "## Where other tools count differently",
    "",
    "Checked against the end-to-end cases of Apache DevLake (`tests/acceptance/test_dora_e2e.py`).",
    "",
    "| figure | here | DevLake |",
    "|---|---|---|",
    "| Lead time | deployment completed minus commit, for each commit that a deployment brought "
    "| its cycle time adds up coding, pickup, review and deploy of a pull request; a part that would be "
    "negative is left out, so it is longer where commits were rewritten after the request was opened, "
    "or merged after the deployment |",
    "| Changes not yet deployed | in no figure: they have no lead time yet "
    "| a cycle time up to the merge |",
    "| Cause of an incident | the deployment that the incident names; none is guessed "
    "| the latest deployment of the project that finished before the incident began; imported as "
    "`caused_by`, its links give its change failure rate |",
    "| Deployments that only failed | in the change failure rate, above and below the line "
    "| in neither: only deployments with a success count |",
)


def definitions() -> str:
    """docs/definitions.md: every measure of every domain, from its declaration."""
    lines = [
        "# Definitions",
        "",
        "Generated from `aggregators/domains/` by `make docs`; do not edit. One definition per figure:",
        "the screen, the API, the PDF and this page read the same declaration.",
        "",
        "| kind | how it pools |",
        "|---|---|",
        *(f"| {kind} | {how} |" for kind, how in KINDS.items()),
        "",
        "A ratio over fewer than 10 events, or a mean or quantile over fewer than 3, is a low sample and",
        "ranks below every figure with enough. Fewer than half of the previous period's days seen: no",
        "comparison. Each point of a pooled series looks back over 7 days, or 28 when the period is over",
        "31 days; counts and levels are of the point's own days.",
    ]
    for domain in DOMAINS:
        lines += ["", *_domain(domain)]
    return "\n".join([*lines, "", *ELSEWHERE]) + "\n"


def _domain(domain: Domain) -> list[str]:
    by = f" One figure per {domain.by}, never pooled across them." if domain.by else ""
    return [
        f"## {domain.title}",
        "",
        f"Key `{domain.key}`; headline and default ranking `{domain.headline}`; "
        f"workspace page `{domain.workspace_page}`; from `{domain.table}`.{by}",
        "",
        "| measure | kind | better | watch / bad | definition |",
        "|---|---|---|---|---|",
        *(_measure(m) for m in domain.measures),
    ]


def _measure(measure: Measure) -> str:
    limits = " / ".join(
        words.value(limit, measure.unit) if limit is not None else "–"
        for limit in (measure.watch, measure.bad)
    )
    kind = measure.kind
    if isinstance(measure, Ratio) and measure.at_end:
        kind = "ratio of levels"
    over = {"level_max": ", maximum", "level_min": ", minimum"}.get(
        str(getattr(measure, "over", "")), ""
    )
    return (
        f"| `{measure.key}` {measure.title} | {kind}{over} | {measure.better} | {limits} "
        f"| {measure.definition} |"
    )


def environment() -> str:
    """docs/environment.md: every variable that the program reads."""
    lines = [
        "# Environment",
        "",
        "Generated from `settings.py` by `make docs`; do not edit. A wrong value stops the start with the",
        "variable's name and what it takes.",
        "",
        "| variable | default | takes |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "unset" if field.default is None else f"`{field.default}`"
        lines.append(f"| `{variable(name)}` | {default} | {field.description or ''} |")
    return "\n".join(lines) + "\n"


def formats() -> str:
    """docs/formats.md: every format of records, from its module."""
    lines = [
        "# Formats of records",
        "",
        "Generated from `storage/records/formats/` by `make docs`; do not edit. `records import KIND FILE",
        "--format NAME`; without `--format` a file is told by its look, else read as CSV. Those marked",
        "*event* are taken by `POST /api/v1/ws/{slug}/ingest/{format}` too.",
    ]
    for name, form in FORMATS.items():
        module = sys.modules[next(iter(form.readers.values())).__module__]
        event = " *event*" if form.ingest else ""
        signed = f", signed in `{form.signed.header}`" if form.signed else ""
        lines += [
            "",
            f"## {name}",
            "",
            f"{form.title}.{event}{signed} Kinds: {', '.join(form.readers)}.",
        ]
        lines += ["", (module.__doc__ or "").strip()]
    return "\n".join(lines) + "\n"


def scaling() -> str:
    """docs/scaling.md: written by hand, its tables computed from what was measured."""
    figures, layouts = sizes.load(sizes.LATEST), sizes.load(sizes.PARTITIONS)
    measured = (
        "Computed by `benchmarks/scaling.py` from what `make bench` measured with"
        f" {sizes.SMALL} and {sizes.LARGE:,} workspaces of {figures['days']:.0f} days on"
        f" {figures['cores']:.0f} cores, one request at a time; beyond that it is a straight line."
    )
    compared = (
        f"Measured by `benchmarks/partitions.py`: {layouts['workspaces']:,} workspaces x"
        f" {layouts['days']} days of snapshots, in the order of the nights; a read asks for up to 60 days."
    )
    written = (HERE / "scaling.md").read_text(encoding="utf-8")
    written = _between(written, "costs", [measured, "", *sizes.costs(figures)])
    return _between(written, "partitions", [compared, "", *sizes.partitions(layouts)])


def performance() -> str:
    """docs/performance.md: written by hand, its table what ``make bench`` last measured."""
    found = json.loads((table.RESULTS / "bench.json").read_text(encoding="utf-8"))
    facts = found["facts"]
    about = (
        f"{facts['workspaces']:,} workspaces x {facts['days']} days, {facts['records']:,} records"
        f" (loaded in {facts['loaded_seconds']} s), {facts['cores']} cores, {facts['server']} with its"
        " defaults but for the buffers."
    )
    lines = ["| | measured | reference | ratio | target |", "|---|---:|---:|---:|---:|"]
    part = ""
    for row in found["rows"]:
        if row["part"] != part:
            part = row["part"]
            lines.append(f"| **{part}**, {row.get('at', found['at'])} | | | | |")
        target = "" if row["target"] is None else f"{row['target']:g}"
        against = f" {row['against']}" if row["against"] else ""
        lines.append(
            f"| {row['what']} | {row['value']:,.1f} {row['unit']} | {row['reference']:,.1f}{against} "
            f"| {row['ratio']:.2f} | {target} |"
        )
    written = (HERE / "performance.md").read_text(encoding="utf-8")
    return _between(written, "measured", [about, "", *lines])


def _between(document: str, name: str, lines: list[str]) -> str:
    """The document with these lines between its two comments of that name."""
    head, rest = document.split(f"<!-- {name} -->\n")
    _, tail = rest.split(f"<!-- /{name} -->\n")
    return "\n".join([f"{head}<!-- {name} -->", "", *lines, "", f"<!-- /{name} -->\n{tail}"])


DOCUMENTS = {
    "definitions.md": definitions,
    "environment.md": environment,
    "formats.md": formats,
    "performance.md": performance,
    "scaling.md": scaling,
}

if __name__ == "__main__":
    for name, render in DOCUMENTS.items():
        (HERE / name).write_text(render(), encoding="utf-8")
