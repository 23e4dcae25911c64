"""Things that a part's deployments may be, how many of the last weeks it has of each, and which it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from ingest.pulling.problems import SourceProblem

LAST_WEEKS = timedelta(days=28)
"""Time that is counted before a choice; and how long before the history a merge may lie whose first
deployment is within it."""
SETTING = "counts"
"""Name of the setting that chooses for every part, or leaves each its own."""
DEPLOYMENTS, RUNS, RELEASES, TAGS, MERGES = (
    "deployments", "workflow runs", "releases", "tags", "merges",
)  # fmt: skip
NAMES = {
    DEPLOYMENTS: "production deployments",
    RUNS: "runs of a workflow",
    RELEASES: "releases",
    TAGS: "tags",
    MERGES: "merges",
}
CAUTION = (
    "Another choice counts instead of the former one, not beside it: records that the former one has"
    " counted are withdrawn, with a note in the audit, and come back if it is chosen again."
)
"""Sentence that stands wherever the choice is changed."""


class ChoiceCount(NamedTuple):
    """Number of the things of the last weeks that may be a part's deployments, None where they could not be
    counted; ``named`` is which of them, ``is_more`` tells that there are more, ``note`` why it is so."""

    choice: str
    number: int | None = 0
    named: str = ""
    is_more: bool = False
    note: str = ""

    @property
    def words(self) -> str:
        """Words for it."""
        if self.choice == RUNS and not self.named:
            return NAMES[RUNS]
        return named_words(self.choice, self.named)

    @property
    def figure(self) -> str:
        """The number, as it is shown."""
        if self.number is None:
            return "not seen"
        return f"{self.number:,}{' or more' if self.is_more else ''}"


class KeptChoice(NamedTuple):
    """Choice of what the deployments of a part are: its name, empty where there was nothing to choose from,
    which of them, who chose (``seen``, ``hand`` or nobody), and what was counted."""

    choice: str = ""
    named: str = ""
    by: str = ""
    seen: Sequence[ChoiceCount] = ()
    at: str = ""


def named_words(choice: str, named: str) -> str:
    """Words for a choice."""
    if choice == RUNS:
        return f"runs of {named}" if named else "runs of every workflow"
    if choice == TAGS and named:
        return f"tags like {named}"
    return NAMES.get(choice, choice)


def label(choice: str, named: str) -> str:
    """Name of a choice beside what it has counted: another workflow or pattern is another choice."""
    return f"{choice}:{named}" if choice in (RUNS, TAGS) else choice


def words_of_label(label: str) -> str:
    """Words for what a label names."""
    choice, _, named = label.partition(":")
    return named_words(choice, named)


def first_of(counts: Sequence[ChoiceCount]) -> ChoiceCount | None:
    """The first that is not empty; None where all are."""
    return next((each for each in counts if each.number), None)


def is_automatic(choices: Sequence[str], config: Mapping[str, str]) -> bool:
    """Whether each part has its own choice."""
    return bool(choices) and config.get(SETTING, "") not in choices


def choice_in_force(
    choices: Sequence[str], config: Mapping[str, str], kept: KeptChoice
) -> tuple[str, str]:
    """The choice in force for a part, and which of them: by the setting, else by its own choice, else
    the first, as long as there is nothing of any. Empty for a kind that leaves no choice."""
    if not choices:
        return "", ""
    setting = config.get(SETTING, "")
    choice = setting if setting in choices else kept.choice or choices[0]
    if choice == TAGS:
        return choice, config.get("tags", "")
    if choice == RUNS:
        return choice, config.get("workflow", "") or ("" if setting in choices else kept.named)
    return choice, ""


def check_choice(choices: Sequence[str], label: str) -> str:
    """A choice that somebody made. Raises SourceProblem."""
    if label not in choices:
        known = ", ".join(choices) or "nothing"
        raise SourceProblem("setting", f"What a deployment is, is one of {known}.")
    return label


def pack_counts(counts: Sequence[ChoiceCount], at: str) -> dict[str, Any]:
    """Counts as they are kept."""
    return {"at": at, "each": [list(each) for each in counts]}


def unpack_choice(choice: str, named: str, by: str, seen: Mapping[str, Any] | None) -> KeptChoice:
    """A choice as it was kept."""
    each = tuple(ChoiceCount(*counted) for counted in (seen or {}).get("each", ()))
    return KeptChoice(choice, named, by, each, str((seen or {}).get("at", "")))
