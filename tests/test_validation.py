"""What comes out of encoders, stores, rerankers and strategies is what was promised, or is refused."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mmragbench as mb
from mmragbench._batching import in_halves
from mmragbench._validation import CheckedStore, as_rows, check_hits, check_rankings, unusable
from mmragbench.cache.items import Items
from mmragbench.cache.vectors import VectorFile
from mmragbench.engine.cached_models import CachedCaptioner, CachedEncoder, CachedReranker
from mmragbench.engine.meter import Meter
from mmragbench.errors import ContractError, DataError
from mmragbench.records import Document, Failure, Hit, Image, Query, Ranking, Text
from mmragbench.stores.faiss import Faiss
from support import toy

TEXTS = [Text(id, id) for id in ("a", "b", "c", "d")]
EYE = np.eye(4, dtype=np.float32)


class Encoder:
    """Gives what it is told to, whatever is asked."""

    modalities = frozenset({"text"})

    def __init__(self, rows):
        self.rows, self.asked = rows, 0

    def encode_texts(self, texts):
        self.asked += len(texts)
        return self.rows(texts) if callable(self.rows) else self.rows


def remembered(rows, folder):
    return CachedEncoder(Encoder(rows), "mine", VectorFile(folder / "v"), Meter())


@pytest.mark.parametrize(
    "rows, fault",
    [
        (EYE[:3], r"shape \(3, 4\), where \(4, d\)"),
        (np.eye(5), r"shape \(5, 5\), where \(4, d\)"),
        (EYE[0], r"shape \(4,\)"),
        (EYE[None], r"shape \(1, 4, 4\)"),
        (np.zeros((4, 0)), r"shape \(4, 0\)"),
        (None, "not object"),
        (EYE * 1j, "not complex"),
        (EYE > 0, "not bool"),
        (EYE.astype(str), "real numbers"),
        (EYE.astype(object), "not object"),
    ],
)
def test_an_encoder_gives_a_row_of_real_numbers_for_each_item(tmp_path, rows, fault):
    """Whatever else comes back, its error names the encoder; nothing is kept."""
    with pytest.raises(ContractError, match=f"mine.*{fault}"):
        remembered(rows, tmp_path).encode_texts(TEXTS)
    assert not remembered(EYE, tmp_path).known([f"text:{t.digest}" for t in TEXTS])


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 0.0, 1e300])
def test_a_vector_that_is_no_direction_is_named_when_the_others_are_stored(tmp_path, odd):
    """A model that overflows on some texts only: they are counted and named, the others kept."""
    rows = np.eye(4)
    rows[[1, 3]] = odd
    encoder = remembered(rows, tmp_path)
    with pytest.raises(DataError, match="mine cannot encode 2 of 4 texts: 'b', 'd': .*not finite"):
        encoder.encode_texts(TEXTS)
    again = remembered(None, tmp_path)
    np.testing.assert_array_equal(again.encode_texts([TEXTS[0], TEXTS[2]]), rows[[0, 2]])


def test_a_stored_vector_that_is_not_finite_is_computed_again(tmp_path):
    """What an earlier version kept, or a disk changed, is no answer."""
    encoder = remembered(lambda texts: EYE[: len(texts)], tmp_path)
    key = encoder.key(TEXTS[0])
    VectorFile(tmp_path / "v").put({key: np.full(4, np.nan, np.float32)}, 0.0)
    np.testing.assert_array_equal(encoder.encode_texts(TEXTS[:1]), EYE[:1])
    np.testing.assert_array_equal(remembered(None, tmp_path).encode_texts(TEXTS[:1]), EYE[:1])


def test_pictures_and_texts_of_other_widths_are_refused(tmp_path):
    """They are not in one space, and a search over them would mean nothing."""

    class Two(Encoder):
        modalities, by_id = frozenset({"image", "text"}), True

        def encode_images(self, images):
            return np.ones((len(images), 3), np.float32)

    encoder = CachedEncoder(Two(EYE), "two", VectorFile(tmp_path / "v"), Meter())
    encoder.encode_texts(TEXTS)
    with pytest.raises(ContractError, match="text vectors have 4, image vectors have 3"):
        encoder.encode_images([Image("i", Path("i"))])


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, -1e30, 1e-30, math.nan, math.inf]), min_size=3, max_size=3), min_size=1))  # fmt: skip
def test_unusable_rows_are_those_with_an_odd_number_or_zeros_alone(rows):
    """Against a loop over the numbers; values whose squares leave float32 are numbers as well."""
    expected = [
        at for at, row in enumerate(rows) if not all(map(math.isfinite, row)) or not any(row)
    ]
    assert unusable(as_rows(rows, len(rows), "it")).tolist() == expected


def test_a_batch_with_other_answers_than_items_is_not_put_together(tmp_path):
    """Halves with one too many and one too few would look complete, each answer in another's
    place."""
    with pytest.raises(ContractError, match="2 answers for 3 items"):
        in_halves(lambda items: items[1:], [1, 2, 3])

    class Captioner:
        def caption(self, images, prompts):
            return ["one"] * (len(images) + 1)

    captioner = CachedCaptioner(Captioner(), "c", Items(tmp_path / "c"), Meter())
    with pytest.raises(ContractError, match="answers for 2 items"):
        captioner.caption([Image(id, Path(id), digest=id) for id in "ab"], ["", ""])


def test_a_score_that_is_no_finite_number_is_a_failure_of_its_pair(tmp_path):
    """The pairs beside it have theirs; it is asked for again the next time."""
    given = [1, np.float32(0.5), math.nan, math.inf, None, "0.5", 1j, True, [0.5]]

    class Reranker:
        def score(self, queries, documents):
            return given

    query = Query("q", text=Text("q", "q"))
    documents = [Document(str(i), texts=(Text(str(i), str(i)),)) for i in range(len(given))]
    reranker = CachedReranker(Reranker(), "r", Items(tmp_path / "r"), Meter())
    scores = reranker.score([query] * len(given), documents)
    assert scores[:2] == [1.0, 0.5]
    assert all(isinstance(s, Failure) and "no finite number" in s.reason for s in scores[2:])
    with pytest.raises(ContractError, match=r"r \(reranker\) gave 9 answers for 1 items"):
        reranker.score([query], [Document("x", texts=(Text("x", "x"),))])


@pytest.mark.parametrize(
    "hits, fault",
    [
        ([("x", 1.0)], "not in the memory: 'x'"),
        ([(-1, 1.0)], "not in the memory: '-1'"),
        ([("a", 2.0), ("a", 1.0)], "come twice.*'a'"),
        ([("a", math.nan)], "finite numbers"),
        ([("a", math.inf)], "finite numbers"),
        ([("a", None)], "finite numbers"),
        ([("a", "2")], "finite numbers"),
        ([("a", 1j)], "finite numbers"),
        ([("a", 1.0), ("b", 2.0)], "best first.*distances"),
        ([("a", 3.0), ("b", 2.0), ("c", 1.0), ("d", 0.0)], "4 hits, where at most 3"),
    ],
)
def test_hits_that_cannot_be_are_refused(hits, fault):
    """Of a store and of a strategy alike."""
    with pytest.raises(ContractError, match=fault) as caught:
        check_hits(hits, {"a", "b", "c", "d"}, 3, "it")
    assert len(str(caught.value)) < 500
    with pytest.raises(ContractError, match=fault):
        list(check_rankings([Ranking("q", hits)], [Query("q")], {"a", "b", "c", "d"}, 3))


@settings(max_examples=50)
@given(st.dictionaries(st.text("abc", min_size=1), st.integers(-3, 3)))
def test_hits_come_in_trec_evals_order(scores):
    """Sorted by score, and where scores are equal by id, both descending; no hit is lost."""
    given = sorted(scores.items(), key=lambda item: -item[1])
    expected = sorted(((score, id) for id, score in scores.items()), reverse=True)
    hits = check_hits(given, set(scores), len(scores), "it")
    assert [(score, id) for id, score in hits] == expected


def test_there_is_one_ranking_a_query():
    """In the queries' order."""
    queries = [Query("p"), Query("q")]
    with pytest.raises(ContractError, match="1 rankings for 2 queries"):
        list(check_rankings([Ranking("p")], queries, {"a"}, 3))
    with pytest.raises(ContractError, match="'q' in the place of 'p'"):
        list(check_rankings([Ranking("q"), Ranking("p")], queries, {"a"}, 3))


