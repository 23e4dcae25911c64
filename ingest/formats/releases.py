"""A git repository's history, as the releases that its tags make."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from ingest.reader import FormatInput, UnreadableFile

SECONDS = 120
SEPARATOR, END = "\x1f", "\x1e"
DOTTED = re.compile(r"(?P<prefix>.*?)(?<![\d.])(?P<numbers>v?\d+(?:\.\d+)+)(?P<rest>[^/]*)", re.I)
NUMBERED = re.compile(r"(?P<prefix>.*?)(?P<numbers>v?\d+)(?P<rest>[^/]*)", re.I)
"""Names with a version: of several numbers with dots between them, else of one."""
EARLY = (
    "alpha", "beta", "canary", "dev", "edge", "milestone", "nightly", "pre", "prerelease", "preview", "rc",
    "snapshot", "test",
)  # fmt: skip
BEFORE = re.compile(rf"(?i)(?:^|[^a-z])({'|'.join(EARLY)}|a|b|c|m|ea|cr)(?:[^a-z]|$)")
"""Words that make a version a pre-release."""
REVERTED = re.compile(
    r"(?im)^\s*(?:this reverts commit|reverts?(?:-commit)?:|reverts)\s+([0-9a-f]{7,64})\b"
)
REVERTED_PULL = re.compile(r"(?im)^\s*reverts\s+[\w.-]+/[\w.-]+#(\d+)\s*$")
REVERT_OF = re.compile(
    r'^revert:?\s+"(?P<quoted>.+)"(?:\s+\(#\d+\))?$|^revert:\s+(?P<plain>.+)$', re.I
)
MENDS = re.compile(r"(?i)^(fix|hotfix)(\([^)]*\))?!?:")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: its hash, when its author made it, its message."""

    name: str
    at: datetime
    message: str

    @property
    def subject(self) -> str:
        """The first line of its message."""
        return self.message.partition("\n")[0].strip()


Log = Callable[[str, Sequence[str]], tuple[Commit, ...]]


@dataclass
class Release:
    """A tag with a version; ``previous`` is the nearest ancestor of its line, ``bases`` are all the
    ancestors of its line that no other ancestor of it has."""

    tag: str
    at: datetime
    repository: str
    line: str
    is_production: bool
    log: Log
    previous: Release | None = None
    bases: list[Release] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Tag within its repository."""
        return f"{self.repository}@{self.tag}"

    @property
    def service(self) -> str:
        """The repository's own name, with the name of its line where it has one."""
        name = self.repository.rpartition("/")[2]
        return f"{name}/{self.line}" if self.line else name

    @cached_property
    def commits(self) -> tuple[Commit, ...]:
        """The commits since the previous tag, without merges."""
        return self.log(self.tag, [base.tag for base in self.bases])

    def since(self, failed: Collection[str]) -> tuple[Commit, ...]:
        """The commits since the last successful ancestors."""
        bases, waiting = [], list(self.bases)
        while waiting:
            base = waiting.pop()
            if base.key in failed:
                waiting += base.bases
            else:
                bases.append(base.tag)
        same = sorted(bases) == sorted(base.tag for base in self.bases)
        return self.commits if same else self.log(self.tag, bases)

    def reverts(self, other: Release) -> bool:
        """Whether one of its commits takes one of the other's back, in git's words or a trailer."""
        names = [commit.name for commit in other.commits]
        subjects = {commit.subject for commit in other.commits}
        for commit in self.commits:
            if any(
                n.startswith(h.lower()) for h in REVERTED.findall(commit.message) for n in names
            ):
                return True
            pulls = [f"(#{number})" for number in REVERTED_PULL.findall(commit.message)]
            if any(subject.endswith(pull) for pull in pulls for subject in subjects):
                return True
            if (match := REVERT_OF.match(commit.subject)) and (
                (match["quoted"] or match["plain"]) in subjects
            ):
                return True
        return False

    @property
    def only_mends(self) -> bool:
        """Whether all its commits are of conventional type fix or hotfix."""
        return bool(self.commits) and all(MENDS.match(c.subject) for c in self.commits)


def releases(reading: FormatInput) -> list[Release]:
    """The releases of the repository, oldest first. Raises UnreadableFile."""
    repository = _name(reading)
    log: Log = lambda tag, bases: _log(reading, tag, bases)  # noqa: E731 - a view on the repository
    tagged: list[Release] = []
    commits: dict[str, list[Release]] = {}
    without = 0
    for tag, when, commit in _tags(reading):
        if (kind := kind_of_tag(tag, reading.tags)) is None:
            without += 1
            continue
        line, is_production = kind
        release = Release(tag, when, repository, line, is_production, log)
        tagged.append(release)
        commits.setdefault(commit, []).append(release)
    if without:
        why = f"that do not fit {reading.tags}" if reading.tags else "without a version number"
        reading.warn(f"left out {without:,} tags {why}")
    _relate(_parents(reading), commits)
    return tagged


