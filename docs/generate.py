"""Writes the documents that derive from the code: run ``make docs``; a test fails on drift."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from aggregators.catalogue import DOMAINS  # noqa: E402
from aggregators.vocabulary import formats  # noqa: E402
from aggregators.vocabulary.domain import Domain  # noqa: E402
from aggregators.vocabulary.kinds import Ratio  # noqa: E402
from aggregators.vocabulary.measure import Measure  # noqa: E402
from benchmarks.report import scaling as sizes  # noqa: E402
from benchmarks.report import table  # noqa: E402
from docs import faults, isolation, product_page, signal_chapter  # noqa: E402
from ingest.formats import FORMATS  # noqa: E402
from ingest.pulling.ahead.preview import READING, SECONDS  # noqa: E402
from ingest.pulling.catalogue import kinds  # noqa: E402
from ingest.pulling.problems import CODES  # noqa: E402
from ingest.pulling.shape import Source  # noqa: E402
from settings import Settings, variable  # noqa: E402

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
        "Generated from the domains' declarations by `make docs`; do not edit. One definition per figure:",
        "the screen, the API, the PDF and this page read the same declaration.",
        "",
        "| kind | how it pools |",
        "|---|---|",
        *(f"| {kind} | {how} |" for kind, how in KINDS.items()),
        "",
        "Workspaces are ranked worst first by the empirical-Bayes mean: ratios, rates, means and",
        "quantiles are drawn towards those of the other workspaces by as much as chance may have moved",
        "them; everything else is ranked as it stands. What is shown is the figure itself. A ratio over",
        "fewer than 10 events, or a mean or quantile over fewer than 3, is marked as a low sample. Fewer",
        "than half of the previous period's days seen: no comparison. Each point of a pooled series looks",
        "back over 7 days, or 28 when the period is over 31 days; counts and levels are of the point's",
        "own days.",
    ]
    for domain in DOMAINS:
        lines += ["", *_domain(domain)]
    return "\n".join([*lines, "", *_counts_as(), "", *ELSEWHERE]) + "\n"


def _counts_as() -> list[str]:
    """Lines on what counts as one of each thing, as the domains declare it."""
    return [
        "## What counts as one",
        "",
        "A record is made of all that was said of it, in whatever order it came.",
        "",
        "| one | counts | elsewhere |",
        "|---|---|---|",
        *(f"| {o.thing} | {o.rule} | {o.elsewhere} |" for d in DOMAINS for o in d.ones),
    ]


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
        formats.value(limit, measure.unit) if limit is not None else "–"
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


def import_formats() -> str:
    """docs/formats.md: every format of records, from its module."""
    lines = [
        "# Formats of records",
        "",
        "Generated from `ingest/formats/` by `make docs`; do not edit. `records import KIND FILE",
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


def pulled_sources() -> str:
    """docs/sources.md: every kind of source, from its module."""
    lines = [
        "# Sources",
        "",
        "Generated from the modules in `ingest/sources` by `make docs`; do not edit. Connect one on the",
        "page Sources, over the API, or with `flask --app app source add KIND NAME=VALUE ... --as EMAIL`.",
        "",
        "Each sync goes on where the one before it ended, with an overlap; killed at any point it loses",
        "nothing and counts nothing twice. History comes newest first. What it brings is read like any",
        "delivery: what can not be read lies in quarantine; the keys are those of the sender's webhooks.",
        "",
        "**Before it is connected** a look ahead (Preview; `source preview`; `POST",
        "/api/v1/platform/sources/preview`) reads the last 28 days as a sync reads them, with at most",
        f"{READING} requests and {SECONDS:g} seconds, and says how many records would count, how many",
        "would be in no figure and why, or refused, how many are there already, what each part would feed,",
        "and how many requests and how much time a history of 28, 90 and 400 days takes. Nothing is kept.",
        "",
        "A sender on this machine or in a private network is refused until the operator allows it at the",
        'start: `VIGILO_SOURCE_ALLOW=\'["127.0.0.1", "10.0.0.0/8", "*.corp.example"]\'` takes addresses,',
        "networks and patterns of names. Link-local addresses and the program's own database stay refused.",
        "",
    ]
    for kind in kinds().values():
        lines += _source(kind)
    lines += ["## Problems, and what to do", ""]
    lines += [f"- `{code}`: {sentence}" for code, sentence in CODES.items()]
    return "\n".join(lines) + "\n"


def _source(kind: Source) -> list[str]:
    lines = [f"## {kind.title} (`{kind.kind}`)", "", kind.about, ""]
    lines += ["| setting | meaning |", "|---|---|"]
    for setting in kind.settings:
        default = f" Default: `{setting.default}`." if setting.default else ""
        choices = f" One of {', '.join(setting.choices)}." if 0 < len(setting.choices) < 6 else ""
        optional = "" if setting.required else " Optional."
        description = f"{setting.label}. {setting.help}{choices}{optional}{default}".replace(
            "..", "."
        )
        lines.append(f"| `{setting.name}` | {description.replace('|', chr(92) + '|')} |")
    lines += ["", f"- Fills: {', '.join(kind.fills)}"]
    lines += [f"- Secret: {kind.credential}"] if kind.credential else ["- Secret: none"]
    lines += [f"- Least permissions: {'; '.join(kind.permissions)}"]
    lines += [f"- History: {kind.history}", f"- Limits: {kind.limits}"]
    lines += [f"- Syncs every {kind.minutes} minutes unless told otherwise", ""]
    return lines


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
    written = (HERE / "performance.md").read_text(encoding="utf-8")
    for comment, name in (("measured", table.WHOLE), ("above", table.ABOVE)):
        results = json.loads((table.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        written = _between(
            written, comment, [_measured_over(results["facts"]), "", *_measured_rows(results)]
        )
    others = json.loads((table.RESULTS / "peers.json").read_text(encoding="utf-8"))
    size = "{workspaces:,} workspaces x {days} days, {cores} cores.".format(**others["facts"])
    return _between(written, "peers", [size, "", *_measured_rows(others)])


def _measured_over(facts: Mapping[str, Any]) -> str:
    return (
        f"{facts['workspaces']:,} workspaces x {facts['days']} days, {facts['records']:,} records"
        f" (loaded in {facts['loaded_seconds']} s), {facts['cores']} cores, {facts['server']} with its"
        " defaults but for the buffers."
    )


def _measured_rows(results: Mapping[str, Any]) -> list[str]:
    """A table of Markdown: each part with the day of its measurement, then its rows."""
    lines = ["| | measured | reference | ratio | target |", "|---|---:|---:|---:|---:|"]
    part = ""
    for row in results["rows"]:
        if row["part"] != part:
            part = row["part"]
            lines.append(f"| **{part}**, {row.get('at', results['at'])} | | | | |")
        target = "" if row["target"] is None else f"{row['target']:g}"
        against = f" {row['against']}" if row["against"] else ""
        lines.append(
            f"| {row['what']} | {row['value']:,.1f} {row['unit']} | {row['reference']:,.1f}{against} "
            f"| {row['ratio']:.2f} | {target} |"
        )
    return lines


def _between(document: str, name: str, lines: list[str]) -> str:
    """The document with these lines between its two comments of that name."""
    head, rest = document.split(f"<!-- {name} -->\n")
    _, tail = rest.split(f"<!-- /{name} -->\n")
    return "\n".join([f"{head}<!-- {name} -->", "", *lines, "", f"<!-- /{name} -->\n{tail}"])


def assurance() -> str:
    """docs/assurance.md: what was broken on purpose, and what came of it."""
    return (
        "# Assurance\n\nGenerated by `make docs`; do not edit. What was broken on purpose, and what came of"
        " it.\n\n" + isolation.table() + faults.table()
    )


def signal() -> str:
    """docs/signal.md: what the watch and the chips find and what they flag falsely."""
    written = (HERE / "signal.md").read_text(encoding="utf-8")
    return _between(written, "measured", signal_chapter.chapter_lines())


DOCUMENTS = {
    "assurance.md": assurance,
    "definitions.md": definitions,
    "environment.md": environment,
    "formats.md": import_formats,
    "sources.md": pulled_sources,
    "performance.md": performance,
    "product-page.md": product_page.document,
    "scaling.md": scaling,
    "signal.md": signal,
}

if __name__ == "__main__":
    for name, render in DOCUMENTS.items():
        (HERE / name).write_text(render(), encoding="utf-8")
