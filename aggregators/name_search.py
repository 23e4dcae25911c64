"""Names as people search for them, without case, accents and strokes."""

from __future__ import annotations

import unicodedata

STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "þ": "th"} | {"æ": "ae", "œ": "oe"}
)
"""Letters that Unicode does not take apart, as they are typed without them."""


def searchable(text: str) -> str:
    """A text as it is searched for: without case, accents and strokes."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(STROKES))
    return "".join(c for c in apart if not unicodedata.combining(c))
