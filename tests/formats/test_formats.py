"""The readers that data sets and `score` share: what a line, a number, an id and a row is."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mmragbench._printable import quoted
from mmragbench.errors import DataError, listed
from mmragbench.formats.csv_rows import read_csv
from mmragbench.formats.json_values import read_json, read_objects
from mmragbench.formats.judgements import MAX_GRADE, as_grade, read_judgements
from mmragbench.formats.text_lines import read_lines
from mmragbench.formats.values import as_id, as_number, not_a_text, refuse_contradictions

SEPARATORS = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\r"


@pytest.fixture
def file(tmp_path):
    """Writes bytes or text, and returns the path."""

    def write(content, name="file.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_ends_at_a_newline_alone(file, end):
    """Whatever else ends a line for Python or Unicode is part of the text."""
    lines = [f"a{mark}b" for mark in SEPARATORS]
    path = file(end.join(lines) + end)
    assert list(read_lines(path, "text")) == list(enumerate(lines, 1))


def test_json_lines_may_hold_every_separator(file):
    """As JSON writes it without ASCII: U+2028 and its like stand raw within a text."""
    rows = [{"text": f"a{mark}b"} for mark in SEPARATORS]
    path = file("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    assert [row for _, row, _ in read_objects(path, "rows")] == rows


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
        ("utf-32", "UTF-32"),
        ("cp1252", "CP1252"),
        ("latin-1", "CP1252"),
    ],
)
def test_another_encoding_is_named_with_the_way_out(file, tmp_path, monkeypatch, encoding, named):
    """One error: the encoding that fits, the command that converts, and how the line then reads."""
    path = file("first line\nein Café\n".encode(encoding), "a file.txt")
    with pytest.raises(DataError) as caught:
        list(read_lines(path, "text"))
    message = str(caught.value)
    assert f"it seems to be {named}" in message
    assert ("line 2" in message and "'ein Café'" in message) == (named == "CP1252")
    command = re.search("convert it: (iconv .+); expected text", message)[1]
    if shutil.which("iconv"):
        monkeypatch.chdir(tmp_path)
        subprocess.run(command, shell=True, check=True)
        converted = [line for _, line in read_lines(tmp_path / "utf8-a file.txt", "text")]
        assert converted == ["first line", "ein Café"]


@pytest.mark.parametrize(
    ("pack", "name"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2"), (lzma.compress, "xz")]
)
def test_a_packed_file_is_to_be_unpacked(file, pack, name):
    """Not converted from an encoding that its bytes happen to fit."""
    path = file(pack(bytes(range(256)) * 9))
    for read in (read_json, lambda *args: list(read_lines(*args))):
        with pytest.raises(DataError, match=f"is an? {name} file, no text; unpack it: "):
            read(path, "an object")


def test_bytes_that_cp1252_lacks_are_latin_1(file):
    """0x81 is a character in ISO-8859-1 alone."""
    with pytest.raises(DataError, match="ISO-8859-1"):
        list(read_lines(file(b"a\x81b\n"), "text"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"id": 1, "id": 2}', "says the key 'id' twice"),
        ('{"a": [{"b": 1, "b": 1}]}', "says the key 'b' twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5_000 + "}", "4300 digits"),
        ('{"a": 1', "not JSON"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b'{"a": "\xe9"}', "CP1252"),
    ],
)
def test_json_that_is_refused(file, content, reason):
    """One line, and short, for a key said twice, depth, digits, a cut, another encoding."""
    with pytest.raises(DataError, match=reason) as caught:
        read_json(file(content), "an object")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_broken_line_is_named_and_the_others_are_read(file):
    """By its number, with the reason."""
    path = file('\ufeff{"a": 1}\n\n{"a": 1, "a": 2}\n[1]\n{"a": \n{"a": 2}\n')
    objects = list(read_objects(path, "objects"))
    assert [(number, row) for number, row, _ in objects] == [
        (1, {"a": 1}), (3, None), (4, None), (5, None), (6, {"a": 2}),
    ]  # fmt: skip
    assert all(reason for _, row, reason in objects if row is None)


@pytest.mark.parametrize(
    "text",
    ["inf", "-inf", "nan", "1e400", "1_000", "１", "0x1", "1,5", "", "e", "1e", "½", "٣", "1 "],
)
def test_what_is_no_number(text):
    """A number is finite and in ASCII digits, as trec_eval and C read it."""
    assert as_number(text) is None


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("1", 1),
        ("1.0", 1),
        ("2.", 2),
        ("+1", 1),
        ("-1", -1),
        ("0", 0),
        ("1e2", 100),
        ("1000", 1000),
    ],
)
def test_grades_are_whole_numbers(text, grade):
    """However they are written."""
    assert as_grade(text) == grade and isinstance(as_grade(text), int)


@pytest.mark.parametrize(
    "text",
    ["0.5", "1001", "-1001", "2147483648", "3000000000", "9" * 30, "9" * 400, "１", "true", "nan"],
)
@pytest.mark.parametrize("beir", [True, False])
def test_other_grades_are_errors_that_name_the_line(file, text, beir):
    """In both formats, by one policy: trec_eval's memory grows with the highest grade."""
    row = f"q\td\t{text}" if beir else f"q 0 d {text}"
    path = file(("query-id\tcorpus-id\tscore\n" if beir else "q 0 c 1\n") + row + "\n")
    with pytest.raises(DataError, match=r"line 2: the grade .*; expected TREC qrels") as caught:
        read_judgements(path)
    assert len(str(caught.value)) < 500 and MAX_GRADE == 1_000


