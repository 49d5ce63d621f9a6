"""PDF files and questions as one task; what is wrong with either, by name."""

from __future__ import annotations

import pytest

from mmragbench.datasets.pdf import Pdf
from mmragbench.errors import DataError
from support import papers
from support.papers import LEFT, paper, write


@pytest.fixture
def root(tmp_path):
    return papers.world(tmp_path / "reports")


def posed(root, **how):
    (task,) = Pdf(root, **how).tasks().values()
    return task


def kinds(task) -> list[tuple[str, str]]:
    return [(exclusion.kind, exclusion.id) for exclusion in task.exclusions]


def test_passages_and_figures_are_one_memory(root):
    """A document for each, by file, page and number; figures have their caption as text."""
    task = posed(root)
    documents = {d.id: (d.image is not None, [t.content for t in d.texts]) for d in task.memory}
    assert documents == {
        "houses.pdf#p1-1": (False, ["The red house was built in 1884. Nobody lives there."]),
        "houses.pdf#p1-fig1": (True, ["Figure 1: The red house"]),
        "houses.pdf#p1-fig2": (True, ["Figure 2: The blue lake"]),
        "houses.pdf#p2-1": (False, ["The yellow tower is 330 metres high. It stands in Lyon."]),
        "houses.pdf#p2-fig1": (True, ["Figure 3: The yellow tower at noon"]),
        "more/plants.pdf#p1-1": (False, ["The green tree is an oak. It has stood for 200 years."]),
        "more/plants.pdf#p2-1": (False, ["The purple flower is an iris. It flowers in May."]),
        "more/plants.pdf#p3-fig1": (True, ["Figure 1: The orange fruit"]),
    }
    assert all(d.image.digest and d.image.open().size == (120, 90) for d in task.memory if d.image)
    assert not task.exclusions


def test_questions_have_their_answers_and_gold(root):
    """Gold by id, by page (all documents of the page) or none; several answers; an image."""
    task = posed(root)
    assert (task.output, task.relevance) == ("answer", "gold")
    assert task.qrels == {
        "q0": {"houses.pdf#p1-1": 1, "houses.pdf#p1-fig1": 1, "houses.pdf#p1-fig2": 1},
        "q1": {"houses.pdf#p2-1": 1},
        "q2": {"houses.pdf#p1-fig2": 1},
        "q3": {"more/plants.pdf#p1-1": 1},
        "q4": {"more/plants.pdf#p2-1": 1},
        "q5": {"more/plants.pdf#p3-fig1": 1},
        "q6": {"more/plants.pdf#p1-1": 1},
    }
    assert task.references["q1"] == ("330 metres", "330 m")
    queries = {query.id: query for query in task.queries}
    assert queries["q6"].image is not None and queries["q6"].image.digest
    assert queries["q0"].text.content == "When was the red house built?"
    assert queries["q0"].group == queries["q2"].group == "houses.pdf#p1"
    assert queries["q7"].group == ""


def test_slices_tell_modalities_apart(root):
    """By what the gold documents are, and by whether the question has an image."""
    assert posed(root).slices == {
        "text": {"q1", "q3", "q4", "q6"},
        "figure": {"q2", "q5"},
        "text+figure": {"q0"},
        "image-question": {"q6"},
        "text-question": {"q0", "q1", "q2", "q3", "q4", "q5", "q7"},
    }


