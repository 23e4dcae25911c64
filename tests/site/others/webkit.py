"""WebKit through its WebDriver, on a display of its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.site.conftest import free_port
from tests.site.others.driven import HEIGHT, LOOK, PATIENCE, WIDTH, DrivenPage, ElementGoneError

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""Name under which WebDriver gives references to elements."""


class WebKitPage(DrivenPage):
    """The one window of a WebKit; ``told`` is the file that its console is written to."""

    def __init__(self, driver: str, browser: Path, downloads: Path, told: Path) -> None:
        self.downloads, self.told = downloads, told
        options = {
            "binary": str(browser),
            "args": ["--automation", "--enable-write-console-messages-to-stdout=true"],
        }
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        self.session = f"{driver}/session"
        made = self.send("POST", "", capabilities=wanted)
        self.session += f"/{made['sessionId']}"
        self.send("POST", "/window/rect", width=WIDTH, height=HEIGHT)

    @property
    def complaints(self) -> list[str]:  # type: ignore[override]
        """Errors among what the console has told."""
        lines = self.told.read_text(errors="replace").splitlines()
        return [line for line in lines if line.startswith("CONSOLE") and " ERROR " in line]

    def send(self, verb: str, path: str, **body: Any) -> Any:
        """Value of a command's answer."""
        sent = body if verb == "POST" else None
        answer = requests.request(verb, self.session + path, json=sent, timeout=PATIENCE)
        value = answer.json()["value"]
        if not answer.ok and value.get("error") in ("stale element reference", "no such element"):
            raise ElementGoneError(path)
        assert answer.ok, f"{path}: {value.get('error')}: {value.get('message')}"
        return value

    def navigate(self, url: str) -> None:
        """Goes to an address and waits until it is loaded."""
        self.send("POST", "/url", url=url)

    def call(self, function: str) -> Any:
        """Value of a JavaScript function; of an element its reference."""
        return self.send("POST", "/execute/sync", script=f"return ({function})()", args=[])

    def perform(self, actions: list[dict[str, Any]]) -> None:
        """Moves the pointer and presses keys."""
        self.send("POST", "/actions", actions=actions)

    def back(self) -> None:
        """Steps back in the history."""
        self.send("POST", "/back")

    def reload(self) -> None:
        """Loads the page again."""
        self.send("POST", "/refresh")


@contextmanager
def webkit(programs: tuple[str, str, Path], folder: Path) -> Iterator[DrivenPage]:
    """A WebKit on a display that nobody sees; the programs are the display, the driver and the browser."""
    display, driver, browser = programs
    downloads, told, port = folder / "downloads", folder / "console.log", free_port()
    downloads.mkdir()
    places = folder / ".config" / "user-dirs.dirs"
    places.parent.mkdir()
    places.write_text(f'XDG_DOWNLOAD_DIR="{downloads}"\n')
    screen = subprocess.Popen(
        [display, "-displayfd", "1", "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert screen.stdout is not None
    environment = os.environ | {
        "DISPLAY": f":{screen.stdout.readline().strip()}",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(places.parent),
    }
    with told.open("w") as log:
        process = subprocess.Popen(
            [driver, f"--port={port}"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    page = None
    try:
        _wait(port)
        page = WebKitPage(f"http://127.0.0.1:{port}", browser, downloads, told)
        yield page
    finally:
        if page is not None:
            page.send("DELETE", "")
        for each in (process, screen):
            each.terminate()
            each.wait(PATIENCE)


def _wait(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if requests.get(f"http://127.0.0.1:{port}/status", timeout=2).ok:
                return
        except OSError:
            time.sleep(LOOK)
    raise AssertionError("the driver of WebKit does not answer")
