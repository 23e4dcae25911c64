"""Faces of the page's font: each letter comes from one file, which has it."""

from __future__ import annotations

import re
from pathlib import Path

from fontTools.ttLib import TTFont

ASSETS = Path(__file__).parents[2] / "assets"
FACE = re.compile(r'@font-face \{[^}]*url\("([^"]+)"\)[^}]*unicode-range: ([^;]+);', re.DOTALL)
SMALL = 20_000
"""Bytes that one name may cost."""


def faces() -> dict[str, set[int]]:
    """Characters that the style sheet expects of each file."""
    sheet = (ASSETS / "base.css").read_text(encoding="utf-8")
    return {file: characters(ranges) for file, ranges in FACE.findall(sheet)}


def characters(ranges: str) -> set[int]:
    """Characters of a ``unicode-range``."""
    ends = [part.strip().removeprefix("U+").split("-") for part in ranges.split(",")]
    return {code for end in ends for code in range(int(end[0], 16), int(end[-1], 16) + 1)}


def test_no_two_faces_claim_a_letter():
    claimed = [code for codes in faces().values() for code in codes if chr(code).isalpha()]
    assert len(claimed) == len(set(claimed))


def test_the_letters_of_european_names_are_in_a_small_file():
    """A workspace called Łódź does not fetch the letters of every language."""
    names = (
        "Łódź Żółć Ćmielów Ńęą Śś Čeština Řř Škoda Žďár Ěů Győr Fűtő Şişli Ağrı İzmir Rīga Ģķļņ Ėųį"
    )
    letters = {ord(letter) for letter in names if ord(letter) > 0xFF and letter != "ı"}
    (file,) = {name for name, codes in faces().items() if codes & letters}
    assert letters <= TTFont(ASSETS / file).getBestCmap().keys()
    assert (ASSETS / file).stat().st_size < SMALL
