"""Waiting times of a person in Chromium: the real program, at all workspaces beside twelve."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from aggregators.catalogue import DOMAINS
from aggregators.vocabulary.period import PRESETS
from benchmarks.installation import TODAY, Bench
from benchmarks.report.table import Row
from benchmarks.site import first_paint
from benchmarks.site.serving import COOKIE, BenchSite, served

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
PART = "the browser"
INSTANT = 100.0
"""Milliseconds below which people see no delay (Nielsen, Usability Engineering, 1993)."""
AT_LEAST = "the server's answer, 100 ms at least"
ALL = "all@bench.example"
"""Sees every workspace, and has the password that the others have."""
ROUNDS, COLD_ROUNDS = 7, 3
BLOCKED = 200
"""Milliseconds for which nothing may keep the page from answering."""

WATCH = """
window.longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ type: "longtask", buffered: true });
window.when = (there, then) => new Promise((done, failed) => {
  setTimeout(() => failed(new Error(`never there: ${there}`)), 120000);
  const look = () => {
    if (!there()) return false;
    seen.disconnect();
    requestAnimationFrame(() => done(performance.now()));
    return true;
  };
  const seen = new MutationObserver(look);
  seen.observe(document, { childList: true, subtree: true, characterData: true, attributes: true });
  if (then) then();
  look();
});
window.tiles = window.when(() => document.querySelectorAll("#page .tile .headline-value").length === 6);
"""
"""Times are taken within the page, at the first frame with what is waited for."""
OPEN = """(domain) => {
  const start = performance.now();
  const there = () => document.querySelector(
    `.expansion[data-of="${domain}"] :is(article, tbody tr)`);
  return when(there, () => document.querySelector(`[id="tile-${domain}"] .tile-button`).click())
    .then((end) => end - start);
}"""
CLOSE = """() => when(() => !document.querySelector(".expansion"),
  () => document.querySelector("[data-close]").click())"""
MORE = """() => {
  const shown = () => document.querySelectorAll(".expansion :is(article, tbody tr)").length;
  const before = shown(), button = document.querySelector(".expansion [data-more]");
  if (!button) return 0;
  const start = performance.now();
  return when(() => shown() > before, () => {
    button.scrollIntoView({ block: "center" });
    button.click();
  }).then((end) => { window.took = end - start; return shown(); });
}"""
PERIOD = """(period) => {
  const start = performance.now(), select = document.querySelector("#period");
  const before = document.querySelector(".heading").dataset.updated;
  performance.clearResourceTimings();
  return when(() => document.querySelector(".heading").dataset.updated !== before, () => {
    select.value = period.period || "custom";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    if (period.period) return;
    document.querySelector("#custom-start").value = period.start;
    document.querySelector("#custom-end").value = period.end;
    document.querySelector("#custom [type=submit]").click();
  }).then((end) => {
    const sent = performance.getEntriesByType("resource").filter((e) => e.name.includes("_dash-update"));
    return [end - start, sent[0].responseEnd - sent[0].requestStart];
  });
}"""
SIZES = """() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const scripts = all.filter((e) => /[.](js|css|woff2)|_dash-component-suites/.test(e.name));
  const sum = (some) => some.reduce((n, e) => n + e.transferSize, 0) / 1000;
  return [sum(scripts), sum(all) - sum(scripts)];
}"""


def measure(bench: Bench) -> list[Row]:
    """Every row of the page."""
    rounds = ROUNDS if bench.workspaces >= 1000 else 5
    with served(bench) as site, _chromium() as browser:
        emails = {"all": bench.person(ALL, bench.workspaces).email, "few": bench.few.email}
        where = {name: site.path(email) for name, email in emails.items()}
        pages = {n: _signed_in(browser, site, email).new_page() for n, email in emails.items()}
        return [
            *_tiles(pages, where, rounds),
            *_domains(pages, max(2, rounds // 2)),
            *_scrolls(pages["all"]),
            *_period(pages["all"], rounds),
            *_sizes(browser, site, where["all"]),
            *first_paint.rows(
                lambda: _signed_in(browser, site, emails["few"]), where["few"], rounds
            ),
        ]


def cold_tiles(bench: Bench, email: str) -> tuple[float, float]:
    """Milliseconds from the navigation to six tiles with figures that nobody has asked for yet, of a preset
    and of days of one's own; the best of some."""
    with served(bench) as site, _chromium() as browser:
        where, page = site.path(email), _signed_in(browser, site, email).new_page()
        presets = (urlencode({"period": days}) for days in PRESETS)
        own = (urlencode(_unasked(n)) for n in range(COLD_ROUNDS))
        _shown(page, f"{where}?{next(presets)}")
        best_preset, best_own = (
            min(_shown(page, f"{where}?{query}") for query in queries) for queries in (presets, own)
        )
        return best_preset, best_own


@contextmanager
def _chromium() -> Iterator[Browser]:
    executable = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    assert executable, "no Chromium found: make bench installs one"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


