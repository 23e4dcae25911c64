"""Git over HTTP: the tags of repositories as releases, with the commits in each, as ``--format git`` reads
them from a clone.

A run asks for the tags first; only where they have changed is the repository cloned, without the contents
of files (``--mirror --filter=blob:none``), into a folder that lives as long as the run. Git asks the
checked address, follows no redirection, reads no configuration of the machine, and signs in by its
environment, so that no secret stands in a command.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

from ingest.formats import git as of_git
from ingest.formats.form import Format
from ingest.pulling.guard import AddressGuard
from ingest.pulling.problems import SourceProblem
from ingest.pulling.shape import FoundScope, Pull, PulledPiece, PullScope, Setting, Source
from ingest.reader import FormatInput, RawRecord

LISTING, CLONING = 60.0, 600.0
"""Seconds that a list of tags, and a clone, may take."""
LARGEST = 4 * 1024**3
"""Bytes of a clone: the history of Linux, without the contents of its files, is a third of that."""
LOOK = 0.2
PROBLEMS = (
    ("token_invalid", ("could not read Username", "Authentication failed", "error: 401", "error: 403")),
    ("tls_untrusted", ("SSL certificate", "certificate verify", "certificate verification failed")),
    ("moved_elsewhere", ("error: 30", "unable to update url base from redirection")),
    ("not_found_or_hidden", ("not found", "error: 404", "does not appear to be a git repository")),
    ("rate_limited", ("error: 429",)),
    ("unreachable", ("Could not resolve", "Failed to connect", "Connection", "timed out", "error: 5",
                     "Empty reply", "early EOF", "hung up", "too slow")),
)  # fmt: skip
"""Words of git by which a problem is known; in this order."""


@dataclass(frozen=True, slots=True)
class GitSender:
    """How git asks one server."""

    guard: AddressGuard
    secret: str = field(default="", repr=False)
    ca_file: str | None = None
    proxy: str | None = None

    def tags(self, url: str) -> str:
        """Digest of the names and commits of the repository's tags. Raises SourceProblem."""
        listing = self._run_git(url, LISTING, "ls-remote", "--tags", "--", url)
        return hashlib.sha256(listing).hexdigest()

    def clone(self, url: str, folder: Path) -> Path:
        """The repository in a folder, with its history and without the contents of its files; nothing more
        is ever asked for by it. Raises SourceProblem."""
        target = folder / "repository.git"
        words = ("clone", "--quiet", "--mirror", "--filter=blob:none", "--", url, str(target))
        self._run_git(url, CLONING, *words, grows=target)
        self._run_git(url, LISTING, "-C", str(target), "config", "protocol.allow", "never")
        return target

    def _run_git(self, url: str, seconds: float, *words: str, grows: Path | None = None) -> bytes:
        """Answer of git, within bounds of time and of what it writes. Raises SourceProblem."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603 - the words are ours, the URL is checked
                ["git", "--no-pager", *words],  # noqa: S607 - that of the path
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=self._environment(url),
            )
            try:
                _wait(process, seconds, grows)
            finally:
                process.kill()
                process.wait()
            errors.seek(0)
            if process.returncode:
                raise _problem(errors.read(20_000).decode("utf-8", "replace"))
            output.seek(0)
            return output.read()

    def _environment(self, url: str) -> dict[str, str]:
        """Environment of git: nothing of this machine's, and the settings that hold for this URL. Raises
        SourceProblem where it may not be asked."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
            "LC_ALL": "C",
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **_git_environment(self._settings(url)),
        }

    def _settings(self, url: str) -> dict[str, str]:
        """Settings of a run of git: nowhere but the checked address, or the proxy."""
        made = {
            "protocol.allow": "never",
            "protocol.http.allow": "always",
            "protocol.https.allow": "always",
            "http.followRedirects": "false",
            "http.lowSpeedLimit": "100",
            "http.lowSpeedTime": "30",
            "credential.helper": "",
            "fetch.fsckObjects": "true",
        }
        if self.proxy:
            self.guard.check_proxied(url)
            made["http.proxy"] = self.proxy
        else:
            target = self.guard.target(url)
            made["http.proxy"] = ""
            made["http.curloptResolve"] = f"{target.host}:{target.port}:{target.ip}"
        if self.ca_file:
            made["http.sslCAInfo"] = self.ca_file
        if self.secret:
            pair = self.secret if ":" in self.secret else f"git:{self.secret}"
            credentials = base64.b64encode(pair.encode()).decode()
            made["http.extraHeader"] = f"Authorization: Basic {credentials}"
        return made


def _git_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings of git as variables, which nobody else on the machine sees."""
    made = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        made |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return made


def _wait(process: subprocess.Popen[bytes], seconds: float, grows: Path | None) -> None:
    """Waits for the end of git. Raises SourceProblem where it takes too long or writes too much."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK)
            return
        if time.monotonic() > deadline:
            raise SourceProblem("unreachable", f"Git took longer than {seconds:g} s.")
        if grows is not None and _size(grows) > LARGEST:
            raise SourceProblem("too_large", "The repository's history is larger than is read.")


