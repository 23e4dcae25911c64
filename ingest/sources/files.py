"""Files from a folder or an address: every format that is imported by hand, when it changes.

A file's kind stands in its name (``deployments.csv``, ``incidents-2026.json``) or in the settings. What has
not changed is not read again: by tag where the server gives one, else by the digest of its content.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from ingest.formats import FORMATS
from ingest.kinds import KINDS
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Cursor, Pull, PulledPiece, PullScope, Setting, Source
from ingest.pulling.wire.answers import SenderAnswer

STILL_SECONDS = 2.0
"""How long a file must not have been written to: half a file is none."""
MOST_FILES = 10_000
LARGEST_FILE = 512 * 1024 * 1024
ORDER = ("deployments", "slos", "vendors")
"""Kinds that others refer to: read first."""
TENANT_KINDS = [name for name, kind in KINDS.items() if kind.tenant]


def kind_in(name: str, settled: str) -> str:
    """The kind of records in a file of that name; empty where nothing tells it."""
    if settled:
        return settled
    stem = name.lower()
    fitting = [kind for kind in TENANT_KINDS if stem.startswith(kind)]
    return max(fitting, key=len, default="")


def folder_of(pull: Pull) -> Path | None:
    """The folder that is read, None for an address. Raises SourceProblem for one that the operator does not
    allow."""
    chosen_place = pull.settings["place"]
    if chosen_place.startswith(("http://", "https://")):
        return None
    for base in pull.folders:
        chosen = (base / chosen_place).resolve()
        if chosen.is_relative_to(base.resolve()):
            if not chosen.is_dir():
                raise SourceProblem(
                    "not_found_or_hidden", f"There is no folder {chosen_place} below {base}."
                )
            return chosen
    allowed = ", ".join(map(str, pull.folders))
    raise SourceProblem(
        "blocked_address", f"Folders are read below {allowed} (VIGILO_SOURCE_FOLDERS)."
    )


def pulled(pull: Pull) -> Iterator[PulledPiece]:
    """Each file that is new or has changed."""
    folder = folder_of(pull)
    for scope in pull.scopes:
        if folder is not None:
            yield from _of_folder(pull, scope, folder)
        else:
            yield from _of_address(pull, scope)


def _of_folder(pull: Pull, scope: PullScope, folder: Path) -> Iterator[PulledPiece]:
    names = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    for path in sorted(
        names[:MOST_FILES], key=lambda p: _rank(kind_in(p.name, pull.settings["kind"]))
    ):
        if not path.resolve().is_relative_to(folder):
            pull.note(f"{path.name} leads out of the folder and is left out.")
            continue
        name = path.relative_to(folder).as_posix()
        known = pull.memory.cursor(scope.external_id, name)
        stat = path.stat()
        mark = {"size": stat.st_size, "changed": stat.st_mtime_ns}
        if all(known.get(key) == value for key, value in mark.items()):
            continue
        # A time to come is of another clock, or of one that was set back: it would be waited for that long.
        if abs(time.time() - stat.st_mtime) < STILL_SECONDS:
            pull.note(f"{name} is being written; it is read the next time.")
            continue
        if stat.st_size > LARGEST_FILE:
            pull.note(f"{name} is larger than {LARGEST_FILE // 2**20} MB and is left out.")
            continue
        digest = _digest(path)
        yield from _piece(pull, scope, name, path, {**mark, "sha256": digest}, known)


def _rank(kind: str) -> tuple[bool, str]:
    return kind not in ORDER, kind


def _piece(
    pull: Pull, scope: PullScope, name: str, path: Path, cursor: Cursor, known: Cursor
) -> Iterator[PulledPiece]:
    """The file, or its cursor alone where its content is the same."""
    kind = kind_in(Path(name).name, pull.settings["kind"])
    if not kind:
        pull.note(f"{name}: its name tells no kind of records; choose one in the settings.")
        return
    form = pull.settings["format"] or None
    if form is not None and kind not in FORMATS[form].readers:
        pull.note(f"{name}: the format {form} has no {kind}.")
        return
    if known.get("sha256") == cursor["sha256"]:
        yield PulledPiece(scope, name, cursor)
        return
    yield PulledPiece(
        scope,
        name,
        cursor,
        kind=kind,
        path=path,
        form=form,
        first=pull.since,
        progress=name,
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_address(pull: Pull, scope: PullScope) -> Iterator[PulledPiece]:
    chosen_place = pull.settings["place"]
    headers = {"Authorization": pull.secret} if pull.secret else {}
    client = pull.client(chosen_place, headers)
    for url in _listed(pull, chosen_place):
        name = unquote(urlsplit(url).path.rpartition("/")[2]) or "file"
        known = pull.memory.cursor(scope.external_id, url)
        answer = client.get(url, etag=known.get("etag", ""))
        if answer.is_same:
            continue
        cursor = {"etag": answer.etag, "sha256": hashlib.sha256(answer.body).hexdigest()}
        with tempfile.TemporaryDirectory(prefix="vigilo-source-") as folder:
            path = Path(folder) / Path(name).name
            path.write_bytes(answer.body)
            for piece in _piece(pull, scope, name, path, cursor, known):
                yield PulledPiece(
                    scope,
                    url,
                    cursor,
                    kind=piece.kind,
                    path=piece.path,
                    form=piece.form,
                    first=piece.first,
                    progress=piece.progress,
                )


def _listed(pull: Pull, chosen_place: str) -> list[str]:
    """Addresses of the files: the place itself, or those of a listing as nginx gives it in JSON."""
    if not chosen_place.endswith("/"):
        return [chosen_place]
    headers = {"Authorization": pull.secret} if pull.secret else {}
    answer: SenderAnswer = pull.client(chosen_place, headers).get(chosen_place)
    entries = answer.json
    if not isinstance(entries, list) or any(not isinstance(e, dict) for e in entries):
        raise SourceProblem(
            "changed_shape", "The folder lists no files: turn autoindex_format json on."
        )
    names = [str(e["name"]) for e in entries if e.get("type") == "file" and e.get("name")]
    names.sort(key=lambda n: _rank(kind_in(n, pull.settings["kind"])))
    return [urljoin(chosen_place, name) for name in names[:MOST_FILES]]


def tested(pull: Pull) -> list[str]:
    """Looks at what would be read."""
    folder = folder_of(pull)
    if folder is None:
        chosen_place = pull.settings["place"]
        names = [urlsplit(url).path.rpartition("/")[2] for url in _listed(pull, chosen_place)]
        if not chosen_place.endswith("/"):
            headers = {"Authorization": pull.secret} if pull.secret else {}
            pull.client(chosen_place, headers).get(chosen_place)
    else:
        names = [p.name for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    told = [(name, kind_in(name, pull.settings["kind"])) for name in sorted(names)[:20]]
    return [f"{name}: {kind or 'its name tells no kind'}" for name, kind in told] or [
        "There is no file yet."
    ]


SOURCE = Source(
    kind="files",
    title="Files from a folder or an address",
    about="Every file that can be imported, in any format: CSV, scanners' reports, exports of GRC tools. A"
    " file is read when it is new or has changed; afterwards it is left alone.",
    fills=tuple(TENANT_KINDS),
    settings=(
        Setting("place", "Folder or address", help="A folder below the one that the operator allows, the"
                " https:// address of a file, or that of a folder (with / at its end) that lists its files"
                " in JSON, as nginx does with autoindex_format json."),
        Setting("kind", "Records", "choice", required=False, choices=tuple(TENANT_KINDS),
                help="Empty: each file's name begins with its kind, such as incidents-2026.csv."),
        Setting("format", "Format", "choice", required=False, choices=tuple(FORMATS),
                help="Empty: by the look of each file."),
    ),
    pull=pulled,
    test=tested,
    credential="Content of the header Authorization, such as Bearer TOKEN; empty where none is needed",
    permissions=("Reading of the files",),
    history="Whatever the files hold.",
    limits="32 MB a file from an address, 512 MB from a folder; unpacked files are bounded as well.",
    minutes=60,
)  # fmt: skip