def kind_of_tag(tag: str, pattern: str) -> tuple[str, bool] | None:
    """The line of a tag, empty for the plain one, and whether it is a release; None for no version."""
    match = DOTTED.fullmatch(tag) or NUMBERED.fullmatch(tag)
    if pattern:
        if not fnmatchcase(tag, pattern):
            return None
        return (_line(match["prefix"]) if match else ""), True
    if match is None:
        return None
    line = _line(match["prefix"])
    is_early = line.lower() in EARLY and "/" not in match["prefix"]
    return ("" if is_early else line), not (is_early or BEFORE.search(match["rest"]))


def _line(prefix: str) -> str:
    """The name of a line of releases, from what stands before the version: "api/v" is api; v, release-
    and version are the plain one."""
    name = re.sub(
        r"(?i)(^|[^a-z0-9])(v|ver|version|release|releases|rel|r)$", "", prefix.strip("/-_.@ ")
    )
    return name.strip("/-_.@ ")


def _relate(parents: Mapping[str, Sequence[str]], commits: Mapping[str, list[Release]]) -> None:
    """Sets each release's ancestors of its line: of several tags on one commit, the one made before."""
    lines = {release.line for each in commits.values() for release in each if release.is_production}
    for line in sorted(lines):
        known = {
            commit: own
            for commit, each in commits.items()
            if (own := [r for r in each if r.line == line])
        }
        for commit, own in known.items():
            for position, release in enumerate(own):
                same = [r for r in own[:position] if r.is_production]
                release.bases = same[-1:] or _nearest_releases(commit, parents, known)
                release.previous = max(release.bases, key=lambda r: (r.at, r.tag), default=None)


def _nearest_releases(
    commit: str, parents: Mapping[str, Sequence[str]], known: Mapping[str, list[Release]]
) -> list[Release]:
    """The releases to production among the ancestors of a commit that are met first on each way back."""
    nearest: dict[str, Release] = {}
    seen, waiting = {commit}, list(parents.get(commit, ()))
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        if production := [r for r in known.get(current, ()) if r.is_production]:
            nearest[production[-1].tag] = production[-1]
        else:
            waiting += parents.get(current, ())
    return list(nearest.values())


def _name(reading: FormatInput) -> str:
    """The repository's path in the address of its remote, else the name of its folder."""
    url = _git(reading, "config", "--default", "", "--get", "remote.origin.url").strip()
    remote = re.fullmatch(r"(?:\w+://(?:[^/]*@)?[^/]+/|[\w.-]+@[\w.-]+:/?)(.+?)(?:\.git)?/?", url)
    if remote and not url.startswith("file:"):
        return remote[1][-120:]
    top = _git(reading, "rev-parse", "--absolute-git-dir").strip()
    folder = Path(top).parent if Path(top).name == ".git" else Path(top)
    return folder.name.removesuffix(".git") or "repository"


def _tags(reading: FormatInput) -> list[tuple[str, datetime, str]]:
    """Name, instant and commit of each tag of a commit, oldest first."""
    names = (
        "refname:strip=2",
        "creatordate:iso-strict",
        "objecttype",
        "objectname",
        "*objecttype",
        "*objectname",
    )
    form = "%1f".join(f"%({name})" for name in names)
    listed = _git(reading, "for-each-ref", "--sort=creatordate", f"--format={form}", "refs/tags")
    tags = []
    for line in listed.splitlines():
        name, when, of, commit, of_peeled, peeled = line.split(SEPARATOR)
        if when and "commit" in (of, of_peeled):
            tags.append((name, datetime.fromisoformat(when), peeled or commit))
    return tags


def _parents(reading: FormatInput) -> dict[str, list[str]]:
    """Of the commits with a name and those where ways part, the nearest such ancestors."""
    if _git(reading, "rev-parse", "--is-shallow-repository").strip() == "true":
        reading.warn("is a shallow clone: what lies beyond its edge can not be told")
    listed = _git(reading, "rev-list", "--parents", "--simplify-by-decoration", "--tags")
    rows = (line.split() for line in listed.splitlines())
    return {commit: parents for commit, *parents in rows}


def _log(reading: FormatInput, tag: str, bases: Sequence[str]) -> tuple[Commit, ...]:
    """The commits that a tag has and none of the others."""
    without = [f"^refs/tags/{base}" for base in bases]
    form = "--format=%H%x1f%aI%x1f%B%x1e"
    text = _git(reading, "log", "--no-merges", form, f"refs/tags/{tag}", *without, "--")
    rows = (row.strip("\n").split(SEPARATOR, 2) for row in text.split(END))
    return tuple(
        Commit(row[0], datetime.fromisoformat(row[1]), row[2]) for row in rows if len(row) == 3
    )


def _git(reading: FormatInput, *words: str) -> str:
    """Answer of git about the repository; no shell, no prompt, no pager. Raises UnreadableFile."""
    command = ["git", "--no-pager", "-c", "safe.directory=*", "-C", str(reading.path), *words]
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours, the repository the operator's
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnreadableFile(f"git could not be run: {error}") from error
    if done.returncode:
        raise UnreadableFile(f"is no git repository: {done.stderr.strip()[:200]}")
    return done.stdout
