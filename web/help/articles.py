"""Articles of the help, and finding one by its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

TAGS = re.compile(r"<[^>]*>")
AROUND = 90
"""Characters that an excerpt shows on either side of what was looked for."""


@dataclass(frozen=True, slots=True)
class HelpArticle:
    """An article: its address below /help, its title, and what it answers."""

    slug: str
    title: str
    about: str

    @property
    def template(self) -> str:
        """Template of its text."""
        return f"help/{self.slug}.html"


ARTICLES = (
    HelpArticle(
        "figures", "How the figures are made", "Snapshots, days, pooling, changes, low samples."
    ),
    HelpArticle("definitions", "Definitions", "Every measure: what counts, and its thresholds."),
    HelpArticle("permissions", "Permissions", "Who sees and may do what, by role."),
    HelpArticle(
        "residency",
        "Residency and data protection",
        "Which workspaces are left out, what is kept about people, and for how long.",
    ),
    HelpArticle(
        "frameworks",
        "Compliance frameworks",
        "How SOC 2, ISO 27001, HIPAA and your own controls come in.",
    ),
    HelpArticle("records", "Bringing records in", "Files, events, and what became of them."),
    HelpArticle("exports", "The board pack and exports", "Period, recipients, watermark, tracing."),
    HelpArticle(
        "assistants", "Assistants", "Connecting one, what it can ask, and what it can not do."
    ),
    HelpArticle(
        "troubleshooting", "Troubleshooting", "What a sentence on a page means, and what to do."
    ),
)


@dataclass(frozen=True, slots=True)
class HelpHit:
    """An article that has the words looked for, with the passage around the first."""

    article: HelpArticle
    excerpt: str


def find(words: str, text_of: Callable[[HelpArticle], str]) -> Sequence[HelpHit]:
    """Articles that have every word, those with one in the title first."""
    wanted = words.lower().split()
    hits = []
    for article in ARTICLES:
        text = " ".join(TAGS.sub(" ", text_of(article)).split())
        whole = f"{article.title} {article.about} {text}".lower()
        if wanted and all(word in whole for word in wanted):
            hits.append(HelpHit(article, _excerpt(text, wanted[0])))
    return sorted(hits, key=lambda hit: wanted[0] not in hit.article.title.lower())


def _excerpt(text: str, word: str) -> str:
    at = max(text.lower().find(word), 0)
    first, last = max(0, at - AROUND), at + len(word) + AROUND
    before, after = "… " if first else "", " …" if last < len(text) else ""
    return f"{before}{text[first:last].strip()}{after}"
