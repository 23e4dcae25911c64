"""A git repository's tags: ``--format git --repository PATH``.

A tag with a version number is a release, and so a production deployment, completed when the tag was
made. Its key is REPOSITORY@TAG and its service the repository, after the path of its remote ``origin``,
else its folder; tags with a prefix of their own (api/v1.2.0) are a line of releases of their own,
service REPOSITORY/api. Pre-releases (-rc.1, -beta, nightly) are no production deployments, tags without
a number none at all; ``--tags PATTERN`` names the releases instead, whatever their names.

The previous tag is the nearest ancestor of the same line. A release's changes are the commits since,
from when their authors made them, without those that an earlier successful release of the line had
brought: a tag on a maintenance branch brings what was not in production yet, and what a failed release
brought is brought again by the next. The first tag's history has no lead time, so it tells no changes.
A commit that claims to be made after its tag is left out, and merges are.

A release failed when, within 72 hours, a release whose previous tag it is reverts one of its commits
(git's own words or a Reverts trailer), or consists only of commits of conventional type fix or hotfix.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ingest.formats.form import Format
from ingest.formats.releases import Release, releases
from ingest.reader import FormatInput, RawRecord

SOON = timedelta(hours=72)


def deployments(reading: FormatInput) -> Iterator[RawRecord]:
    """A deployment for each tag with a version. Raises UnreadableFile."""
    history = releases(reading)
    failed = _failed_releases(history)
    for release in history:
        cells = {
            "key": release.key,
            "completed_at": release.at.isoformat(),
            "outcome": "failed" if release.key in failed else "successful",
            "environment": "production" if release.is_production else "pre-release",
            "is_production": "yes" if release.is_production else "no",
            "service": release.service,
        }
        yield RawRecord(reading.path, 0, cells, pointer=release.tag)


def changes(reading: FormatInput) -> Iterator[RawRecord]:
    """A change for each commit that a release brought to production. Raises UnreadableFile."""
    history = [release for release in releases(reading) if release.is_production]
    failed = _failed_releases(history)
    brought: dict[str, set[str]] = {}
    for release in history:
        before = brought.setdefault(release.service, set())
        first = not before and release.previous is None
        late = 0
        for commit in () if first else release.since(failed):
            late += commit.at > release.at
            if commit.name in before or commit.at > release.at:
                continue
            cells = {
                "deployment": release.key,
                "key": commit.name,
                "committed_at": commit.at.isoformat(),
            }
            yield RawRecord(reading.path, 0, cells, pointer=release.tag)
        if late:
            reading.warn(f"left out {late:,} commits of {release.tag}: made after their tag")
        if first or release.key not in failed:
            before.update(commit.name for commit in release.since(failed))


def _failed_releases(history: list[Release]) -> set[str]:
    """Keys of the releases that the next one had to mend."""
    mended = set()
    for release in history:
        previous = release.previous
        if previous is None or not release.is_production or release.at - previous.at > SOON:
            continue
        if release.reverts(previous) or release.only_mends:
            mended.add(previous.key)
    return mended


FORMAT = Format(
    "git", {"deployments": deployments, "changes": changes}, "The tags of a git repository"
)
