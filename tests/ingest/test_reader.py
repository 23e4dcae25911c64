"""The CSV reader: as the standard library's where that one is right, and bounded where it is not."""

import codecs
import csv
import gzip
import io
import json
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest import documents
from ingest.kinds import KINDS
from ingest.reader import CELL, CELLS, PIECE, FormatInput, UnreadableFile, records, small_array
from ingest.report import ImportOutcome
from tests.deep import examples
from tests.ingest.bounded.memory import peak

BOMS = (codecs.BOM_UTF8, codecs.BOM_LE, codecs.BOM_BE)
HEAD = "workspace,key,name,tier\n"
GOOD = "payments,{},Acme,1\n"


def cells(content: str) -> list[list[str]]:
    return [list(r.cells) for r in records(io.BytesIO(content.encode("utf-8", "surrogatepass")))]


@examples(quick=100, deep=2000)
@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=2, max_size=4))
)
@example([["a\r\nb", '"'], ["", '""'], ["\ufeff", ","]])
def test_it_reads_back_what_the_standard_library_wrote(rows):
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["x", "y"], *rows])
    assert cells(out.getvalue()) == [["x", "y"], *rows]


@examples(quick=200, deep=5000)
@given(st.text(alphabet='a,"\n é', max_size=40))
@example('"a"b"c",d\n')
@example('a"b,"""c"""\n')
def test_it_reads_any_text_as_the_standard_library_does(content):
    expected = [row for row in csv.reader(io.StringIO(content, newline="")) if row]
    marked = list(csv.reader(io.StringIO(content + "\n@", newline="")))
    if marked[-1] != ["@"]:  # a quote that is still open has swallowed the mark
        with pytest.raises(UnreadableFile, match="never ends"):
            cells(content)
    else:
        assert cells(content) == expected


@examples(quick=100, deep=2000)
@given(st.binary(max_size=200))
def test_no_byte_is_lost_whatever_the_bytes(content):
    """Each line that holds anything belongs to a record, or to the rest that is reported."""
    lines = [i for i, line in enumerate(content.split(b"\n"), 1) if line.strip(b"\r")]
    begun = []
    try:
        begun = [record.line for record in records(io.BytesIO(content))]
    except UnreadableFile as problem:
        lines = [i for i in lines if b'"' in content] if "never ends" in str(problem) else []
    assert set(begun) <= set(lines)
    assert b'"' in content or content[:3].startswith(BOMS) or begun == lines


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_and_a_last_line_without_one(ending, last, bring):
    content = ending.join(["workspace,key,name,tier", "payments,v-1,Acme,1"]) + ending * last
    assert bring("vendors", content).written == 1


def test_a_byte_order_mark_is_no_part_of_the_first_name(bring):
    assert bring("vendors", codecs.BOM_UTF8 + (HEAD + GOOD.format("v")).encode()).written == 1


def test_a_line_end_across_two_pieces():
    (first, second) = records(io.BytesIO(b"a," + b"x" * (PIECE - 3) + b"\r\nc,d\r"))
    assert (first.cells[-1][-1], second.cells) == ("x", ["c", "d"])


