"""git: lines of releases, what each brought, and which of them had to be mended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.formats import FORMATS
from ingest.kinds import KINDS
from ingest.reader import FormatInput, RawRecord

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path) -> Make:
    """A repository made from lines: ``DAY SUBJECT`` commits, ``DAY @TAG`` tags, ``> BRANCH [FROM]`` goes to
    a branch; ``|`` ends a line of the message."""

    def run(story: str, name: str = "ledger", remote: str = "") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}

        def git(*words: str, day: str = "01") -> None:
            when = f"2026-10-{day}T09:00:00Z"
            dated = env | {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
            named = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
            subprocess.run(
                ["git", *named, *words], cwd=folder, env=dated, check=True, capture_output=True
            )

        git("init", "-q", "-b", "main")
        if remote:
            git("remote", "add", "origin", remote)
        for line in map(str.strip, story.strip().splitlines()):
            first, _, rest = line.partition(" ")
            if first == ">":
                branch, _, start = rest.partition(" ")
                git("checkout", "-q", *(["-b", branch, start] if start else [branch]))
            elif rest.startswith("@"):
                git("tag", "-a", rest[1:], "-m", "x", day=first)
            else:
                git("commit", "-q", "--allow-empty", "-m", rest.replace("|", "\n"), day=first)
        return folder

    return run


def read(
    folder: Path, kind: str, tags: str = "", warnings: list[str] | None = None
) -> list[RawRecord]:
    warn = (warnings if warnings is not None else []).append
    reading = FormatInput(folder, KINDS[kind], True, warn, tags=tags)
    return list(FORMATS["git"].readers[kind](reading))


def outcomes(folder: Path, tags: str = "") -> dict[str, str]:
    """Outcome by tag of the releases to production."""
    rows = [r.cells for r in read(folder, "deployments", tags)]
    return {c["key"].partition("@")[2]: c["outcome"] for c in rows if c["is_production"] == "yes"}


def brought(folder: Path) -> dict[str, int]:
    """Number of changes by tag."""
    found: dict[str, int] = {}
    for row in read(folder, "changes"):
        tag = row.cells["deployment"].partition("@")[2]
        found[tag] = found.get(tag, 0) + 1
    return found


def test_two_repositories_may_tag_alike(make):
    for name, remote, key, service in (
        ("one", "git@git.example:team/ledger.git", "team/ledger@v1", "ledger"),
        ("two", "https://x@git.example/team/sub/basket", "team/sub/basket@v1", "basket"),
        ("three", "", "three@v1", "three"),
        ("four", "/srv/git/old.git", "four@v1", "four"),
    ):
        (row,) = read(make("01 First\n02 @v1", name, remote), "deployments")
        assert (row.cells["key"], row.cells["service"]) == (key, service)


@pytest.mark.parametrize(
    "tag",
    ["v2.0.0-rc.1", "2.0.0rc1", "v2.0.0-beta", "v2.0.0.alpha2", "v2-preview.3", "nightly-20261004",
     "v2.0.0-SNAPSHOT", "v2.0.0-M2", "2.0b3", "v2.0.0-dev"],
)  # fmt: skip
def test_a_pre_release_is_no_production_deployment(make, tag):
    folder = make(f"01 First\n02 @v1.0.0\n03 Second\n04 @{tag}\n05 Third\n06 @v2.0.0")
    assert set(outcomes(folder)) == {"v1.0.0", "v2.0.0"}
    assert brought(folder) == {"v2.0.0": 2}
    assert tag in outcomes(folder, tags="*")


@pytest.mark.parametrize("tag", ["v1.0.1", "1.0.1", "release-2026.10", "v1.0.0-alpine", "build_77"])
def test_other_names_with_a_version_are_releases(make, tag):
    assert tag in outcomes(make(f"01 First\n02 @{tag}"))


def test_tags_without_a_version_are_left_out_and_told(make):
    warnings: list[str] = []
    folder = make("01 First\n02 @latest\n02 @v1\n03 @stable")
    assert len(read(folder, "deployments", warnings=warnings)) == 1
    assert warnings == ["left out 2 tags without a version number"]


def test_the_first_tags_history_tells_no_changes(make):
    assert brought(make("01 One\n02 Two\n03 @v1\n04 Three\n05 @v2")) == {"v2": 1}


def test_it_does_not_though_the_first_release_failed(make):
    folder = make("01 One\n02 Two\n03 @v1\n04 fix: it\n04 @v2")
    assert outcomes(folder)["v1"] == "failed"
    assert brought(folder) == {"v2": 1}


def test_a_maintenance_line_brings_what_was_not_in_production_yet(make):
    folder = make("""
        01 First
        02 @v1.0.0
        03 Big one
        04 Big two
        05 @v2.0.0
        > old v1.0.0
        06 Backport
        07 @v1.0.1
        > main
        20 Last
        21 @v2.0.1
    """)
    assert brought(folder) == {"v2.0.0": 2, "v1.0.1": 1, "v2.0.1": 1}
    assert set(outcomes(folder).values()) == {"successful"}


def test_a_hotfix_on_another_line_says_nothing_of_this_one(make):
    folder = make("""
        01 First
        02 @v1.0.0
        03 Second
        04 @v2.0.0
        > old v1.0.0
        05 fix: of the old line
        05 @v1.0.1
    """)
    assert outcomes(folder)["v2.0.0"] == "successful"


def test_what_a_failed_release_brought_is_brought_again_by_the_next(make):
    folder = make(
        "01 First\n02 @v1\n05 Feature\n06 @v2\n07 hotfix(db): index\n07 @v3\n20 More\n21 @v4"
    )
    assert outcomes(folder) == {
        "v1": "successful",
        "v2": "failed",
        "v3": "successful",
        "v4": "successful",
    }
    assert brought(folder) == {"v2": 1, "v3": 2, "v4": 1}


@pytest.mark.parametrize(
    ("mend", "failed"),
    [
        ('Revert "Export"', True),
        ('revert: Export', True),
        ("Take it back||Reverts: HASH", True),
        ('Something||This reverts commit HASH.', True),
        ("fix: export", True),
        ("hotfix(api)!: export", True),
        ("docs: how we do a hotfix", False),
        ("Revert to the old colours", False),
        ('Revert "Another thing"', False),
        ("fixes of the texts", False),
        ("feat: more", False),
    ],
)  # fmt: skip
def test_what_mends_a_release(make, mend, failed):
    folder = make("01 First\n02 @v1\n10 Export\n10 @v2", "a")
    names = subprocess.run(
        ["git", "-C", folder, "rev-parse", "v2^{commit}"],
        capture_output=True,
        text=True,
        check=True,
    )
    whole = make(
        f"01 First\n02 @v1\n10 Export\n10 @v2\n11 {mend.replace('HASH', names.stdout[:12])}\n12 @v3",
        "b",
    )
    assert outcomes(whole)["v2"] == ("failed" if failed else "successful")


def test_a_mend_after_72_hours_is_none(make):
    folder = make('01 First\n02 @v1\n10 Export\n10 @v2\n14 Revert "Export"\n14 @v3')
    assert outcomes(folder)["v2"] == "successful"


def test_what_was_made_and_reverted_between_two_releases_reached_nobody(make):
    folder = make('01 First\n02 @v1\n03 Export\n03 Revert "Export"\n04 @v2')
    assert outcomes(folder)["v1"] == "successful"


def test_lines_of_a_monorepo_are_services_of_their_own(make):
    folder = make("01 First\n02 @api/v1.0.0\n02 @web@1.0.0\n03 Second\n04 @api/v1.1.0")
    services = {r.cells["key"]: r.cells["service"] for r in read(folder, "deployments")}
    assert services == {
        "ledger@api/v1.0.0": "ledger/api",
        "ledger@web@1.0.0": "ledger/web",
        "ledger@api/v1.1.0": "ledger/api",
    }
    assert brought(folder) == {"api/v1.1.0": 1}


def test_a_pattern_names_the_releases(make):
    warnings: list[str] = []
    folder = make("01 First\n02 @prod-monday\n02 @v1\n03 Second\n04 @prod-tuesday")
    rows = read(folder, "deployments", "prod-*", warnings)
    assert [r.cells["key"] for r in rows] == ["ledger@prod-monday", "ledger@prod-tuesday"]
    assert warnings == ["left out 1 tags that do not fit prod-*"]


def test_two_tags_of_one_commit_bring_it_once(make):
    assert brought(make("01 First\n02 @v1\n03 Second\n04 @v2\n04 @v2.0.0")) == {"v2": 1}


def test_a_commit_made_after_its_tag_is_left_out_and_told(make):
    warnings: list[str] = []
    folder = make("01 First\n02 @v1\n09 From the future\n05 @v2")
    assert read(folder, "changes", warnings=warnings) == []
    assert warnings == ["left out 1 commits of v2: made after their tag"]
