"""A page of any browser as a person uses it: opened, pressed, typed into, waited for.

Firefox speaks WebDriver BiDi and WebKit WebDriver; both take the same actions of a pointer and of keys, so
all but the wire is written once.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 1280, 900
PATIENCE = 60.0
LOOK = 0.05
LIBRARY = """
const text = (e) => (e?.textContent ?? "").replace(/\\s+/g, " ").trim();
const label = (e) => e.getAttribute("aria-label") ?? (e.getAttribute("aria-labelledby") ?? "").split(" ")
  .map((id) => text(document.getElementById(id))).join(" ").trim();
const all = (css, place) => [...((place ? region(place) : document)?.querySelectorAll(css) ?? [])]
  .filter((e) => e.checkVisibility());
const region = (name) => all("section, [role=region]").find((e) => label(e) === name);
const named = (css, name, place) => all(css, place).find((e) => (label(e) || text(e)).includes(name));
const button = (name, place) => named("button", name, place);
const link = (name, place) => named("a", name, place);
"""
"""Functions that every script may use: what is visible, by its name, on the page or in a region."""


class ElementGoneError(Exception):
    """Element that the page has drawn anew since it was looked at."""


class DrivenPage(ABC):
    """A page of a browser; scripts are expressions over ``LIBRARY``, or bodies with a ``return``."""

    address = ""
    """Of the site: paths are below it."""

    complaints: list[str]
    """Errors that the console told."""

    downloads: Path
    """Folder that the browser puts files in."""

    @abstractmethod
    def navigate(self, url: str) -> None:
        """Goes to an address and waits until it is loaded."""

    @abstractmethod
    def call(self, function: str) -> Any:
        """Value of a JavaScript function without arguments; of an element a reference to it."""

    @abstractmethod
    def perform(self, actions: list[dict[str, Any]]) -> None:
        """Moves the pointer and presses keys; an element is an origin."""

    @abstractmethod
    def back(self) -> None:
        """Steps back in the history."""

    @abstractmethod
    def reload(self) -> None:
        """Loads the page again."""

    def open(self, path: str) -> None:
        """Goes to a path of the site."""
        self.navigate(self.address + path)

    def see(self, script: str) -> Any:
        """Waits until a script gives something; that."""
        body = script if "return " in script else f"return {script}"
        function = f"() => {{ {LIBRARY} {body} }}"
        deadline = time.monotonic() + PATIENCE
        while not (found := self.call(function)):
            assert time.monotonic() < deadline, f"never there: {script}"
            time.sleep(LOOK)
        return found

    def press(self, script: str) -> None:
        """Presses the middle of the element that a script gives; of one that is drawn anew meanwhile, of
        the new one."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._press(script)
                return
            except ElementGoneError:
                assert time.monotonic() < deadline, f"drawn anew again and again: {script}"

    def _press(self, script: str) -> None:
        element = self.see(
            f"const e = {script}; e?.scrollIntoView({{ block: 'center', behavior: 'instant' }}); return e;"
        )
        moves = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": element},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"pointerType": "mouse"}
        self.perform([{"type": "pointer", "id": "mouse", "parameters": mouse, "actions": moves}])

    def type(self, script: str, words: str) -> None:
        """Presses a field and types into it."""
        self.press(script)
        self.strike(words)

    def strike(self, words: str) -> None:
        """Strikes keys."""
        strokes = [
            {"type": kind, "value": letter} for letter in words for kind in ("keyDown", "keyUp")
        ]
        self.perform([{"type": "key", "id": "keys", "actions": strokes}])

    def choose(self, select: str, option: str) -> None:
        """Chooses an option of a list by its words, as the browser tells the page of it."""
        self.see(
            f"""const list = {select};
            const one = [...list?.options ?? []].find((o) => text(o) === "{option}");
            if (!one) return false;
            one.selected = true;
            const tell = (kind) => list.dispatchEvent(new Event(kind, {{ bubbles: true }}));
            ["input", "change"].forEach(tell);
            return true;"""
        )

    def sign_in(self, who: str, password: str) -> None:
        """Through the sign-in page."""
        self.open("/login")
        self.type("document.querySelector('[name=email]')", f"{who}@demo.example")
        self.type("document.querySelector('[name=password]')", password)
        self.press("button('Sign in')")
        self.see("!location.pathname.startsWith('/login')")

    def downloaded(self, ending: str) -> Path:
        """File that has arrived whole."""
        deadline = time.monotonic() + 2 * PATIENCE
        while not (found := [p for p in self.downloads.glob(f"*{ending}") if p.stat().st_size]):
            assert time.monotonic() < deadline, (
                f"no {ending} among {list(self.downloads.iterdir())}"
            )
            time.sleep(LOOK)
        return found[0]
