"""Hostile files, through every format: a clear end with a reason, in bounded memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from ingest.documents import yaml_documents
from ingest.formats import FORMATS
from ingest.reader import UnreadableFile
from tests.deep import DEEP, all_but

MB = 1024 * 1024
READ = """
import itertools, json, pathlib, resource, sys
from ingest.formats import FORMATS
from ingest.kinds import KINDS
from ingest.reader import FormatInput, UnreadableFile

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def once(form):
    kinds = {}
    for kind, read in form.readers.items():
        if read not in kinds or kind == "deployments":
            kinds[read] = kind
    return [(kind, read) for read, kind in kinds.items()]

before, said, every = peak(), {}, sys.argv[1] == "every"
for path in map(pathlib.Path, sys.argv[3:]):
    for form in FORMATS.values() if sys.argv[2] == "all" else [FORMATS[sys.argv[2]]]:
        for kind, read in form.readers.items() if every else once(form):
            rows = 0
            try:
                for raw in read(FormatInput(path, KINDS[kind], True, lambda text: None)):
                    rows += 1
                ended = f"{rows} rows" + (f", {raw.fault.reason}" if rows and raw.fault else "")
            except UnreadableFile as problem:
                ended = f"refused: {problem}"
            said[f"{path.name} {form.name} {kind}"] = ended
print(json.dumps([peak() - before, said]))
"""
BEGINNINGS = {
    "csv": b"workspace,tag,deployed_at,environment,failed_proxy\n",
    "prowler-csv": b"AUTH_METHOD;TIMESTAMP;STATUS;COMPLIANCE\n",
    "json": b'{"a": "',
    "json-array": b'[{"a": "',
    "nested": b"",
    "xml": b'<TestResult xmlns="http://checklists.nist.gov/xccdf/1.2"><profile idref="',
    "xml-text": b'<TestResult xmlns="http://checklists.nist.gov/xccdf/1.2"><title>',
    "yaml": b"version: prometheus/v1\nslos: ",
    "pem": b"-----BEGIN CERTIFICATE-----\n",
    "nothing": b"",
}


def read_all(*paths: Path, form: str = "all") -> tuple[int, dict[str, str]]:
    """The growth of memory in MB and how each ended, in a process of its own. A reader of several kinds
    reads once; each kind in ``make test-deep``."""
    run = subprocess.run(
        [sys.executable, "-c", READ, "every" if DEEP else "once", form, *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    grown, said = json.loads(run.stdout)
    return grown // 1024, said


def nothing_read(said: dict[str, str]) -> bool:
    """Whether no row came whole: refused, none at all, or each with its fault."""
    return all(e.startswith(("refused: ", "0 rows")) or ", " in e for e in said.values())


@pytest.mark.parametrize("name", all_but(["json"], BEGINNINGS))
def test_a_line_of_50_megabytes(tmp_path, name):
    path = tmp_path / "long"
    filler = b"[" if name == "nested" else b"A"
    with path.open("wb") as out:
        out.write(BEGINNINGS[name])
        for _ in range(50):
            out.write(filler * MB)
    grown, said = read_all(path)
    assert nothing_read(said), said
    assert grown < 250, (grown, said)


@pytest.mark.parametrize("million", all_but([4], [4, 16]))
def test_a_json_record_of_small_pieces(tmp_path, million):
    path = tmp_path / "wide"
    path.write_bytes(b'[{"a": [' + b"[]," * (million * MB) + b"[]]}]")
    grown, said = read_all(path, form="github")
    assert "holds more than 8 MB in one piece" in said["wide github deployments"]
    assert grown < 400, (grown, said)


def bomb(megabytes: int) -> bytes:
    """So many megabytes of one letter as one stream of gzip: the first is packed, the others repeat it."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(b"A" * MB) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(megabytes):
        checksum = zlib.crc32(b"A" * MB, checksum)
    ending = packer.flush() + struct.pack("<II", checksum, megabytes * MB % 2**32)
    return gzip.compress(b"", mtime=0)[:10] + packed * megabytes + ending


def test_the_bomb_is_what_gzip_unpacks():
    assert gzip.decompress(bomb(3)) == b"A" * 3 * MB


def test_a_gzip_bomb(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(bomb(1024))
    assert path.stat().st_size < 8 * MB
    grown, said = read_all(path)
    assert nothing_read(said), said
    assert "unpacks to over" in said["bomb.gz csv deployments"]
    assert grown < 250, (grown, said)


def test_a_zip_is_refused_with_what_to_do(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("deployments.csv", "workspace,key,completed_at,outcome\n")
    (tmp_path / "z.csv").write_bytes(packed.getvalue())
    (tmp_path / "z.gz").write_bytes(gzip.compress(packed.getvalue()))
    _, said = read_all(tmp_path / "z.csv", tmp_path / "z.gz")
    ends = {key: end for key, end in said.items() if " git deployments" not in key}
    ends = {key: end for key, end in ends.items() if " git changes" not in key}
    assert set(ends.values()) == {"refused: is a zip archive: unpack it first"}


@pytest.mark.parametrize(
    "form", [f for f in FORMATS.values() if f.directories], ids=lambda f: f.name
)
def test_a_link_out_of_a_directory_is_not_followed(bring, tmp_path, database, form):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.pem").symlink_to(outside / "secret.pem")
    (inside / "folder").symlink_to(outside)
    _, said = read_all(inside, form=form.name)
    assert all("secret" not in end and "damaged" not in end for end in said.values()), said


def test_a_file_that_is_a_pipe_or_a_device_ends(tmp_path):
    _, said = read_all(Path(os.devnull))
    assert nothing_read(said), said


def laughs(levels: int) -> bytes:
    """YAML in which each line holds the one before it nine times."""
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        lines.append(b"a%d: &a%d [%s]" % (level, level, b", ".join([b"*a%d" % (level - 1)] * 9)))
    return b"\n".join(lines)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (laughs(10), "stands for over 1,000,000 parts"),
        (b"a: &a [*a]", "holds itself"),
        (b"a: &a {b: {c: *a}}", "holds itself"),
        (b"? &a [*a]\n: 1", "holds itself"),
    ],
)
def test_yaml_that_stands_for_more_than_it_says_is_refused(text, why):
    with pytest.raises(UnreadableFile, match=why):
        list(yaml_documents(text))


def test_yaml_with_aliases_is_read():
    ((line, document),) = yaml_documents(b"a: &a [x, y]\nb: *a\nc: *a\n" + laughs(3))
    assert (line, document["c"]) == (1, ["x", "y"])
