"""Hostile archives: bounded memory and time, a clear end with a reason, and no path that leads anywhere."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ingest.formats import FORMATS
from ingest.kinds import KINDS
from ingest.reader import FormatInput, RawRecord, UnreadableFile
from tests.deep import DEEP, all_but
from tests.ingest.bounded.memory import peak

MB = 1024 * 1024
PAGE = b"---\ntitle: Down\ndate: 2026-01-01\nseverity: down\n---\n"
END = b"\0" * 1024
RECORD = b"20 comment=aaaaaaaa\n"


def header(name: str, size: int, type: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, type
    return info.tobuf(tarfile.GNU_FORMAT)


def padded(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % 512)


def page(name: str = "a.md") -> bytes:
    return header(name, len(PAGE), tarfile.REGTYPE) + padded(PAGE)


def pax(records: bytes) -> bytes:
    return header("x", len(records), tarfile.XHDTYPE) + padded(records)


def packed(folder: Path, archive: bytes) -> Path:
    path = folder / "pages.tar.gz"
    path.write_bytes(gzip.compress(archive, 1))
    return path


def read(path: Path) -> list[RawRecord]:
    reading = FormatInput(path, KINDS["incidents"], True, lambda text: None)
    return list(FORMATS["jenkins-status"].readers["incidents"](reading))


def keys(folder: Path, archive: bytes) -> list[str]:
    return [raw.cells["key"] for raw in read(packed(folder, archive))]


def claims(size: int) -> bytes:
    """A header of a file of another name with that size, and nothing of it."""
    return header("a.bin", size, tarfile.REGTYPE)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a pax header that fills the memory": lambda: (
        header("x", 200 * MB, tarfile.XHDTYPE) + b"a" * 200 * MB
    ),
    "a long name that fills the memory": lambda: (
        header("x", 200 * MB, tarfile.GNUTYPE_LONGNAME) + b"a" * 200 * MB
    ),
    "a file that is said to be endless": lambda: claims(2**60),
    "a pax header that says so": lambda: pax(b"28 size=9999999999999999999\n") + claims(512),
    "a file with less than nothing": lambda: claims(-512),
    "digits that a pattern can not let go of": lambda: pax(b"1" * 200_000),
    "a record of no length": lambda: pax(b"0 path=a\n"),
    "a broken checksum": lambda: page()[:100] + b"x" + page()[101:],
}


@pytest.mark.parametrize(
    "what",
    all_but(["a pax header that fills the memory", "a broken checksum"], HOSTILE),
)
def test_an_archive_that_means_harm_is_refused(tmp_path, what):
    path = packed(tmp_path, HOSTILE[what]() + page() + END)

    def refused() -> None:
        with pytest.raises(UnreadableFile):
            read(path)

    assert peak(refused) < 8 * MB


def test_an_archive_has_no_more_headers_than_may_be(tmp_path):
    path = packed(tmp_path, header("a", 0, tarfile.DIRTYPE) * 100_002 + page() + END)
    with pytest.raises(UnreadableFile, match="holds more than 100,000 files"):
        read(path)


@pytest.mark.parametrize(
    "before",
    [
        pax(RECORD) * 3_000,
        (header("x", 5, tarfile.GNUTYPE_LONGNAME) + padded(b"a.md\0")) * 3_000,
        header("x", len(RECORD), tarfile.XGLTYPE) + padded(RECORD),
        pax(b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"),
        pax(b"23 GNU.sparse.size=aaa\n20 GNU.sparse.map=x\n"),
        pax(b"14 mtime=nan\n"),
        header("folder", 4_096, tarfile.DIRTYPE),
        header("b.md", 0, tarfile.SYMTYPE) + header("c.md", 0, tarfile.LNKTYPE),
        header("d.md", 0, tarfile.FIFOTYPE) + header("e.md", 0, tarfile.CHRTYPE),
    ],
)
def test_what_an_archive_has_beside_its_files_is_passed_over(tmp_path, before):
    (key,) = keys(tmp_path, before + page() + END)
    assert key == "a"


def test_names_lead_nowhere_and_long_ones_are_known(tmp_path):
    made = io.BytesIO()
    long = "p" * 200 + "/" + "n" * 150
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("../../../etc/up.md", "/etc/root.md", "C:\\x.md", f"{long}.md"):
            info = tarfile.TarInfo(name)
            info.size = len(PAGE)
            archive.addfile(info, io.BytesIO(PAGE))
    assert keys(tmp_path, made.getvalue()) == ["up", "root", "C:\\x", "n" * 150]
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo(f"{long}.md")
        info.size = len(PAGE)
        archive.addfile(info, io.BytesIO(PAGE))
    assert keys(tmp_path, made.getvalue())[-1] == "n" * 150
    assert [p.name for p in tmp_path.iterdir()] == ["pages.tar.gz"]


def test_bytes_changed_anywhere_end_in_records_or_a_reason(tmp_path):
    chance = random.Random(18)
    whole = page() + pax(RECORD) + page("b.md") + END
    for _ in range(20_000 if DEEP else 400):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            changed[chance.randrange(len(changed))] = chance.choice((0, 255, 32, 48, 61, 10, 120))
        for at in range(0, len(changed) - 511, 512):
            if chance.random() < 0.7:  # a checksum that is right leads further in
                rest = changed[at : at + 148] + b" " * 8 + changed[at + 156 : at + 512]
                changed[at + 148 : at + 156] = b"%06o\0 " % sum(rest)
        with suppress(UnreadableFile):
            assert len(read(packed(tmp_path, bytes(changed)))) <= 2
