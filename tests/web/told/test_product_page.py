"""Table of the product page: every address is one that there is, every test one that runs."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

from aggregators.catalogue import DOMAINS
from docs.product_page import PromisedSentence, chapters
from tests.web.edge.matrix import ROWS

ROOT = Path(__file__).parents[3]
SENTENCES = [sentence for of_chapter in chapters().values() for sentence in of_chapter]
PATHS = {row.path.partition("?")[0] for row in ROWS} | {d.workspace_page for d in DOMAINS}
LONGEST = 130
"""Letters of a promise: it names the sentence, and copies none."""


@lru_cache
def functions_of(path: str) -> set[str]:
    """Names of the tests in a module."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.promise)
def test_where_it_is_seen_and_shown_is_there(sentence: PromisedSentence):
    assert sentence.seen
    assert sentence.tests
    for path in sentence.seen:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        assert any(re.fullmatch(pattern, known) for known in PATHS), path
    for test in sentence.tests:
        module, _, name = test.partition("::")
        assert name in functions_of(module), test
    assert len(sentence.promise) <= LONGEST


def test_every_chapter_of_the_product_page_is_in_the_table():
    assert list(chapters()) == [
        "Overview",
        "Why it exists",
        "Key concepts",
        "Worst-performing workspace",
        "Board-ready PDF",
        "Certificates",
        "A control about to fail",
        "Permissions",
        "Troubleshooting",
        "Related articles",
    ]
    assert len({sentence.promise for sentence in SENTENCES}) == len(SENTENCES)