def test_judgements_of_beir_are_read_as_beir_does(file):
    """Quoted fields, columns in any order, carriage returns, a byte order mark."""
    path = file(
        '\ufeff"score"\t"query-id"\tx\tcorpus-id\r\n1.0\t"q 1"\t\t"d""1"\r\n2\tq2\t\td2\r\n\r\n'
    )
    assert read_judgements(path).grades == {"q 1": {'d"1': 1}, "q2": {"d2": 2}}
    path = file('query-id\tcorpus-id\tscore\n"q\td\t1\n"q\t"e\t1\n')
    assert read_judgements(path).grades == {'"q': {"d": 1, '"e': 1}}


@pytest.mark.parametrize(
    "line", ["q\td", "q\t\t1", "\td\t1", "q\ta\0b\t1", "q\t" + "d" * 140_000 + "\t1"]
)
def test_a_judgement_that_is_none_names_its_line(file, line):
    """A field too few, an empty id, NUL (where trec_eval's ids end), length."""
    with pytest.raises(DataError, match="line 2: ") as caught:
        read_judgements(file(f"query-id\tcorpus-id\tscore\n{line}\nq\td2\t1\n"))
    assert len(str(caught.value)) < 500


def test_the_same_judgement_twice_is_counted_and_another_one_refused(file):
    """Nothing says which of two grades is meant."""
    same = file("q 0 d 1\nq 0 d 1.0\nq 0 d 1\n")
    assert read_judgements(same) == ({"q": {"d": 1}}, ("q d",))
    with pytest.raises(DataError, match=r"q d \(line 2\)"):
        read_judgements(file("q 0 d 1\nq 0 d 0\n"))


@pytest.mark.parametrize("value", [7, "7", "a b", "ä", "x" * 1_000, 10**30, -1])
def test_ids(value):
    """Whole numbers and texts are known by their text."""
    assert as_id(value) == str(value)


@pytest.mark.parametrize("value", [None, True, 1.0, "", [], {}, "a\0b", "\ud800", "x" * 1_001])
def test_what_cannot_be_an_id(value):
    """What no file could hold, or no two tools write alike."""
    assert as_id(value) is None


@pytest.mark.parametrize(
    "value",
    [
        None, 1, 1.5, True, [], ["a dog"], {"raw": "a dog"}, "half \ud800",
        "['a dog', 'a cat']", '["a dog"]', " [] ", "{'raw': 'a dog'}", '{"raw": "a"}', "[None]",
    ],
)  # fmt: skip
def test_what_is_no_caption(value):
    """A list that was written as text is none, whichever library wrote it."""
    assert not_a_text(value)


@pytest.mark.parametrize(
    "value", ["a dog", "[UNK]", "[a dog]", "(a, b)", "a [b]", "{a}", "None", ""]
)
def test_what_is_a_caption(value):
    """Brackets alone make no list."""
    assert not not_a_text(value)


@given(some.lists(some.tuples(some.text(max_size=9), some.text(max_size=9)), max_size=6))
def test_csv_comes_back_as_the_library_wrote_it(tmp_path_factory, rows):
    """Quotation marks, commas and line breaks of all kinds in quoted fields."""
    rows = [(f"{n}.png", *(t.replace("\r", "") for t in row)) for n, row in enumerate(rows)]
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [("name", "a", "b"), *rows]
    )
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    path.write_bytes(text.getvalue().encode("utf-8", "replace"))
    header, read_rows = read_csv(path, "a table", "name")
    lossless = [[field.encode("utf-8", "replace").decode() for field in row] for row in rows]
    assert (header, [row for _, row in read_rows]) == (["name", "a", "b"], lossless)


@pytest.mark.parametrize(
    ("caption", "following"),
    [
        ('"Stop', ["b.png,x", 'c.png,says "Go"']),
        ('"Stop', ["b.png,x", 'c.png,Go"']),
        ('"Stop', ["b.png,x"]),
        ('"Stop" sign', ["b.png,x"]),
        ('he said "stop', ["b.jpg,x"]),
    ],
)
def test_a_quotation_mark_swallows_no_line(file, caption, following):
    """Where it opens and does not close before another picture is named, it is a part of the text."""
    path = file("\n".join(["image,caption", f"a.png,{caption}", *following]) + "\n")
    rows = [row for _, row in read_csv(path, "captions", "image")[1]]
    assert rows == [["a.png", caption], *(line.split(",", 1) for line in following)]


def test_csv_of_an_old_mac(file):
    """Lines that end in a carriage return alone are one line: it says how to convert."""
    with pytest.raises(DataError, match=r"tr '\\r' '\\n' < old.csv"):
        read_csv(file("image,caption\ra.png,x\r", "old.csv"), "captions", "image")


def test_a_column_that_is_not_there(file):
    """The error has the columns that there are."""
    with pytest.raises(DataError, match="its columns are 'name, text'; expected captions"):
        read_csv(file("name,text\na,b\n"), "captions", "image")


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202ea", "x" * 5_000])
def test_what_an_error_shows_of_a_text(text):
    """One short line, without what a terminal would obey."""
    for shown in (quoted(text), listed([text])):
        assert shown.isprintable() and len(shown) < 200


def test_what_an_error_shows_of_a_value():
    """However deep and wide it is."""
    assert len(quoted([{str(n): ["x" * 99] * 9 for n in range(9)}] * 9)) < 200


def test_contradictions_are_named_in_one_line():
    """The first three, however long and whatever they hold."""
    ids = ["a\x1b[2J", "b" * 5_000, "c\nd", "e"]
    with pytest.raises(DataError, match=r"^here: 4 things .*, \.\.\.; keep one of each$") as caught:
        refuse_contradictions("here", "things", ids)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 500