def _signed_in(browser: Browser, site: BenchSite, email: str) -> BrowserContext:
    """A browser's profile of its own, with the session of the person."""
    context = browser.new_context(
        base_url=site.address, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    context.add_init_script(WATCH)
    host = urlsplit(site.address).hostname
    assert host
    cookies = site.session(email).cookies
    context.add_cookies(
        [
            {"name": c.name, "value": c.value or "", "domain": host, "path": "/"}
            for c in cookies
            if c.name in (COOKIE, "_csrf_token")
        ]
    )
    return context


def _tiles(pages: dict[str, Page], where: dict[str, str], rounds: int) -> list[Row]:
    """From the navigation to six tiles with figures, with a dashboard that the server has computed
    already, and with one that nobody has asked for before."""
    warm = _in_turn(pages, rounds, lambda name, _: _shown(pages[name], where[name]))
    cold = _in_turn(
        pages,
        max(2, rounds // 2),
        lambda name, n: _shown(pages[name], f"{where[name]}?{urlencode(_unasked(n))}"),
    )
    for name, page in pages.items():
        _shown(page, where[name])
    return [
        Row(
            PART,
            "navigation to six tiles, all workspaces",
            warm["all"],
            warm["few"],
            "ms",
            1.3,
            "12",
        ),
        Row(PART, "the same, not computed yet", cold["all"], cold["few"], "ms", None, "12"),
    ]


def _in_turn(
    pages: dict[str, Page], rounds: int, work: Callable[[str, int], float]
) -> dict[str, float]:
    """Medians, the people in turn, after one round that fills the browser's cache."""
    taken: dict[str, list[float]] = {name: [] for name in pages}
    for n in range(rounds + 1):
        for name in pages:
            taken[name].append(work(name, n))
    return {name: statistics.median(each[1:]) for name, each in taken.items()}


def _shown(page: Page, path: str) -> float:
    page.goto(path if "?" in path else f"{path}?period=28")
    return float(page.evaluate("window.tiles"))


def _unasked(n: int) -> dict[str, str]:
    """Days that nobody has asked for yet, where the data directory is new."""
    end = TODAY - timedelta(days=30 + n)
    return {"start": str(end - timedelta(days=27)), "end": str(end)}


def _domains(pages: dict[str, Page], rounds: int) -> list[Row]:
    """From the press on a tile to its cards."""
    rows, ratios = [], []
    for domain in DOMAINS:
        key = domain.key
        taken = _in_turn(pages, rounds, lambda name, _, key=key: _opened(pages[name], key))
        ratios.append(taken)
        rows.append(
            Row(PART, f"opening {domain.title}", taken["all"], taken["few"], "ms", 1.5, "12")
        )
    middle = {name: statistics.median(each[name] for each in ratios) for name in pages}
    judged = Row(PART, "opening a domain", middle["all"], middle["few"], "ms", 1.5, "12")
    return [judged, *rows]


def _opened(page: Page, key: str) -> float:
    taken = float(page.evaluate(OPEN, key))
    page.evaluate(CLOSE)
    return taken


def _scrolls(page: Page) -> list[Row]:
    """The longest that the page is blocked while all cards, or rows, are brought in and passed by."""
    rows = []
    for what, key, mode in (
        ("cards", "dora", "cards"),
        ("bars", "compliance", "cards"),
        ("rows", "dora", "table"),
    ):
        page.evaluate(OPEN, key)
        if mode == "table":
            page.locator("[data-mode=table]").click()
            page.locator(".expansion tbody tr").first.wait_for()
        shown, worst, longest = _all_of_them(page)
        page.evaluate(CLOSE)
        rows += [
            Row(
                PART,
                f"longest block while {shown:,} {what} are scrolled",
                longest,
                BLOCKED,
                "ms",
                1.0,
                "the most that is allowed",
            ),
            Row(PART, f"the slowest next page of {what}", worst, BLOCKED, "ms", None, "the same"),
        ]
    return rows


def _all_of_them(page: Page) -> tuple[int, float, float]:
    """How many, the slowest next page, and the longest block."""
    page.wait_for_timeout(500)
    page.evaluate("window.longest = 0")
    shown, worst = 0, 0.0
    while now := int(page.evaluate(MORE)):
        shown, worst = now, max(worst, float(page.evaluate("window.took")))
    page.mouse.move(640, 450)
    page.evaluate("document.querySelector('.expansion').scrollIntoView()")
    for _ in range(40):
        page.mouse.wheel(0, 2400)
        page.wait_for_timeout(40)
    page.wait_for_timeout(300)
    return shown, worst, float(page.evaluate("window.longest"))


def _period(page: Page, rounds: int) -> list[Row]:
    """From the choice of a period to its figures, against the server's answer alone: to one that nobody
    has asked for, and to one that is kept. Its answer is there within a frame or two, so that nothing but
    the page's own work would be measured: it counts as INSTANT at least, and stands in a row of its own.
    """
    kept, unread = [], []
    for n in range(rounds + 1):
        kept.append(page.evaluate(PERIOD, {"period": "90"}))
        page.evaluate(PERIOD, {"period": "28"})
        unread.append(page.evaluate(PERIOD, _unasked(100 + n)))
        page.evaluate(PERIOD, {"period": "28"})
    against = "the server's answer"
    (now, alone), (new, computed) = (
        map(statistics.median, zip(*each[1:], strict=True)) for each in (kept, unread)
    )
    return [
        Row(PART, "changing to a kept period", now, max(alone, INSTANT), "ms", 1.3, AT_LEAST),
        Row(PART, "changing to a kept period, alone", now, alone, "ms", None, against),
        Row(PART, "changing to days not asked for yet", new, computed, "ms", 1.3, against),
    ]


def _sizes(browser: Browser, site: BenchSite, path: str) -> list[Row]:
    """Bytes that the very first visit loads, as they come over the wire."""
    context = _signed_in(browser, site, ALL)
    page = context.new_page()
    _shown(page, path)
    scripts, data = page.evaluate(SIZES)
    context.close()
    return [
        Row(PART, "first load: scripts, styles, fonts", scripts, 1000, "KB", None, "a megabyte"),
        Row(PART, "first load: page and data", data, 100, "KB", None, "100 KB"),
    ]