class Store(Faiss):
    """Faiss, whose answer is spoilt by the one who uses it."""

    def __init__(self, spoil):
        super().__init__()
        self._spoil = spoil

    def search(self, vectors, k):
        return self._spoil([list(row) for row in super().search(vectors, k)])


@pytest.mark.parametrize(
    "spoil, fault",
    [
        (lambda lists: lists[:-1], "3 lists for 4 queries"),
        (lambda lists: [*lists, []], "5 lists for 4 queries"),
        (lambda lists: [[Hit("-1", -3e38)], *lists[1:]], "not in the memory"),
        (lambda lists: [[*row, row[0]] for row in lists], "3 hits|twice"),
        (lambda lists: [row[::-1] for row in lists], "best first"),
        (lambda lists: [[Hit(id, math.nan) for id, _ in row] for row in lists], "finite"),
    ],
)
def test_a_stores_answer_is_a_list_of_known_hits_for_each_query(spoil, fault):
    """Otherwise it is the store's defect, and said so."""
    store = CheckedStore(Store(spoil), "mine")
    store.add(["a", "b", "c", "d"], EYE)
    with pytest.raises(ContractError, match=f"the store mine.*({fault})"):
        store.search(EYE + np.arange(4, dtype=np.float32) / 10, 2)


def test_a_store_takes_finite_vectors_of_one_width():
    """Queries included: faiss would abort, or find number -1."""
    store = CheckedStore(Faiss(), "faiss")
    store.add(["a", "b"], EYE[:2])
    for bad, fault in (
        (np.full((1, 4), np.nan), "query vectors are not finite"),
        (np.ones((1, 8)), "stored vectors have 4, query vectors have 8"),
        (np.ones(4), "shape"),
    ):
        with pytest.raises(ContractError, match=fault):
            store.search(bad, 1)
    with pytest.raises(ContractError, match=r"\(1, 4\), where \(2, d\)"):
        store.add(["c", "d"], EYE[:1])
    bare = Faiss()
    bare.add(["a", "b"], EYE[:2])
    with pytest.raises(DataError, match="not finite"):
        bare.search(np.full((1, 4), np.nan, np.float32), 1)


