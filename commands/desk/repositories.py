"""Repositories that a command names: folders as they are, addresses as clones that live as long as it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from commands.installation import database, installation
from ingest.pulling.problems import SourceProblem
from ingest.pulling.runner import SourceContext
from ingest.sources.git import GitSender, is_address

TOKEN = "VIGILO_GIT_TOKEN"  # noqa: S105 - the name of a variable
"""Variable with the token, or USER:TOKEN, that signs in at a server of git."""


@contextmanager
def clone_repositories(repositories: Sequence[str]) -> Iterator[list[Path]]:
    """Folders of the repositories. Raises ClickException where one can not be cloned."""
    if not any(map(is_address, repositories)):
        yield [Path(each) for each in repositories]
        return
    settings = installation().settings
    ca_file = str(settings.source_ca) if settings.source_ca else None
    guard = SourceContext(database(), settings).guard
    git = GitSender(guard, os.environ.get(TOKEN, ""), ca_file, settings.source_proxy)
    with tempfile.TemporaryDirectory(prefix="vigilo-git-") as folder:
        yield [
            _clone(git, each, Path(folder) / str(number)) if is_address(each) else Path(each)
            for number, each in enumerate(repositories)
        ]


def _clone(git: GitSender, url: str, folder: Path) -> Path:
    folder.mkdir()
    try:
        return git.clone(url, folder)
    except SourceProblem as problem:
        raise click.ClickException(f"{url}: {problem}") from problem