def _size(folder: Path) -> int:
    """Bytes below a folder that is being written to."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total


def _problem(stderr: str) -> SourceProblem:
    """The problem that git's words tell; its last line is the sentence, without the URL."""
    for code, words in PROBLEMS:
        if any(each in stderr for each in words):
            return SourceProblem(code)
    lines = [line for line in stderr.splitlines() if line.startswith(("fatal:", "error:"))]
    sentence = lines[-1].partition(":")[2].strip()[:200] if lines else "Git gave no reason."
    return SourceProblem("changed_shape", f"Git: {sentence}")


def address_of(base: str, path: str) -> str:
    """The URL of a repository below the server's address. Raises SourceProblem for a path that leads
    elsewhere."""
    parts = path.strip().strip("/").split("/")
    if any(part in ("", ".", "..") or not part.isprintable() for part in parts):
        told_so = f"{path[:80]!r} is no path of a repository."
        raise SourceProblem("setting", told_so, "settings.repositories")
    return f"{base.rstrip('/')}/{'/'.join(quote(part, safe='-._~+@') for part in parts)}"


def sender(pull: Pull) -> GitSender:
    """How git asks the source's server."""
    client = pull.client(pull.settings["address"].rstrip("/"))
    return GitSender(pull.guard, pull.secret, client.ca_file, client.proxy)


def scopes(pull: Pull) -> list[FoundScope]:
    """The repositories of the settings."""
    lines = (line.partition("#")[0].strip() for line in pull.settings["repositories"].splitlines())
    names = list(dict.fromkeys(line.strip("/") for line in lines if line))
    for name in names:
        address_of(pull.settings["address"], name)
    if not names:
        raise SourceProblem("setting", "Repositories is required.", "settings.repositories")
    return [FoundScope(name, name.removesuffix(".git")) for name in names]


def test_connection(pull: Pull) -> list[str]:
    """Asks what the sync asks first, of the first repositories."""
    git = sender(pull)
    sentences = []
    for scope in scopes(pull)[:TESTED]:
        git.tags(address_of(pull.settings["address"], scope.external_id))
        sentences.append(f"{scope.name} can be read.")
    return sentences


def pull_pieces(pull: Pull) -> Iterator[PulledPiece]:
    """Repository after repository; one that fails stops none of the others."""
    git = sender(pull)
    for scope in pull.scopes:
        if pull.is_over():
            return
        try:
            yield from _repository(pull, git, scope)
        except SourceProblem as problem:
            if problem.code not in ("not_found_or_hidden", "too_large", "changed_shape"):
                raise
            pull.note(f"{scope.name}: {problem}")


def _repository(pull: Pull, git: GitSender, scope: PullScope) -> Iterator[PulledPiece]:
    """Releases of a repository whose tags have changed, then the commits in each."""
    url = address_of(pull.settings["address"], scope.external_id)
    known = pull.memory.cursor(scope.external_id, "tags")
    now = {"tags": git.tags(url), "pattern": pull.settings["tags"]}
    if known == now:
        return
    with tempfile.TemporaryDirectory(prefix="vigilo-git-") as folder:
        path = git.clone(url, Path(folder))
        form = _form(pull.settings["tags"])
        for kind, cursor in (("deployments", known), ("changes", now)):
            yield PulledPiece(
                scope,
                "tags",
                cursor,
                form=form,
                kind=kind,
                path=path,
                first=pull.since,
                progress=f"{scope.name}: {kind}",
            )


def _form(pattern: str) -> Format:
    """The format of a clone, for the tags that are releases."""

    def deployments(reading: FormatInput) -> Iterator[RawRecord]:
        yield from of_git.deployments(replace(reading, tags=pattern))

    def changes(reading: FormatInput) -> Iterator[RawRecord]:
        yield from of_git.changes(replace(reading, tags=pattern))

    return Format("git", {"deployments": deployments, "changes": changes})


def is_address(repository: str) -> bool:
    """Whether a repository is named by a URL that is cloned."""
    return urlsplit(repository).scheme in ("http", "https")


TESTED = 5
"""Repositories that a test asks for."""
SOURCE = Source(
    kind="git",
    title="Git repositories",
    about="Releases by the tags of git repositories over HTTPS, of whatever server, and the commits in each"
    " as changes. A release that the next one had to mend within three days failed.",
    fills=("deployments", "changes"),
    settings=(
        Setting("address", "Server", "address", help="Such as https://git.example.com."),
        Setting("repositories", "Repositories", "lines",
                help="Paths below the server, one a line, such as team/app.git."),
        Setting("tags", "Tags that are releases", required=False,
                help="A pattern, such as v*. Empty: tags with a version number."),
    ),
    pull=pull_pieces,
    test=test_connection,
    scopes=scopes,
    credential="Token, or USER:TOKEN; empty for a public server",
    permissions=("Reading of the repositories",),
    history="All tags.",
    limits="A list of tags a repository; a clone, without the contents of files, where they have changed:"
    f" at most {LARGEST // 1024**3} GB and {CLONING / 60:g} minutes.",
    minutes=60,
)  # fmt: skip