def test_gzip_is_unpacked_and_a_cut_one_is_reported(bring):
    content = gzip.compress((HEAD + "".join(GOOD.format(i) for i in range(20_000))).encode())
    assert bring("vendors", content).written == 20_000
    cut = bring("vendors", content[: len(content) // 2])
    assert "is damaged" in cut.problem
    assert cut.failed
    assert cut.unchanged > 0


WRONG_FILES = [
    (b"", "is empty"),
    (b"\n\n", "is empty"),
    (codecs.BOM_UTF8, "is empty"),
    ((HEAD + GOOD).encode("utf-16"), "is UTF-16"),
    ((HEAD + GOOD).encode("utf-16-le"), "NUL bytes in line 1"),
    (b"workspace,key,n\xe4me,tier\n", "is not UTF-8 at line 1, byte 15"),
    (HEAD.replace("\n", "\r").encode() + b"payments,v,Acme,1\r", "ends its lines with CR alone"),
    (b"workspace,key,name\n", "lacks the required column tier; its header is 'workspace,key,name'"),
    (b"workspace;key;name;tier\n", "has semicolons: the delimiter is ;"),
    (b"workspace,key,name,tier,Key\n", "names a column twice: 'key'"),
    (b"x," * CELLS + b"x\n", f"has {CELLS + 1} columns"),
    (b'workspace,key,name,"tier\n', "line 1: a quoted cell begins here and never ends"),
    (b"a" * (CELL + 1) + b",b\n", "holds more than 64 KB"),
]


@pytest.mark.parametrize(("content", "problem"), WRONG_FILES)
def test_a_file_that_can_not_be_read_says_why(content, problem, bring):
    outcome = bring("vendors", content)
    assert problem in outcome.problem
    assert (outcome.read, outcome.failed) == (0, True)


def test_a_file_that_is_not_there_or_is_a_directory(bring, tmp_path, database):
    from ingest.importer import load
    from ingest.kinds import KINDS

    gone, folder = load(database, KINDS["vendors"], [tmp_path / "gone.csv", tmp_path])
    assert "No such file" in gone.problem
    assert "Is a directory" in folder.problem


def test_unknown_columns_are_named_and_left_out(bring):
    outcome = bring("vendors", "workspace,key,name,tier,colour,\npayments,v,Acme,1,red,\n")
    assert outcome.written == 1
    assert "unknown columns 'colour', ''" in outcome.warnings[0]


def test_header_names_may_be_padded_and_of_any_case(bring):
    assert bring("vendors", "Workspace , KEY,name,Tier\npayments,v,Acme,1\n").written == 1


def test_bytes_that_are_no_utf_8_reject_their_row_alone(bring):
    outcome = bring(
        "vendors", HEAD.encode() + b"payments,v-1,Acm\xe9,1\n" + GOOD.format("w").encode()
    )
    (reject,) = outcome.rejects
    assert outcome.written == 1
    assert (reject.line, reject.column) == (2, "name")
    assert reject.reason == f"is not UTF-8 at line 2, byte {len(HEAD) + 16}"


@pytest.mark.parametrize("before", range(PIECE - 4, PIECE + 1))
def test_a_character_across_two_pieces_is_one_character(before):
    filler = "a," + "x" * (before - 2)
    (record,) = records(io.BytesIO(f"{filler},Łódź€😀\n".encode()))
    assert (record.fault, record.cells[-1]) == (None, "Łódź€😀")


def test_a_cell_of_exactly_64_kb_is_taken():
    for size, fault in ((CELL, None), (CELL + 1, (0, "holds more than 64 KB"))):
        (record,) = records(io.BytesIO(("é" * size + ",b\n").encode()))
        assert record.fault == fault


@pytest.mark.parametrize("cell", ["{}", '"{}"', '"{}\n""quoted"", more\n"'])
def test_a_ten_megabyte_cell_is_reported_without_being_held(cell, bring, tmp_path):
    big = cell.format("x" * 10_000_000)
    content = f"{HEAD}payments,v-1,{big},1\n{GOOD.format('v-2')}"
    outcomes: list[ImportOutcome] = []
    held = peak(lambda: outcomes.append(bring("vendors", content)))
    ((outcome,), (reject,)) = outcomes, outcomes[0].rejects
    assert (reject.line, reject.column, reject.reason) == (2, "name", "holds more than 64 KB")
    assert outcome.written == 1
    assert held < 10_000_000 + 3_000_000  # the test's own copy as bytes, and little else


def test_a_row_of_a_million_cells_is_reported(bring):
    outcome = bring("vendors", HEAD + "," * 1_000_000 + "\n" + GOOD.format("v"))
    assert outcome.rejects[0].reason == "has 1000001 cells where the header has 4"
    assert outcome.written == 1


@pytest.mark.parametrize(("row", "count"), [("payments,v,Acme,1,2", 5), ("payments,v", 2)])
def test_too_many_or_too_few_cells(row, count, bring):
    outcome = bring("vendors", f"{HEAD}{row}\n{GOOD.format('w')}")
    assert outcome.rejects[0].reason == f"has {count} cells where the header has 4"
    assert outcome.written == 1


def test_a_quote_that_never_ends_keeps_the_rows_before_it(bring):
    outcome = bring(
        "vendors", HEAD + GOOD.format("v-1") + 'payments,v-2,"Acme,1\n' + GOOD.format("v-3")
    )
    assert outcome.written == 1
    assert outcome.problem.startswith("line 3: a quoted cell begins here and never ends")


VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | st.floats() | st.integers(-(2**70), 2**70)
    | st.sampled_from([1e400, -0.0, 1234567890123456789, 0.1234567890123456789]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def streamed(content: bytes) -> list | str:
    """The records of an array as a stream gives them, or why it ends."""
    reading = FormatInput(Path("x"), KINDS["deployments"], True, lambda _: None, content)
    try:
        with patch.object(documents, "small_array", lambda *_: None):
            return [item for _, item in documents.json_items(reading)]
    except UnreadableFile as problem:
        return str(problem)


@examples(quick=200, deep=5000)
@given(
    st.lists(VALUES, max_size=5), st.sampled_from([None, 1]), st.sampled_from(["", "x", " ", "]"])
)
def test_a_small_array_is_read_at_once_as_a_stream_of_it_is(values, indent, more):
    content = (json.dumps(values, indent=indent) + more).encode("utf-8", "surrogatepass")
    at_once = small_array(content, documents.DEEPEST)
    assert at_once is None or at_once == streamed(content)


@pytest.mark.parametrize("deep", [198, 199, 200, 201, 900])
def test_an_array_that_is_nested_too_deep_is_left_to_the_stream(deep):
    for begin, end in (("[", "]"), ('{"a":', "}")):
        content = f"[{begin * deep}1{end * deep}]".encode()
        assert (small_array(content, documents.DEEPEST) is None) == (deep > 199)
        assert isinstance(streamed(content), str) == (deep > 199)


def test_a_large_array_is_left_to_the_stream():
    assert small_array(b"[" + b"1," * 600_000 + b"1]", documents.DEEPEST) is None
    assert small_array(b'[{"id":1234567890123456}]', documents.DEEPEST) is None
    assert small_array(b'{"a": 1}', documents.DEEPEST) is None