def test_the_same_files_pose_the_same_task(root, tmp_path):
    """Elsewhere, with another cache: the digests of memory and queries are the same."""
    import shutil

    from mmragbench.cache.identity import memory_digest, queries_digest

    first = posed(root)
    shutil.copytree(root, tmp_path / "copy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(tmp_path / "cache"))
        second = posed(tmp_path / "copy")
    assert memory_digest(first.memory) == memory_digest(second.memory)
    assert queries_digest(first.queries) == queries_digest(second.queries)


def test_passages_are_as_long_as_asked(root):
    """`words` and `overlap`; numbers go on from 1 on each page."""
    task = posed(root, words=6, overlap=2, files=("houses.pdf",), questions=questions(root))
    texts = {d.id: d.texts[0].content for d in task.memory if d.image is None}
    assert texts == {
        "houses.pdf#p1-1": "The red house was built in",
        "houses.pdf#p1-2": "built in 1884. Nobody lives there.",
        "houses.pdf#p2-1": "The yellow tower is 330 metres",
        "houses.pdf#p2-2": "330 metres high. It stands in",
        "houses.pdf#p2-3": "stands in Lyon.",
    }


def questions(root, *rows):
    rows = rows or ({"id": "q", "question": "Why?", "answers": ["because"]},)
    papers.ask(root, rows)
    return "questions.jsonl"


def test_a_question_that_names_what_is_not_there_is_left_out_by_name(root):
    """An unknown id, page or file, also beside a known one, and an image that can't be used."""
    gold = {
        "id": ["houses.pdf#p1-9"],
        "page": [{"file": "houses.pdf", "page": 7}],
        "file": ["houses.pdf#p1-1", {"file": "gone.pdf"}],
        "whole": [{"file": "houses.pdf"}],
    }
    rows = [
        {"id": id, "question": "Why?", "answers": ["x"], "documents": of} for id, of in gold.items()
    ]
    for id, image in (("away", "../../x.png"), ("broken", "questions.jsonl"), ("none", "none.png")):
        rows.append({"id": id, "question": "Why?", "answers": ["x"], "image": image})
    questions(root, *rows)
    task = posed(root)
    assert [query.id for query in task.queries] == ["whole"]
    assert len(task.qrels["whole"]) == 5
    assert sorted(kinds(task)) == [
        ("unknown gold document", "file"),
        ("unknown gold document", "id"),
        ("unknown gold document", "page"),
        ("unusable query image", "away"),
        ("unusable query image", "broken"),
        ("unusable query image", "none"),
    ]
    reasons = {exclusion.id: exclusion.reason for exclusion in task.exclusions}
    assert reasons["page"] == "the memory has nothing of houses.pdf#p7"


@pytest.mark.parametrize(
    "line, reason",
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("7", "not an object"),
        ({"id": None, "question": "Why?", "answers": ["x"]}, "'id' is neither"),
        ({"id": True, "question": "Why?", "answers": ["x"]}, "'id' is neither"),
        ({"id": "b", "question": " ", "answers": ["x"]}, "'question': ' ' is no text"),
        ({"id": "b", "question": "Why?" * 2000, "answers": ["x"]}, "8,000 characters"),
        ({"id": "b", "question": "Why?"}, "'answers' is not a list"),
        ({"id": "b", "question": "Why?", "answers": []}, "'answers' is not a list"),
        ({"id": "b", "question": "Why?", "answers": [7]}, "'answers': 7 is no text"),
        ({"id": "b", "question": "Why?", "answers": ["x"], "documents": "d"}, "'documents' is not"),
        ({"id": "b", "question": "Why?", "answers": ["x"], "documents": [7]}, "neither an id nor"),
        (
            {"id": "b", "question": "Why?", "answers": ["x"], "documents": [{"page": 1}]},
            "is no text",
        ),
        (
            {
                "id": "b",
                "question": "Why?",
                "answers": ["x"],
                "documents": [{"file": "a", "page": "1"}],
            },
            "whole number",
        ),
        ({"id": "b", "question": "Why?", "answers": ["x"], "image": 7}, "'image' is not"),
        ({"id": "b", "question": "Why?", "answers": ["x"], "answer": "x"}, "unknown key 'answer'"),
        ('{"id": "b", "question": "\\ud800?", "answers": ["x"]}', "surrogate"),
    ],
)
def test_a_line_that_is_no_question_is_named(root, line, reason):
    """By file and line, with what is wrong; the others are asked."""
    questions(root, {"id": "a", "question": "Why?", "answers": "because"}, "", line)
    task = posed(root)
    assert [query.id for query in task.queries] == ["a"]
    assert task.references == {"a": ("because",)}
    assert kinds(task) == [("broken question", "questions.jsonl:3")]
    assert reason in task.exclusions[0].reason


def test_a_question_without_an_id_is_named_by_its_line(root):
    """`q` and the line's number, empty lines counted."""
    questions(root, {"question": "Why?", "answers": "x"}, "", {"question": "When?", "answers": "y"})
    assert posed(root).references == {"q1": ("x",), "q3": ("y",)}


