"""A seventh domain is one more folder and the migration that a command writes for it.

The checkout is copied, the folder ``tests/seventh_domain/cost`` put beside the other domains, nothing else
edited, and the program run from there as an operator and a platform admin do.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from aggregators.catalogue import DOMAINS
from tests.seventh_domain.installation import PASSWORD, ExtendedCheckout
from tests.seventh_domain.spending import CENTRES, LAST, expected, requests_made, write_csv

API = "/api/v1/platform/executive-dashboard/"
ALICE, ATLAS = "alice@demo.example", "atlas"
DAYS = 28
PATIENCE = 30_000
"""Milliseconds: the first page of a program that has just started, on a busy machine."""
SPENT = requests_made()


@pytest.fixture(scope="module")
def installation() -> Iterator[ExtendedCheckout]:
    """An installation with the seventh domain: demo data in two workspaces, and one whose spending was
    imported. Not below pytest's own folder, which the embedded PostgreSQL may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-seventh-"))
    folder.chmod(0o755)  # as root the server's user must pass through
    made = ExtendedCheckout.copied_to(folder)
    before = contents(made.folder)
    made.flask("db", "upgrade")
    made.put()
    made.flask("db", "revision", "cost")
    (folder / "workspaces.csv").write_text("slug,name\natlas,Atlas\n")
    write_csv(folder / "spending.csv", ATLAS, SPENT)
    first = LAST - timedelta(days=70)
    made.flask_each(
        ("db", "upgrade"),
        ("demo", "load", "--workspaces", "2", "--days", "40"),
        ("records", "import", "workspaces", str(folder / "workspaces.csv")),
        ("records", "import", "spending", str(folder / "spending.csv")),
        ("member", "grant", ALICE, ATLAS, "platform_admin"),
        ("snapshot", "backfill", "--from", str(first), "--to", str(LAST)),
        ("snapshot", "run"),
    )
    assert {path: text for path, text in contents(made.folder).items() if path in before} == before
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)


