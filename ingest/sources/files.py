"""Files from a folder or an address: every format that is imported by hand, when it changes.

A file's kind stands in its name (``deployments.csv``, ``incidents-2026.json``) or in the settings. What has
not changed is not read again: by tag where the server gives one, else by when it was changed, and always by
the digest of its content. Once a week a file is asked for whatever its tag says, as some say the same of
what is not.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ingest.formats import FORMATS
from ingest.kinds import KINDS
from ingest.pulling.client import Client
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import Cursor, Pull, PulledPiece, PullScope, Setting, Source
from ingest.pulling.wire.answers import SenderAnswer

STILL_SECONDS = 2.0
"""How long a file must not have been written to: half a file is none."""
MOST_FILES = 10_000
WHOLE = timedelta(days=7)
"""Time after which a file is asked for whatever its tag says."""
TICK = timedelta(seconds=2)
"""Time that a change must be old before the instant of it tells one file from another: it has whole
seconds."""
LONGEST_NAME = 120
ALONE = ("not_found_or_hidden", "scope_missing", "too_large", "changed_shape", "moved_elsewhere")
"""Problems of one file among several, which keep no other from being read."""
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
                told_so = f"There is no folder {chosen_place} below {base}."
                raise SourceProblem("not_found_or_hidden", told_so, "settings.place")
            return chosen
    allowed = ", ".join(map(str, pull.folders))
    told_so = f"Folders are read below {allowed} (VIGILO_SOURCE_FOLDERS)."
    raise SourceProblem("blocked_address", told_so, "settings.place")


def pull_pieces(pull: Pull) -> Iterator[PulledPiece]:
    """Each file that is new or has changed."""
    folder = folder_of(pull)
    for scope in pull.scopes:
        if folder is not None:
            yield from _of_folder(pull, scope, folder)
        else:
            yield from _pieces_of_address(pull, scope)


def _of_folder(pull: Pull, scope: PullScope, folder: Path) -> Iterator[PulledPiece]:
    names = sorted(files_in(folder))
    for path in _first(pull, names, [path.name for path in names]):
        try:
            yield from _of_file(pull, scope, folder, path)
        except OSError as error:
            pull.note(f"{path.name} can not be read: {error.strerror or type(error).__name__}.")


def files_in(folder: Path) -> Iterator[Path]:
    """Files of a folder and of those below it, but for hidden ones."""
    for path in folder.rglob("*"):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not is_hidden and path.is_file():
            yield path


def _first(pull: Pull, things: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """As many things as are read at once, by what their names tell: what others refer to first."""
    if len(things) > MOST_FILES:
        pull.note(f"There are {len(things):,} files; the first {MOST_FILES:,} are read.")
    ranks = [_rank(kind_in(name, pull.settings["kind"])) for name in names[:MOST_FILES]]
    ranked = zip(ranks, things[:MOST_FILES], strict=True)
    return [thing for _, thing in sorted(ranked, key=lambda each: each[0])]


def _of_file(pull: Pull, scope: PullScope, folder: Path, path: Path) -> Iterator[PulledPiece]:
    """A file of a folder, where it is new or has changed and stands still. Raises OSError."""
    if not path.resolve().is_relative_to(folder):
        pull.note(f"{path.name} leads out of the folder and is left out.")
        return
    name = path.relative_to(folder).as_posix()
    kind = _kind_of(pull, name)
    known = pull.memory.cursor(scope.external_id, name)
    stat = path.stat()
    mark = {"size": stat.st_size, "changed": stat.st_mtime_ns}
    if not kind or all(known.get(key) == value for key, value in mark.items()):
        return
    # A time to come is of another clock, or of one that was set back: it would be waited for that long.
    if abs(time.time() - stat.st_mtime) < STILL_SECONDS:
        pull.note(f"{name} is being written; it is read the next time.")
        return
    if stat.st_size > LARGEST_FILE:
        pull.note(f"{name} is larger than {LARGEST_FILE // 2**20} MB and is left out.")
        return
    cursor = {**mark, "sha256": digest_of(path)}
    yield _piece(pull, PulledPiece(scope, name, cursor, progress=name), kind, path, known)


def _kind_of(pull: Pull, name: str) -> str:
    """Kind that a file of that name is read as; empty, and told, where there is no telling."""
    kind = kind_in(Path(name).name, pull.settings["kind"])
    form = pull.settings["format"]
    if not kind:
        pull.note(f"{name}: its name tells no kind of records; choose one in the settings.")
        return ""
    if form and kind not in FORMATS[form].readers:
        pull.note(f"{name}: the format {form} has no {kind}.")
        return ""
    return kind


def _rank(kind: str) -> tuple[bool, str]:
    return kind not in ORDER, kind


def _piece(pull: Pull, bare: PulledPiece, kind: str, path: Path, cursor: Cursor) -> PulledPiece:
    """The file, or its cursor alone where its content is the same."""
    if cursor.get("sha256") == bare.cursor["sha256"]:
        return bare
    return replace(
        bare,
        kind=kind,
        path=path,
        form=pull.settings["format"] or None,
        first=pull.since,
    )


def digest_of(path: Path) -> str:
    """Digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pieces_of_address(pull: Pull, scope: PullScope) -> Iterator[PulledPiece]:
    """Pieces of each file; one that fails in a listing stops none of the others."""
    client, urls = _client(pull), _file_addresses(pull)
    for url in urls:
        try:
            yield from _of_url(pull, client, scope, url)
        except SourceProblem as problem:
            if not pull.settings["place"].endswith("/") or problem.code not in ALONE:
                raise
            pull.note(f"{_name_in(url)}: {problem}")