def test_an_id_is_asked_once(root):
    """Numbers are ids too; the first line of an id is asked."""
    rows = [{"id": 1, "question": q, "answers": ["x"]} for q in ("Why?", "When?")]
    questions(root, *rows)
    task = posed(root)
    assert [(q.id, q.text.content) for q in task.queries] == [("1", "Why?")]
    assert kinds(task) == [("duplicate question id", "1")]


def test_one_bad_file_ends_nothing(root):
    """Damaged and locked files, one that leads out of the folder and one that is not there are
    named; the others are the memory."""
    (root / "bad.pdf").write_bytes(b"%PDF-1.4 rubbish")
    outside = paper(root.parent / "outside.pdf", lambda canvas: write(canvas, LEFT, 700, ["Out."]))
    (root / "link.pdf").symlink_to(outside)
    task = posed(root)
    assert len(task.memory) == 8
    assert kinds(task) == [("damaged PDF", "bad.pdf"), ("outside the dataset's folder", "link.pdf")]
    named = posed(root, files=("houses.pdf", "gone.pdf"), questions=questions(root))
    assert kinds(named) == [("unreadable file", "gone.pdf")]


def test_figures_keep_the_rules_for_pictures(root):
    """One that is more elongated than pictures may be is named, and its page stays."""
    paper(
        root / "long.pdf",
        lambda canvas: (
            write(canvas, LEFT, 700, ["Long."]),
            papers.show(canvas, papers.picture("red", (4000, 70)), 72, 500, 400, 7),
        ),
    )
    task = posed(root)
    assert kinds(task) == [("image too elongated", "long.pdf#p1-fig1")]
    assert "long.pdf#p1-1" in {document.id for document in task.memory}


def test_a_limit_draws_the_same_questions(root):
    """Fewer questions are among more of them, in the file's order."""
    few, more = ([q.id for q in posed(root, limit=n).queries] for n in (2, 5))
    assert (len(few), len(more)) == (2, 5)
    assert set(few) < set(more) and more == sorted(more)


@pytest.mark.parametrize(
    "how, message",
    [
        ({"questions": "none.jsonl"}, r"none.jsonl cannot be read .*expected lines like"),
        (
            {"files": ("gone.pdf",)},
            "no PDF file .* has a text or figure; the first of 1 reasons: gone.pdf",
        ),
        ({"words": 20, "overlap": 20}, "an overlap of 20 words does not fit"),
        ({"limit": 0}, "leaves nothing to ask"),
    ],
)
def test_what_leaves_nothing_to_ask_is_an_error(root, how, message):
    """One line that says what was expected."""
    with pytest.raises(DataError, match=message) as caught:
        posed(root, **how)
    assert "\n" not in str(caught.value)


def test_no_folder_and_no_usable_question_are_errors(root, tmp_path):
    """With the first reason."""
    questions(root, "{")
    with pytest.raises(
        DataError, match=r"no question of questions.jsonl can be used; the first of 1"
    ):
        posed(root)
    (tmp_path / "empty").mkdir()
    papers.ask(tmp_path / "empty", [{"id": "q", "question": "Why?", "answers": ["x"]}])
    with pytest.raises(DataError, match="no PDF file below"):
        posed(tmp_path / "empty")


def test_linked_folders_are_read_and_hidden_files_are_named(root, tmp_path):
    """A link within the root is followed; one that leads out is refused with what to do."""
    (root / "linked").symlink_to(root / "more")
    (root / "more" / "round").symlink_to(root)
    (root / "out").symlink_to(papers.world(tmp_path / "elsewhere"))
    for name in ("._houses.pdf", ".trash/old.pdf", "__MACOSX/houses.PDF"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"%PDF-1.4")
    task = posed(root)
    files = {document.id.partition("#")[0] for document in task.memory}
    assert files == {"houses.pdf", "more/plants.pdf"}
    assert sorted(kinds(task)) == [
        ("duplicate file", "linked/plants.pdf"),
        ("hidden file", "._houses.pdf"),
        ("hidden file", ".trash/old.pdf"),
        ("hidden file", "__MACOSX/houses.PDF"),
        ("outside the dataset's folder", "out/houses.pdf"),
        ("outside the dataset's folder", "out/more/plants.pdf"),
    ]
    reasons = {e.id: e.reason for e in task.exclusions}
    assert "cp -rL" in reasons["out/houses.pdf"]