class Invents(toy.Backwards):
    """A strategy whose last ranking holds a document that nobody put into the memory."""

    def retrieve(self, queries, k):
        rankings = super().retrieve(queries, k)
        return [*rankings[:-1], Ranking(rankings[-1].query, [Hit("ghost", 1.0)])]


class Overflows(toy.ColourEncoder):
    """Every other colour it is asked for leaves the numbers that it computes in."""

    def encode_texts(self, texts):
        rows = super().encode_texts(texts).astype(np.float16)
        red = [text.id.startswith("10010") for text in texts]
        return np.where(np.array(red)[:, None], np.float16(np.inf), rows)


def test_a_strategy_that_invents_documents_crashes_alone(suite_file, tmp_path):
    """Its cells have a reason instead of numbers; the others have theirs."""
    strategies = {"random": {}, "mine": {"use": "test_validation:Invents"}}
    run = mb.run(suite_file(strategies=strategies, baseline="random"), output=tmp_path / "runs")
    reasons = {r["reason"] for r in run.rows if r["strategy"] == "mine"}
    assert all("not in the memory: 'ghost'" in reason for reason in reasons)
    others = [r for r in run.rows if r["strategy"] == "random" and r["measure"] == "R@1"]
    assert others and all(r["estimate"] is not None for r in others)
    assert {c.component for c in run.crashed} == {"test_validation:Invents"}


