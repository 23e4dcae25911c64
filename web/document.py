"""The HTML document that Dash starts from: the shell around it, what is seen before its scripts have run,
and the page's own modules.

Dash's own answer is taken apart once; each reader's document is made of the parts. Until Dash has drawn its
layout, the reader sees the same layout as plain HTML, so nothing jumps when it comes.

Nothing but the styles, the theme and the type face comes before the first frame, and the first two are in
the document itself. Dash's scripts and the modules, those of the shell too, are fetched and run after it
(``assets/page/begin.js``): fetched with the document, at whatever priority, they would stand a fifth of a
second between the reader and what is in the document already.

The modules are plain ES modules, served as they are. Dash would include each file of ``assets`` as a
classic script; these it leaves out (``assets_path_ignore``). A browser would learn of the others one after
the other, from their imports: the document names all of them, and they are fetched at once. The address of
every asset has a version in it, so that a browser that has them asks no more: twenty questions would cost
each page 200 ms on a busy machine, and the one for the type face or the style sheet stood before the first
frame of each page.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, make_response, send_from_directory
from markupsafe import Markup

from web.forms import wrong_at

FOLDER, BEGINNING = "page", "begin.js"
ENTRIES = ("shell.js", "main.js")
YEAR = 365 * 86400
STYLES = ("base.css", "page.css")
CUT = "<!-- cut -->"
STYLE_LINK = re.compile(r'<link rel="stylesheet" href="/assets/page\.css[^"]*">')
SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
RENDERER = re.compile(r'<script id="_dash-renderer"[^>]*>.*?</script>', re.DOTALL)
INDEX = CUT.join(("{%css%}", "{%app_entry%}", "{%config%}{%scripts%}{%renderer%}"))
"""Dash's ``index_string``: its parts, to be cut apart again."""


@dataclass(frozen=True, slots=True)
class DocumentParts:
    """Parts of a document that are the same for everyone: the head, the page's styles, the place that Dash
    draws into, what is seen there before, and the scripts."""

    head: Markup
    styles: Markup
    entry: Markup
    first: Markup
    scripts: Markup


def parts_of(index: str, assets: Path, first: str) -> DocumentParts:
    """The parts of Dash's answer to ``INDEX``, with the modules below ``assets``."""
    head, entry, scripts = index.split(CUT)
    made = (STYLE_LINK.sub("", head), styles(assets), entry, first, _run_later(scripts, assets))
    return DocumentParts(*map(Markup, made))


def _run_later(scripts: str, assets: Path) -> str:
    """Dash's settings, and the names of all that is fetched after the first frame: its scripts and the
    modules."""
    addresses = SCRIPT.findall(scripts)
    settings = RENDERER.sub("", SCRIPT.sub("", scripts))
    later = {
        "scripts": addresses,
        "modules": module_paths(assets),
        "entries": [f"{base(assets)}{FOLDER}/{name}" for name in ENTRIES],
    }
    names = json.dumps(later).replace("<", "\\u003c")
    return "\n".join(
        [
            settings,
            f'<script id="later" type="application/json">{names}</script>',
            f'<script type="module" src="{base(assets)}{FOLDER}/{BEGINNING}"></script>',
        ]
    )


def styles(assets: Path) -> str:
    """Style sheets of the drawn pages as one element."""
    text = "".join((assets / name).read_text(encoding="utf-8") for name in STYLES)
    text = text.replace('url("fonts/', f'url("{base(assets)}fonts/')
    return f"<style>{text}</style>"


@cache
def theme(assets: Path) -> tuple[Markup, str]:
    """The script that chooses the theme before anything is drawn, and its hash for the policy."""
    text = (assets / "theme.js").read_text(encoding="utf-8")
    digest = b64encode(sha256(text.encode()).digest()).decode()
    return Markup(f"<script>{text}</script>"), f"'sha256-{digest}'"  # noqa: S704 - our own file


def serve_assets(app: Flask, assets: Path) -> None:
    """Serves the assets under the address of their version. A page of another version, left open over an
    upgrade, gets those of today for this once."""
    folder = base(assets)
    app.jinja_env.globals |= {
        "assets": folder,
        "modules": f"{folder}{FOLDER}/",
        "wrong_at": wrong_at,
    }

    @app.get("/assets/v-<version>/<path:name>")
    def asset(version: str, name: str) -> Response:
        is_current = folder == f"/assets/v-{version}/"
        answer = send_from_directory(assets, name, max_age=YEAR if is_current else 0)
        answer.cache_control.immutable = is_current
        return answer


@cache
def base(assets: Path) -> str:
    """The address of the assets, which changes when one of them does."""
    contents = sha256()
    for path in sorted(path for path in assets.rglob("*") if path.is_file()):
        contents.update(path.read_bytes())
    return f"/assets/v-{contents.hexdigest()[:12]}/"


def module_paths(assets: Path) -> list[str]:
    """The address of each module, sorted."""
    folder = base(assets)
    modules = sorted((assets / FOLDER).rglob("*.js"))
    return [folder + path.relative_to(assets).as_posix() for path in modules]


def made_daily(view: Callable[..., Any], today: Callable[[], date]) -> Callable[..., Response]:
    """View whose answer is the same for everyone, whatever the path, until the day ends."""
    made: dict[date, tuple[bytes, str]] = {}

    def answer(**_path: str) -> Response:
        day = today()
        made_today = made.get(day)
        if made_today is None:
            first = make_response(view(**_path))
            made_today = first.get_data(), first.content_type
            made.clear()
            made[day] = made_today
        body, kind = made_today
        return Response(body, content_type=kind)

    return answer
