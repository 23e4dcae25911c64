"""``make screenshots``: the pictures under docs/screenshots, of the demo organisation on a fixed day."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from aggregators.catalogue import DOMAINS  # noqa: E402

PASSWORD, DAY = "only-for-screenshots", "2026-11-23"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PORT = free_port()
ADDRESS = f"http://127.0.0.1:{PORT}"
EXECUTIVE = "/ws/payments/platform/executive"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
SHOTS = [
    ("executive-light", f"{EXECUTIVE}?period=28", 1280, False, False),
    ("executive-dark", f"{EXECUTIVE}?period=28", 1280, True, False),
    ("executive-phone", f"{EXECUTIVE}?period=28", 390, False, True),
    *(
        (f"expansion-{domain.key}", f"{EXECUTIVE}?period=90&domain={domain.key}", 1280, False, True)
        for domain in DOMAINS
    ),
    ("expansion-compliance-dark", f"{EXECUTIVE}?period=28&domain=compliance", 1280, True, True),
    ("expansion-certificates-phone", f"{EXECUTIVE}?period=28&domain=certificates", 390, True, True),
    ("workspace-dora", "/ws/payments/analytics?period=90", 1280, False, True),
    ("why", f"{EXECUTIVE}?period=28&why=worst_change_failure_rate", 1280, False, False),
    ("signals", "/platform/signals", 1440, False, False),
    ("signals-dark", "/platform/signals", 1280, True, False),
    (
        "signals-phone",
        "/platform/signals?signal=search:incidents.mttr:2026-11-22",
        390,
        False,
        True,
    ),
    ("members", "/ws/payments/admin/members", 1280, False, True),
]


UNDRAWN = ".dash-graph:not(:has(.main-svg))"
"""Charts that stand in the page and are still empty."""
COLLECTION = os.environ.get("VIGILO_ACCEPTANCE_DATA", "../shared/data")
REAL_DAY = "2026-08-22"
REAL_SHOTS = [
    ("real-executive", "/ws/flask/platform/executive?period=90&domain=dora", 1280, False, False),
    (
        "real-compliance",
        "/ws/flask/platform/executive?period=90&domain=compliance",
        1280,
        False,
        True,
    ),
]


def main() -> None:
    """Every picture; those of the real records where they are at hand."""
    take({"VIGILO_TODAY": DAY, "VIGILO_ORG_NAME": "Northwind Group"}, SHOTS, pack=True)
    if Path(COLLECTION).is_dir():
        named = {"VIGILO_TODAY": REAL_DAY, "VIGILO_ORG_NAME": "Open source"}
        take(named, REAL_SHOTS, before=(["db", "upgrade"], ["demo", "real", COLLECTION]))
    else:
        print(f"no real records at {COLLECTION}: set VIGILO_ACCEPTANCE_DATA for their pictures")


def take(
    named: dict[str, str],
    shots: list[tuple[str, str, int, bool, bool]],
    before: tuple[list[str], ...] = (),
    *,
    pack: bool = False,
) -> None:
    """Starts the program in a folder of its own, takes its pictures, stops it."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-shots-"))
    environment = (
        os.environ
        | named
        | {
            "VIGILO_DATA_DIR": str(folder),
            "VIGILO_DEMO_PASSWORD": PASSWORD,
            "PORT": str(PORT),
        }
    )
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    for command in before:
        subprocess.run([*flask, *command], env=environment, cwd=HERE.parent, check=True)
    server = subprocess.Popen([*flask, "serve"], env=environment, cwd=HERE.parent)
    try:
        wait()
        out = HERE / "screenshots"
        out.mkdir(exist_ok=True)
        pages(out, shots, sign_in=pack)
        if pack:
            draw_pack(folder, out, flask, environment)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def draw_pack(folder: Path, out: Path, flask: list[str], environment: dict[str, str]) -> None:
    """The board pack and its pages as pictures."""
    pack = folder / "pack.pdf"
    person = ["--as", "alice@demo.example", "--period", "90", "--out", str(pack)]
    command = [*flask, "export", "pdf", *person]
    subprocess.run(command, env=environment, cwd=HERE.parent, check=True)
    subprocess.run(["pdftoppm", "-r", "72", "-png", str(pack), str(out / "pack")], check=True)


def wait() -> None:
    """Until the program is ready."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{ADDRESS}/readyz", timeout=2)
            return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(ADDRESS)


def pages(out: Path, shots: list[tuple[str, str, int, bool, bool]], *, sign_in: bool) -> None:
    """Every page in its theme and width, and that of the sign-in on the way."""
    chromium = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        state = signed_in(browser, out if sign_in else None)
        for name, path, width, dark, whole in shots:
            context = browser.new_context(
                base_url=ADDRESS,
                storage_state=state,
                viewport={"width": width, "height": 900 if width > 700 else 844},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.goto(path)
            page.wait_for_selector("h1")
            expect(page.locator("#first-paint, .skeletons")).to_have_count(0, timeout=60_000)
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(1500)
            expect(page.locator(UNDRAWN)).to_have_count(0, timeout=60_000)
            page.screenshot(path=out / f"{name}.png", full_page=whole)
            context.close()
        browser.close()


def signed_in(browser: Browser, out: Path | None) -> dict:
    """The cookies of the demo's platform admin; takes the sign-in page on the way where it is wanted."""
    page = browser.new_page(base_url=ADDRESS)
    page.goto("/login")
    page.evaluate("document.fonts.ready.then(() => true)")
    if out:
        page.screenshot(path=out / "sign-in.png")
    page.get_by_label("Email").fill("alice@demo.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#page .heading")
    state = page.context.storage_state()
    page.context.close()
    return dict(state)


if __name__ == "__main__":
    main()