@pytest.mark.filterwarnings("ignore:colours ranks")
def test_a_run_with_one_overflowing_text_ends_with_its_name(suite_file, tmp_path):
    """It has no number that counts that query as found, or as not found."""
    models = {"colours": {"use": "test_validation:Overflows"}}
    suite = suite_file(
        models=models,
        strategies={"random": {}, "shared-space": {"encoder": "colours"}},
        generators={},
        tasks={"text-to-image": {"measures": ["R@1"]}},
        baseline="random",
    )
    with pytest.raises(DataError, match=r"colours cannot encode \d of \d+ texts: '10010"):
        mb.run(suite, output=tmp_path / "runs")
    assert not list((tmp_path / "runs").rglob("summary.json"))


def test_trouble_is_told_in_one_line():
    """However long an id or a value is."""
    with pytest.raises(ContractError) as caught:
        check_hits([("x" * 10_000, 1.0)] * 50, {"a"}, 99, "it")
    assert len(str(caught.value)) < 500 and "50 in all" in str(caught.value)
    assert json.dumps(str(caught.value)).count("\\n") == 0


@pytest.mark.parametrize("said", ["text", None, [], {"pictures"}, 3])
def test_an_encoder_says_what_it_reads(said, tmp_path):
    """Modalities are a collection of `image` and `text`; anything else is named at once."""
    inner = Encoder(EYE)
    inner.modalities = said
    with pytest.raises(ContractError, match=r"mine \(encoder\): modalities is .*; it says what"):
        CachedEncoder(inner, "mine", VectorFile(tmp_path / "v"), Meter())


def test_an_encoder_without_modalities(tmp_path):
    """It is told what is missing, in place of an AttributeError."""
    with pytest.raises(ContractError, match="modalities is None"):
        CachedEncoder(object(), "mine", VectorFile(tmp_path / "v"), Meter())


def test_vectors_of_other_lengths(tmp_path):
    """Rows that are not of length 1 are a warning, once, with the lengths; half precision is none."""
    encoder = remembered(lambda texts: EYE[: len(texts)] * 100, tmp_path)
    with pytest.warns(UserWarning, match="vectors of length 100 to 100, not 1"):
        encoder.encode_texts(TEXTS)
    close = remembered(lambda texts: EYE[: len(texts)] * 1.004, tmp_path / "close")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.encode_texts([Text("e", "e")])
        close.encode_texts(TEXTS)


class Told:
    """A store that answers what it is told to."""

    def __init__(self, answer):
        self.answer = answer

    def add(self, ids, vectors):
        pass

    def search(self, vectors, k):
        return self.answer


def store(answer):
    checked = CheckedStore(Told(answer), "told")
    checked.add(["a", "b", "c", "d"], EYE)
    return checked


@pytest.mark.parametrize(
    "answer, fault",
    [
        (None, "list of lists of hits; it gave None"),
        ([None, None], "list of lists of hits"),
        (iter([[], []]), "list of lists of hits"),
        (np.zeros((2, 3)), "list of lists of hits"),
        ([["a", "b"], []], "pairs of an id and a score"),
        ([[0.5, 0.25], []], "pairs of an id and a score"),
        ([[("a", 1.0, 2)], []], "pairs of an id and a score"),
    ],
)
def test_a_store_answers_in_lists_of_hits(answer, fault):
    """An answer in another form is a defect of the store, which is named."""
    with pytest.raises(ContractError, match=f"the store told: .*{fault}"):
        store(answer).search(EYE[:2], 3)


def test_a_store_that_finds_fewer():
    """A warning, once, counts the queries and the neighbours; all there are is not fewer."""
    whole = [Hit(id, 0.0) for id in "dcba"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store([whole, whole]).search(EYE[:2], 9)
    short = store([whole[:3], whole[:1], []])
    with pytest.warns(UserWarning, match=r"for 2 of 3 queries, 0 of 3 at the least"):
        hits = short.search(EYE[:3], 3)
    assert [len(own) for own in hits] == [3, 1, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        short.search(EYE[:3], 3)


@pytest.mark.parametrize("answer", [None, {"q": []}, [[("a", 1.0)]], iter([Ranking("q", [])])])
def test_a_strategy_answers_in_rankings(answer):
    """An answer in another form is named, in place of an AttributeError from within."""
    with pytest.raises(ContractError, match="retrieve has to return a list of Ranking"):
        list(check_rankings(answer, [Query("q")], {"a"}, 3))
