"""The appendix as data: one tidy row for each figure of the organisation and of every workspace."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

import xlsxwriter

from aggregators.cells import harmless, is_formula
from aggregators.figures import Dashboard, Figure
from aggregators.measure import Unit

COLUMNS = (
    "domain",
    "workspace",
    "name",
    "rank",
    "measure",
    "group",
    "unit",
    "value",
    "previous",
    "change",
    "numerator",
    "denominator",
    "events",
    "days_seen",
    "days_expected",
    "low_sample",
    "status",
)
Cell = str | float | int | bool | None


def rows(dashboard: Dashboard) -> Iterator[tuple[Cell, ...]]:
    """The rows under ``COLUMNS``: ratios 0..1, durations in seconds, no data empty. The organisation's
    have no workspace and no rank."""
    for scorecard in dashboard.scorecards:
        key = scorecard.domain.key
        for figure in scorecard.figures.values():
            yield from _of(figure, (key, "", "Organisation", None))
        for card in scorecard.cards:
            for figure in card.figures.values():
                yield from _of(figure, (key, card.slug, card.name, card.rank))


def _of(figure: Figure, where: tuple[Cell, ...]) -> Iterator[tuple[Cell, ...]]:
    for one in figure.by.values() if figure.by else (figure,):
        seen = one.evidence
        yield (
            *where,
            one.measure.key,
            one.group or "",
            one.measure.unit.value,
            one.value,
            one.previous if one.comparable else None,
            one.delta,
            seen.numerator,
            seen.denominator,
            seen.n,
            seen.days_seen,
            seen.days_expected,
            one.low_sample,
            one.status.value,
        )


def as_csv(dashboard: Dashboard) -> bytes:
    """UTF-8 with a byte order mark, for spreadsheets; a text that they would take for a formula is
    quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([harmless(cell) for cell in row] for row in rows(dashboard))
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(
    dashboard: Dashboard, *, requested_by: str, exported_at: datetime, export_id: str
) -> bytes:
    """A workbook: who and when, then a sheet a domain with typed cells and a frozen header. No text is
    taken for a formula or an address."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    book.set_properties(
        {
            "title": f"{dashboard.organisation}: Executive dashboard",
            "author": requested_by,
            "keywords": f"export:{export_id}",
            "created": exported_at.replace(tzinfo=None),
        }
    )
    head = book.add_format({"bold": True, "bottom": 1})
    styles = {
        Unit.RATIO: book.add_format({"num_format": "0.0%"}),
        Unit.SECONDS: book.add_format({"num_format": "#,##0"}),
    }
    plain = book.add_format({"num_format": "#,##0.###"})
    quoted = book.add_format({"quote_prefix": True})
    about = book.add_worksheet("About")
    about.set_column(0, 0, 16)
    about.set_column(1, 1, 60)
    span = dashboard.period.span
    told = (
        ("Organisation", dashboard.organisation),
        ("Period", f"{span.start} to {span.end}"),
        ("Compared with", f"{dashboard.period.previous.start} to {dashboard.period.previous.end}"),
        ("Time zone", dashboard.time_zone),
        ("Workspaces", len(dashboard.scope.slugs)),
        ("Exported by", requested_by),
        ("Exported at", exported_at.isoformat(timespec="seconds")),
        ("Export", export_id),
        ("Units", "ratios as percent, durations in seconds, empty: no data"),
    )
    for line, (name, value) in enumerate(told):
        about.write_string(line, 0, name, head)
        about.write(line, 1, value)
    found = list(rows(dashboard))
    for scorecard in dashboard.scorecards:
        sheet = book.add_worksheet(scorecard.domain.title[:31])
        sheet.freeze_panes(1, 3)
        sheet.set_column(0, 1, 16)
        sheet.set_column(2, 2, 28)
        sheet.set_column(3, len(COLUMNS) - 1, 12)
        sheet.write_row(0, 0, COLUMNS, head)
        mine = [row for row in found if row[0] == scorecard.domain.key]
        for line, row in enumerate(mine, 1):
            style = styles.get(Unit(str(row[COLUMNS.index("unit")])), plain)
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(line, column, cell, quoted if is_formula(cell) else None)
                elif isinstance(cell, bool):
                    sheet.write_boolean(line, column, cell)
                elif cell is not None:
                    styled = COLUMNS[column] in ("value", "previous", "change")
                    sheet.write_number(line, column, cell, style if styled else plain)
        sheet.autofilter(0, 0, max(len(mine), 1), len(COLUMNS) - 1)
    book.close()
    return out.getvalue()