def contents(checkout: Path) -> dict[str, bytes]:
    """Every file of the checkout: nothing that was there before may be edited."""
    return {
        str(path.relative_to(checkout)): path.read_bytes()
        for path in checkout.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def api(installation: ExtendedCheckout) -> requests.Session:
    """A holder of Alice's token."""
    session = requests.Session()
    session.headers["Authorization"] = (
        f"Bearer {installation.flask('token', 'create', ALICE).strip()}"
    )
    return session


def board(api: requests.Session, installation: ExtendedCheckout, query: str = "") -> dict:
    answer = api.get(f"{installation.address}{API}?period={DAYS}{query}", timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def of_atlas(domain: dict) -> dict:
    return next(w["measures"] for w in domain["workspaces"] if w["slug"] == ATLAS)


def export(installation: ExtendedCheckout, form: str) -> bytes:
    out = installation.folder.parent / f"pack.{form}"
    arguments = ("--as", ALICE, "--period", str(DAYS), "--format", form, "--out", str(out))
    installation.flask("export", "pdf", *arguments)
    return out.read_bytes()


def test_it_comes_last_among_the_domains(api, installation):
    keys = [domain["key"] for domain in board(api, installation)["domains"]]
    assert keys == [*(d.key for d in DOMAINS), "cost"]


@pytest.mark.parametrize("ago", [0, 9, 30])
@pytest.mark.parametrize("centre", CENTRES)
def test_its_figures_are_those_of_the_file(api, installation, centre, ago):
    last = LAST - timedelta(days=ago)
    first = last - timedelta(days=DAYS - 1)
    address = f"{installation.address}{API}?start={first}&end={last}&domain=cost"
    (domain,) = api.get(address, timeout=30).json()["domains"]
    figures = {key: f["by"][centre]["value"] for key, f in of_atlas(domain).items()}
    obvious = expected(SPENT, centre, first, last)
    assert figures["spent"] == obvious.spent
    assert figures["waiting"] == obvious.waiting
    assert figures["budget_used"] == pytest.approx(obvious.budget_used)
    assert figures["approval_time"] == pytest.approx(obvious.approval_time, rel=0.02)


def test_the_demo_organisation_has_its_data(api, installation):
    (domain,) = board(api, installation, "&domain=cost")["domains"]
    assert {w["slug"] for w in domain["workspaces"]} == {"payments", "search", ATLAS}
    for workspace in domain["workspaces"]:
        assert sum(f["value"] or 0 for f in workspace["measures"]["spent"]["by"].values()) > 0


def test_the_document_of_the_api_knows_it(api, installation):
    document = api.get(f"{installation.address}/api/openapi.json", timeout=30).text
    assert '"cost"' in document
    assert "budget_used" in document


def test_its_records_are_read_by_members_alone(api, installation):
    signed_in = browser_of(installation, ALICE)
    query = f"?start={LAST - timedelta(days=DAYS - 1)}&end={LAST}"
    answer = signed_in.get(f"{installation.address}/ws/{ATLAS}/records/cost.csv{query}", timeout=30)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    own = [r for r in SPENT if r.requested_at.date() > LAST - timedelta(days=DAYS)]
    assert sorted(r["key"] for r in rows) == sorted(r.key for r in own)
    stranger = browser_of(installation, "dave@demo.example")
    address = f"{installation.address}/ws/{ATLAS}/records/cost.csv{query}"
    assert stranger.get(address, timeout=30).status_code == 404


def browser_of(installation: ExtendedCheckout, email: str) -> requests.Session:
    """A session that has signed in through the form."""
    session = requests.Session()
    page = session.get(f"{installation.address}/login", timeout=30).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    form = {"email": email, "password": PASSWORD, "csrf_token": token[1]}
    assert session.post(f"{installation.address}/login", data=form, timeout=30).ok
    return session


def test_the_pack_has_its_page_and_its_table(installation):
    path = installation.folder.parent / "pack.pdf"
    export(installation, "pdf")
    command = ["pdftotext", "-layout", str(path), "-"]
    pages = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\f")
    assert "Cost" in pages[len(DOMAINS) + 1]
    assert "Budget used" in pages[len(DOMAINS) + 1]
    assert any("Budget used" in page for page in pages[len(DOMAINS) + 2 :])


def test_the_tables_have_its_figures(installation):
    rows = list(csv.reader(io.StringIO(export(installation, "csv").decode("utf-8-sig"))))
    assert any("cost" in row and ATLAS in row for row in rows)
    workbook = load_workbook(io.BytesIO(export(installation, "xlsx")), read_only=True)
    cells = {
        cell for sheet in workbook for row in sheet.iter_rows(values_only=True) for cell in row
    }
    assert {"budget_used", "Atlas"} <= cells


def test_its_definitions_are_in_the_documents(installation):
    installation.python("docs/generate.py")
    text = (installation.folder / "docs" / "definitions.md").read_text(encoding="utf-8")
    assert "What was spent over what was planned for it" in text


@pytest.fixture(scope="module")
def page(installation: ExtendedCheckout, browser: Browser) -> Iterator[Page]:
    """Alice's page, signed in."""
    context = browser.new_context(base_url=installation.address, reduced_motion="reduce")
    opened = context.new_page()
    opened.goto("/login")
    opened.get_by_label("Email").fill(ALICE)
    opened.get_by_label("Password").fill(PASSWORD)
    opened.get_by_role("button", name="Sign in").click()
    opened.wait_for_url(lambda url: "/login" not in url)
    yield opened
    context.close()


def test_its_tile_is_the_last_and_its_key_opens_it(page):
    page.goto(f"/ws/{ATLAS}/platform/executive")
    tile = page.get_by_role("region", name="Cost", exact=True)
    expect(tile).to_contain_text("%", timeout=PATIENCE)
    boxes = [box.bounding_box() for box in page.locator(".tile").all()]
    assert max(boxes, key=lambda box: (round(box["y"]), box["x"])) == tile.bounding_box()
    page.keyboard.press("7")
    opened = page.get_by_role("region", name="Cost by workspace")
    expect(opened).to_contain_text("Atlas", timeout=PATIENCE)
    assert opened.bounding_box()["y"] >= tile.bounding_box()["y"]


def test_its_page_in_a_workspace_lists_records_and_shows_them_as_they_stand_now(page):
    page.goto(f"/ws/{ATLAS}/finance/cost?period={DAYS}")
    listed = page.get_by_role("region", name="Spending")
    expect(listed.get_by_role("row").nth(2)).to_contain_text("r", timeout=PATIENCE)
    expect(page.get_by_role("main")).to_contain_text("Budget used")
    page.get_by_text("Numbers do not match?").click()
    live = page.get_by_role("table", name="Figures of the snapshot and live")
    for centre in CENTRES:
        expect(live).to_contain_text(centre, timeout=PATIENCE)


def test_taken_away_again_the_others_work_as_before(installation, api):
    """The last test of the module: it takes the folder away."""
    before = [d for d in board(api, installation)["domains"] if d["key"] != "cost"]
    installation.stop()
    installation.take_away()
    installation.flask("snapshot", "run")
    installation.start()
    after = board(api, installation)
    assert [d["key"] for d in after["domains"]] == [d.key for d in DOMAINS]
    assert [figures(d) for d in after["domains"]] == [figures(d) for d in before]


def figures(domain: dict) -> dict:
    return {key: figure["value"] for key, figure in domain["measures"].items()}
