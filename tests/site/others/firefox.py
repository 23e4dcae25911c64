"""Firefox through its own WebDriver BiDi: no driver beside it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websocket import WebSocket, create_connection

from tests.site.others.driven import HEIGHT, PATIENCE, WIDTH, DrivenPage, ElementGoneError

LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "pdfjs.disabled": True,
}


class FirefoxPage(DrivenPage):
    """The one tab of a Firefox."""

    def __init__(self, socket: WebSocket, downloads: Path) -> None:
        self.socket, self.downloads = socket, downloads
        self.complaints = []
        self.sent = 0
        self.send("session.new", capabilities={})
        (tab,) = self.send("browsingContext.getTree")["contexts"]
        self.tab = {"context": tab["context"]}
        self.send("session.subscribe", events=["log.entryAdded"])
        viewport = {"width": WIDTH, "height": HEIGHT}
        self.send("browsingContext.setViewport", viewport=viewport, **self.tab)
        allowed = {"type": "allowed", "destinationFolder": str(downloads)}
        self.send("browser.setDownloadBehavior", downloadBehavior=allowed)

    def send(self, method: str, **parameters: Any) -> Any:
        """Result of a command; what is told in between is heard."""
        self.sent += 1
        self.socket.send(json.dumps({"id": self.sent, "method": method, "params": parameters}))
        while (told := json.loads(self.socket.recv())).get("id") != self.sent:
            entry = told.get("params", {})
            if entry.get("level") == "error":
                self.complaints.append(f"{entry['text']} {json.dumps(entry.get('args', []))}")
        is_gone = told.get("error") in (
            "stale element reference",
            "no such element",
            "no such node",
        )
        if is_gone or "is not displayed" in str(told.get("message")):
            raise ElementGoneError(method)
        assert told["type"] == "success", f"{method}: {told.get('message')}"
        return told["result"]

    def navigate(self, url: str) -> None:
        """Goes to an address and waits until it is loaded."""
        self.send("browsingContext.navigate", url=url, wait="complete", **self.tab)

    def call(self, function: str) -> Any:
        """Value of a JavaScript function; of an element its reference."""
        told = self.send(
            "script.callFunction", functionDeclaration=function, target=self.tab, awaitPromise=True
        )
        assert told["type"] == "success", told["exceptionDetails"]["text"]
        value = told["result"]
        if value["type"] == "node":
            return {"type": "element", "element": {"sharedId": value["sharedId"]}}
        return value.get("value")

    def perform(self, actions: list[dict[str, Any]]) -> None:
        """Moves the pointer and presses keys."""
        self.send("input.performActions", actions=actions, **self.tab)

    def back(self) -> None:
        """Steps back in the history."""
        self.send("browsingContext.traverseHistory", delta=-1, **self.tab)

    def reload(self) -> None:
        """Loads the page again."""
        self.send("browsingContext.reload", wait="complete", **self.tab)


@contextmanager
def firefox(program: str, folder: Path) -> Iterator[DrivenPage]:
    """A Firefox without a window, with a profile of its own in a folder."""
    profile, downloads = folder / "profile", folder / "downloads"
    profile.mkdir(), downloads.mkdir()
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = [program, "--headless", "--no-remote", "--profile", str(profile)]
    process = subprocess.Popen(
        [*command, "--remote-debugging-port", "0", "about:blank"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stderr is not None
        address = next(filter(None, map(LISTENING.search, process.stderr)))[1]
        socket = create_connection(f"{address}/session", timeout=PATIENCE, suppress_origin=True)
        yield FirefoxPage(socket, downloads)
        socket.close()
    finally:
        process.terminate()
        process.wait(PATIENCE)
