"""Make the pack's static font subsets: `python -m exports.fonts.subset DIRECTORY-OF-NOTO-SANS`.

Run once and kept with the source: subsetting on every export would cost seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from exports.pack.paper.scripts import RANGES as RANGES_OF

HERE = Path(__file__).parent
FACES = ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf")
RANGES = (
    (0x0020, 0x024F),  # Latin and its extensions
    (0x02B0, 0x036F),  # modifiers and combining marks
    (0x0370, 0x052F),  # Greek, Cyrillic
    (0x1E00, 0x1FFF),  # Latin Extended Additional, polytonic Greek
    (0x2000, 0x20CF),  # punctuation, superscripts, currency
    (0x2100, 0x22FF),  # letterlike, numbers, arrows, operators
    (0x25A0, 0x25FF),  # geometric shapes
    (0xFFFD, 0xFFFD),  # the replacement character
)
GRAFTS = {"NotoSansMath-Regular.ttf": "−≤≥≈→←↑↓", "NotoSansSymbols2-Regular.ttf": "▲▼■□●"}
"""Signs that Noto Sans itself lacks, by the sister face (same units per em) that has them."""


def subset(source: Path, target: Path) -> int:
    """Write the subset of a font file; returns how many characters it holds."""
    options = Options()
    options.layout_features = ["kern", "mark", "mkmk", "ccmp", "tnum"]
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    font = TTFont(source, recalcTimestamp=False)
    cutter = Subsetter(options)
    cutter.populate(unicodes={c for first, last in RANGES for c in range(first, last + 1)})
    cutter.subset(font)
    for face, signs in GRAFTS.items():
        graft(font, TTFont(source.with_name(face)), signs)
    font.save(target)
    return len(font.getBestCmap())


def han() -> set[int]:
    """Characters of names in Chinese and Japanese: the kana, and the ideographs that their common character
    sets begin with (GB 2312, the first levels of JIS and Big5)."""
    kana = {0x20, *range(0x3000, 0x3100), *range(0xFF01, 0xFF61)}
    return kana | {number for number in range(0x4E00, 0xA000) if _is_common(chr(number))}


def _is_common(char: str) -> bool:
    for charset, first, last in (
        ("gb2312", b"\xb0\xa1", b"\xf7\xfe"),
        ("shift_jis", b"\x88\x9f", b"\x98\x72"),
        ("big5", b"\xa4\x40", b"\xc6\x7e"),
    ):
        if first <= char.encode(charset, "ignore") <= last:
            return True
    return False


def other_script(name: str, source: Path, target: Path) -> None:
    """Write the face of another script, with everything that shaping needs."""
    ranges = (*RANGES_OF[name], (0x0020, 0x0020), (0x200C, 0x200F), (0x25CC, 0x25CC))
    known = han() if name == "Han" else {c for a, b in ranges for c in range(a, b + 1)}
    options = Options()
    options.layout_features = ["ccmp"] if name == "Han" else ["*"]
    options.hinting, options.notdef_outline = False, True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    font = TTFont(source, recalcTimestamp=False)
    cutter = Subsetter(options)
    cutter.populate(unicodes=known)
    cutter.subset(font)
    font.save(target)


def graft(font: TTFont, donor: TTFont, signs: str) -> None:
    """Copy the glyphs of ``signs`` from ``donor`` into ``font``."""
    for sign in signs:
        name, glyph = f"sign{ord(sign):04X}", donor["glyf"][donor.getBestCmap()[ord(sign)]]
        if glyph.isComposite():
            raise ValueError(f"{sign} is composite in the donor")
        glyph.removeHinting()
        font.setGlyphOrder([*font.getGlyphOrder(), name])
        font["glyf"].glyphs[name] = glyph
        font["hmtx"][name] = donor["hmtx"][donor.getBestCmap()[ord(sign)]]
        for table in font["cmap"].tables:
            if table.isUnicode():
                table.cmap[ord(sign)] = name


def main(folder: Path) -> None:
    """Subset every face of the pack from ``folder``."""
    for face in FACES:
        characters = subset(folder / face, HERE / face)
        sys.stdout.write(f"{face}: {characters} characters\n")
    for name in RANGES_OF:
        source = folder / f"NotoSans{'SC' if name == 'Han' else name}-Regular.ttf"
        other_script(name, source, HERE / f"NotoSans{name}-Regular.ttf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
