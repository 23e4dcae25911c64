"""A git repository's tags: ``--format git --repository PATH``.

Each tag is a production deployment, completed when the tag was made, keyed by its name. Its changes are
the commits that it has and the tag before it (by date) has not, each from when its author made it; one
that claims to be made after the tag is left out. A deployment failed when, within 72 hours, a later tag
brought a commit whose subject begins with Revert or speaks of a hotfix.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.records.formats.form import Format
from storage.records.reader import Raw, Reading, Unreadable

SOON = timedelta(hours=72)
SECONDS = 120
SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag with the commits that it brought: (hash, author's time, subject)."""

    name: str
    at: datetime
    commits: tuple[tuple[str, datetime, str], ...]

    @property
    def mends(self) -> bool:
        """Whether it brought a revert or a hotfix."""
        subjects = (subject.lower() for _, _, subject in self.commits)
        return any(s.startswith("revert") or "hotfix" in s for s in subjects)


def deployments(reading: Reading) -> Iterator[Raw]:
    """A deployment for each tag. Raises Unreadable."""
    tags = _tags(reading)
    for number, tag in enumerate(tags):
        later = (t for t in tags[number + 1 :] if t.at - tag.at <= SOON)
        failed = any(t.mends for t in later)
        cells = {
            "key": tag.name,
            "completed_at": tag.at.isoformat(),
            "outcome": "failed" if failed else "successful",
        }
        yield Raw(reading.path, 0, cells, place=tag.name)


def changes(reading: Reading) -> Iterator[Raw]:
    """A change for each commit of each tag. Raises Unreadable."""
    for tag in _tags(reading):
        for commit, at, _ in tag.commits:
            if at > tag.at:
                reading.warn(f"left out {commit[:12]} of {tag.name}: made after its tag")
                continue
            cells = {"deployment": tag.name, "key": commit, "committed_at": at.isoformat()}
            yield Raw(reading.path, 0, cells, place=tag.name)


def _tags(reading: Reading) -> list[Tag]:
    """The tags, oldest first."""
    form = f"%(refname:short){SEPARATOR}%(creatordate:iso-strict)"
    listed = _git(reading, "for-each-ref", "--sort=creatordate", f"--format={form}", "refs/tags")
    found: list[Tag] = []
    for line in listed.splitlines():
        name, _, when = line.partition(SEPARATOR)
        if not when:
            continue
        since = [f"^refs/tags/{found[-1].name}"] if found else []
        log = f"--format=%H{SEPARATOR}%aI{SEPARATOR}%s"
        text = _git(reading, "log", "--no-merges", log, f"refs/tags/{name}", *since, "--")
        commits = tuple(_commit(row) for row in text.splitlines() if SEPARATOR in row)
        found.append(Tag(name, datetime.fromisoformat(when), commits))
    return found


def _commit(row: str) -> tuple[str, datetime, str]:
    commit, when, subject = row.split(SEPARATOR, 2)
    return commit, datetime.fromisoformat(when), subject


def _git(reading: Reading, *words: str) -> str:
    """What git says of the repository; no shell, no prompt, no pager. Raises Unreadable."""
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
        raise Unreadable(f"git could not be run: {error}") from error
    if done.returncode:
        raise Unreadable(f"is no git repository: {done.stderr.strip()[:200]}")
    return done.stdout


FORMAT = Format(
    "git", {"deployments": deployments, "changes": changes}, "The tags of a git repository"
)