def _client(pull: Pull) -> Client:
    headers = {"Authorization": pull.secret} if pull.secret else {}
    return pull.client(pull.settings["place"], headers)


def _name_in(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2]) or "file"


def _of_url(pull: Pull, client: Client, scope: PullScope, url: str) -> Iterator[PulledPiece]:
    """The file of an address, where it is new or has changed."""
    name = _name_in(url)
    kind = _kind_of(pull, name)
    if not kind:
        return
    known = pull.memory.cursor(scope.external_id, url)
    etag, changed = _condition(pull, known)
    answer = client.get(url, etag=etag, changed_since=changed)
    if answer.is_same:
        return
    cursor = {
        **_validators(answer),
        "sha256": hashlib.sha256(answer.body).hexdigest(),
        "whole": known["whole"] if etag or changed else pull.now.isoformat(),
    }
    with tempfile.TemporaryDirectory(prefix="vigilo-source-") as folder:
        path = Path(folder) / _safe(name)
        path.write_bytes(answer.body)
        yield _piece(pull, PulledPiece(scope, url, cursor, progress=name), kind, path, known)


def _condition(pull: Pull, cursor: Cursor) -> tuple[str, str]:
    """Tag and instant of change of the file that is known; nothing where it is to be read whatever those
    say."""
    whole = cursor.get("whole")
    if whole is None or pull.now - datetime.fromisoformat(whole) > WHOLE:
        return "", ""
    return cursor.get("etag", ""), cursor.get("changed", "")


def _validators(answer: SenderAnswer) -> Cursor:
    """Tag of a file, and when it was changed where that is long enough ago to tell it from the next."""
    changed = answer.headers.get("last-modified", "")
    try:
        now = answer.instant
        is_old = now is not None and parsedate_to_datetime(changed) < now - TICK
    except (ValueError, TypeError, OverflowError):
        is_old = False
    etag = "" if answer.etag.strip() == "*" else answer.etag
    return {"etag": etag, "changed": changed if is_old else ""}


def _safe(name: str) -> str:
    """A file's name as a file of ours may have it: its beginning and its end, which tell what it is."""
    plain = "".join(c if c.isalnum() or c in "._- " else "_" for c in name).lstrip(".") or "file"
    half = LONGEST_NAME // 4
    return plain if len(plain) <= 2 * half else plain[:half] + plain[-half:]


def _file_addresses(pull: Pull) -> list[str]:
    """Addresses of the files: the place itself, or those of a listing as nginx or Caddy gives it in
    JSON."""
    chosen_place = pull.settings["place"]
    if not chosen_place.endswith("/"):
        return [chosen_place]
    entries = _client(pull).get(chosen_place).json
    if not isinstance(entries, list) or any(not isinstance(e, dict) for e in entries):
        raise SourceProblem(
            "changed_shape", "The folder lists no files: turn autoindex_format json on."
        )
    files = [e for e in entries if e.get("type") == "file" or e.get("is_dir") is False]
    names = [str(e["name"]) for e in files if e.get("name")]
    return [chosen_place + quote(name, safe="") for name in _first(pull, names, names)]


def test_connection(pull: Pull) -> list[str]:
    """Looks at what would be read."""
    folder = folder_of(pull)
    if folder is None:
        names = [_name_in(url) for url in _file_addresses(pull)]
        if not pull.settings["place"].endswith("/"):
            _client(pull).get(pull.settings["place"])
    else:
        names = [path.name for path in files_in(folder)]
    named_kinds = [(name, kind_in(name, pull.settings["kind"])) for name in sorted(names)[:20]]
    return [f"{name}: {kind or 'its name tells no kind'}" for name, kind in named_kinds] or [
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
    pull=pull_pieces,
    test=test_connection,
    credential="Content of the header Authorization, such as Bearer TOKEN; empty where none is needed",
    permissions=("Reading of the files",),
    history="Whatever the files hold.",
    limits="32 MB a file from an address, 512 MB from a folder; unpacked files are bounded as well.",
    minutes=60,
)  # fmt: skip
