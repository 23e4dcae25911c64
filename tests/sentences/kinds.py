"""Kinds of sentences: a pattern each, and what must be so where it is said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from tests.sentences.truth import Truth

Check = Callable[..., None]
NAME = r"(?P<name>Team \d+)"
NUMBER = r"[\d,]+"
PERCENT = r"[\d.,]+ %"
DAY = r"\d{1,2} [A-Z][a-z]{2} \d{4}"


class SentenceKinds:
    """The kinds of one surface, in the order in which they are tried; ``seen`` counts what was said."""

    def __init__(self) -> None:
        self.checks: list[tuple[re.Pattern[str], Check]] = []
        self.seen: Counter[str] = Counter()

    def of(self, pattern: str) -> Callable[[Check], Check]:
        """Registers the check of a kind, which gets the truth and the named parts of the pattern."""

        def registered(check: Check) -> Check:
            self.checks.append((re.compile(pattern), check))
            return check

        return registered

    def check(self, truth: Truth, sentences: Iterable[str], **about: object) -> None:
        """Each sentence is of a kind, and so. Raises AssertionError."""
        for sentence in sentences:
            for pattern, check in self.checks:
                if matched := pattern.fullmatch(sentence):
                    self.seen[check.__name__] += 1
                    check(truth, **matched.groupdict(), **about)
                    break
            else:
                raise AssertionError(f"no checker knows this sentence: {sentence!r}")

    @property
    def names(self) -> set[str]:
        return {check.__name__ for _, check in self.checks}


def whole(text: str) -> int:
    """ "1,204" as a number."""
    return int(text.replace(",", ""))
