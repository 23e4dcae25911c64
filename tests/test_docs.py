"""The generated documents are what the code says."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
GENERATOR = runpy.run_path(str(DOCS / "generate.py"), run_name="generator")
README = (ROOT / "README.md").read_text(encoding="utf-8")
POINTERS = [
    row
    for table in README.split("| you wonder | look at |\n|---|---|\n")[1:]
    for row in table.partition("\n\n")[0].splitlines()
]
"""Rows of README that lead from a question to the code."""
QUOTED = re.compile(r"`([^`]+)`")
PATH = re.compile(r"[\w./]+/[\w./]*|[\w./]+\.(?:py|css|json|md)")
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


@pytest.mark.parametrize("name", GENERATOR["DOCUMENTS"])
def test_it_has_not_drifted(name):
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == GENERATOR["DOCUMENTS"][name](), "run `make docs`"


def files_of(row: str) -> list[Path]:
    """Files that a row names; a bare name is of the folder named before, or of every domain."""
    files: list[Path] = []
    for quoted in filter(PATH.fullmatch, QUOTED.findall(row)):
        beside = [file.parent / quoted for file in files if (file.parent / quoted).exists()]
        of_domains = list(ROOT.glob(f"aggregators/*/{quoted}"))
        files += [ROOT / quoted] if (ROOT / quoted).exists() else beside or of_domains
        assert Path(quoted).name in {file.name for file in files}, f"{quoted} is nowhere"
    return files


def text_of(files: list[Path]) -> str:
    """Everything that stands in the files, and in the modules of those that are folders."""
    modules = [m for f in files for m in (f.rglob("*.py") if f.is_dir() else [f])]
    return "\n".join(module.read_text(encoding="utf-8") for module in modules)


def place_of(name: str, row: str) -> str:
    """Text in which a name of a row is to stand: that of its files, or what lists such names."""
    if name.startswith("VIGILO_"):
        return (DOCS / "environment.md").read_text(encoding="utf-8")
    if name.startswith("vigilo."):
        return (ROOT / "storage/migrations/definitions.json").read_text(encoding="utf-8")
    return text_of(files_of(row))


@pytest.mark.parametrize("row", POINTERS, ids=lambda row: row.split("|")[1].strip())
def test_a_pointer_leads_to_what_is_there(row):
    assert files_of(row) or "](" in row or "`make " in row, "no place"
    names = [
        name for name in QUOTED.findall(row) if NAME.fullmatch(name) and not PATH.fullmatch(name)
    ]
    gone = [n for n in names if not re.search(rf"\b{n.split('.')[-1]}\b", place_of(n, row))]
    assert not gone, f"{gone} not in the files of the row"


def test_paths_of_the_recipes_are_there():
    quoted = QUOTED.findall((DOCS / "domains.md").read_text(encoding="utf-8"))
    paths = [q for q in quoted if PATH.fullmatch(q) and "/" in q and "DOMAIN" not in q]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
