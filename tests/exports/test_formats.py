"""Formats of exports: CSV and XLSX of the same figures."""

from __future__ import annotations

import io
import json
from datetime import date

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from aggregators import words
from aggregators.vocabulary.period import Ask
from exports import downloads, tables, worker
from exports.workbook.book import as_xlsx
from reading.dashboard import read
from reading.encode import dashboard_json
from tests import samples
from tests.exports.pack.packs import AT
from tests.exports.work.jobs import put


class TestFormats:
    def made(self, here, form):
        place, web = here
        id = put(here, form=form, start="2026-11-01", end="2026-11-22")
        worker.drain(place)
        found = downloads.fetch(
            place.database.job, place.folder, web.people["alice"], id, ["alpha", "beta"]
        )
        assert found.filename == f"vigilo-executive-20261123.{form}"
        ask = Ask(None, date(2026, 11, 1), date(2026, 11, 22))
        return found, read(place.database, web.people["alice"], ask, place.settings)

    def test_json_is_the_apis(self, here):
        found, dashboard = self.made(here, "json")
        said = json.loads(found.data)
        expected = json.loads(json.dumps(dashboard_json(dashboard), default=str))
        assert said["domains"][0]["measures"]["change_failure_rate"]["value"] == pytest.approx(
            expected["domains"][0]["measures"]["change_failure_rate"]["value"]
        )
        assert [d["key"] for d in said["domains"]] == [d["key"] for d in expected["domains"]]

    def test_csv_has_every_figure(self, here):
        found, dashboard = self.made(here, "csv")
        lines = found.data.decode("utf-8-sig").splitlines()
        assert lines[0].split(",") == list(tables.COLUMNS)
        assert len(lines) - 1 == len(list(tables.rows(dashboard)))
        rate = dashboard.scorecard("dora").figures["change_failure_rate"]
        mine = next(x for x in lines if x.startswith("dora,,Organisation,,change_failure_rate"))
        assert float(mine.split(",")[7]) == rate.value
        assert ".0," not in found.data.decode()
        assert {tuple(x.split(",")[-2:]) for x in lines[1:]} == {("2026-11-01", "2026-11-22")}

    def test_xlsx_has_typed_cells_and_a_frozen_header(self, here):
        found, dashboard = self.made(here, "xlsx")
        book = load_workbook(io.BytesIO(found.data))
        assert book.sheetnames[:2] == ["Summary", "About"]
        assert len(book.sheetnames) == 2 + len(dashboard.scorecards)
        sheet = book["Delivery (DORA)"]
        assert sheet.freeze_panes == "D2"
        head = [cell.value for cell in sheet[1]]
        assert head == list(tables.COLUMNS)
        rate = next(r for r in sheet.iter_rows(min_row=2) if r[4].value == "change_failure_rate")
        value = rate[head.index("value")]
        assert (value.data_type, value.number_format) == ("n", "0.0%")
        assert value.value == dashboard.scorecard("dora").figures["change_failure_rate"].value


def sheet_of(dashboard, name):
    file = as_xlsx(dashboard, requested_by="a@x.example", exported_at=AT, export_id="x")
    return load_workbook(io.BytesIO(file))[name]


def test_the_summary_tells_every_headline_and_answer():
    dashboard = samples.dashboard()
    lines = [[cell.value for cell in line] for line in sheet_of(dashboard, "Summary").iter_rows()]
    assert lines[0][0] == "Northwind Group"
    assert "26 Oct – 22 Nov 2026 vs 28 Sep – 25 Oct 2026 · UTC" in lines[1][0]
    told = {line[1]: line for line in lines if line[1]}
    for scorecard in dashboard.scorecards:
        head = scorecard.headline
        for figure in (head.by or {"": head}).values():
            title = head.measure.title + (f", {figure.group}" if figure.group else "")
            line = told[title]
            assert line[0] == scorecard.domain.title
            assert line[2] == pytest.approx(figure.value)
            assert line[4] == words.delta(figure)
    rate = told["Change failure rate"]
    assert (rate[6], rate[7]) == ("Off target", "under 15.0 %")
    for answer in dashboard.answers:
        assert [answer.question, answer.sentence] in [line[:2] for line in lines]


def test_durations_are_the_spreadsheets_own():
    dashboard = samples.dashboard()
    sheet = sheet_of(dashboard, "Delivery (DORA)")
    head = [cell.value for cell in sheet[1]]
    lead = next(r for r in sheet.iter_rows(min_row=2) if r[4].value == "lead_time_for_changes")
    figure = dashboard.scorecard("dora").figures["lead_time_for_changes"]
    value = lead[head.index("value")]
    assert value.number_format == "[h]:mm:ss"
    assert value.value.total_seconds() == pytest.approx(figure.value, abs=1)
    assert lead[head.index("unit")].value == "h:mm:ss"


def test_no_name_becomes_a_formula(here):
    place, web = here
    evil = '=HYPERLINK("http://x","y")'
    with place.database.job.begin() as connection:
        connection.execute(text("update workspace set name = :n where slug = 'alpha'"), {"n": evil})
    dashboard = read(place.database, web.people["alice"], Ask(7), place.settings)
    csv_text = tables.as_csv(dashboard).decode("utf-8-sig")
    assert "\"'=HYPERLINK" in csv_text
    assert ',"=HYPERLINK' not in csv_text
    book = load_workbook(
        io.BytesIO(
            as_xlsx(
                dashboard,
                requested_by="=cmd@x.example",
                exported_at=place.settings.now(),
                export_id="x",
            )
        )
    )
    cells = [c for sheet in book for line in sheet.iter_rows() for c in line]
    assert any(c.value == evil for c in cells)
    assert all(c.quotePrefix for c in cells if c.value in (evil, "=cmd@x.example"))
    assert all(c.data_type != "f" and c.hyperlink is None for c in cells)
