"""Free text is never markup: every text column holds a link and a script, and no page, chart, grid,
tooltip or pack takes it for one."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader
from sqlalchemy import Connection, String, text
from sqlalchemy.exc import DBAPIError
from werkzeug.serving import make_server

from aggregators.catalogue import DOMAINS
from storage.database import Database
from storage.tables import metadata
from tests.conftest import superuser
from tests.deep import all_but, bound
from tests.webworld import EXECUTIVE, WebWorld, csrf, settled

HOSTILE = '<a href="https://evil.example/">x</a><img src=x onerror="window.pwned=1">'
INSTALLATIONS = {"installation", "sealing_key"}
"""Tables of settings that only an operator writes."""
OWN_WORDS = {"left_out"}
"""Columns of the program's own words, which nobody else writes."""
SHOWN = {("workspace", "name"), ("app_user", "name"), ("incident", "title"), ("deployment", "service"),
         ("vendor", "name"), ("certificate", "subject"), ("control_result", "control"),
         ("web_session", "agent"), ("api_token", "name")}  # fmt: skip
MARKS = """() => {
  const html = document.documentElement.innerHTML.replaceAll('&quot;', '"');
  return {
    links: [...document.querySelectorAll('a')].filter((a) => {
      const href = a.getAttribute('href') || a.getAttribute('xlink:href') || '';
      return new URL(href, location.href).host !== location.host;
    }).length,
    images: document.querySelectorAll('img[src="x"]').length,
    pwned: Boolean(window.pwned),
    told: html.includes('&lt;a href="https://evil.example/"&gt;'),
  };
}"""


def soil(connection: Connection, table: str, column: str) -> bool:
    """Puts the text before what a column holds; False where a check of the column refuses it."""
    try:
        with connection.begin_nested():
            connection.execute(
                text(f"update {table} set {column} = :hostile || coalesce({column}, '')"),
                {"hostile": HOSTILE},
            )
    except DBAPIError:
        return False
    return True


def soil_every_column(database: Database) -> set[tuple[str, str]]:
    """The columns that hold the text from now on."""
    with superuser(database).begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        return {
            (table.name, column.name)
            for table in metadata.sorted_tables
            if table.name not in INSTALLATIONS
            for column in table.columns
            if isinstance(column.type, String) and column.name not in OWN_WORDS
            if soil(connection, table.name, column.name)
        }


@dataclass
class HostileSite:
    """A served world whose texts are hostile, and a browser in it."""

    web: WebWorld
    address: str
    page: Page

    def visit(self, path: str, part: str = "body") -> dict[str, object]:
        """Visits a page and, once a part of it is drawn, tells what it made of the text."""
        self.page.goto(self.address + path)
        self.page.locator(part).first.wait_for(state="attached", timeout=bound(30) * 1000)
        self.page.wait_for_load_state("networkidle")
        return self.page.evaluate(MARKS)


@pytest.fixture
def site(web, browser) -> Iterator[HostileSite]:
    alice = web.sign_in("alice")
    columns = soil_every_column(web.world.database)
    assert columns >= SHOWN, "a column that people see is not among those that are written"
    server = make_server("127.0.0.1", 0, web.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.port}"
    context = browser.new_context()
    context.add_cookies(
        [{"name": "vigilo", "value": alice.get_cookie("vigilo").value, "url": address}]
    )
    yield HostileSite(web, address, context.new_page())
    context.close()
    server.shutdown()


def pages() -> Iterator[tuple[str, str]]:
    """Pages that show what people and tools have written, each with a part of it: before the figures are
    drawn nobody's words are there to be looked at."""
    yield EXECUTIVE, ".tile"
    yield f"{EXECUTIVE}?domain=dora", "[data-pin]"
    yield f"{EXECUTIVE}?domain=compliance&mode=table", ".tile"
    yield from ((domain.page("alpha"), "body") for domain in DOMAINS)
    for path in ("/ws/alpha/records", "/ws/alpha/admin/members", "/exports", "/account"):
        yield path, "body"
    yield "/start?choose=1", "body"


EVERY = tuple(pages())
FEW = EVERY[1:2] + EVERY[-5:-3]


@pytest.mark.parametrize(
    ("seen", "least"), all_but([(FEW, 2)], [(FEW, 2), (EVERY, 8)], several=True)
)
def test_no_page_takes_it_for_markup(site, seen, least):
    told, failed = 0, []
    site.page.on("response", lambda r: failed.append(r.url) if r.status >= 500 else None)
    for path, part in seen:
        marks = site.visit(path, part)
        assert (marks["links"], marks["images"], marks["pwned"]) == (0, 0, False), path
        told += bool(marks["told"])
    assert failed == []
    assert told >= least, "hardly any page showed it"


def test_the_legend_of_a_chart_says_it_as_it_is(site):
    site.visit(f"{EXECUTIVE}?domain=dora")
    for pin in site.page.locator("[data-pin]").all():
        pin.click()
    legend = site.page.locator(".compare .legendtext")
    legend.first.wait_for()
    assert legend.first.text_content().startswith(HOSTILE[:20])
    assert site.page.locator(".compare svg a").count() == 0
    site.page.locator(".compare .nsewdrag").first.hover()
    site.page.wait_for_timeout(200)
    assert site.page.locator(".compare .hoverlayer a").count() == 0


def test_the_pack_does_not_take_it_for_a_link(web, tmp_path):
    alice = web.sign_in("alice")
    soil_every_column(web.world.database)
    made = alice.post("/exports", json={"period": "28"}, headers=csrf(alice))
    pack = PdfReader(io.BytesIO(alice.get(settled(alice, made).json["href"]).data))
    links = [
        str(note.get_object().get("/A", {}).get("/URI", ""))
        for page in pack.pages
        for note in page.get("/Annots", ())
    ]
    assert not [link for link in links if "evil" in link]
    assert "evil.example" in pack.pages[1].extract_text()
