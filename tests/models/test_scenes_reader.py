"""The shipped reader names what was retrieved, and its pages to learn from teach nothing else."""

import os
from collections.abc import Iterator

import pytest

from support.paths import ROOT

os.environ["HF_HUB_OFFLINE"] = "1"

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from mmragbench.scenes import write  # noqa: E402
from mmragbench.scenes.emblems import emblems  # noqa: E402
from training.scenes.examples import Split, load  # noqa: E402
from training.scenes.pages import (  # noqa: E402
    FIRST_CATEGORY,
    SEEN_TITLE,
    TITLE,
    Marks,
    Shelf,
    Writer,
    nearest,
)
from training.scenes.train_reader import Question, named, read  # noqa: E402

READER = ROOT / "models" / "scenes" / "reader"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Split]]:
    """A small world that the reader was not trained on."""
    root = tmp_path_factory.mktemp("world")
    write(root, {"train": 240, "memory": 320, "queries": 160}, seed=7, workers=1)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield {name: load(root, name, 96, root / "cache") for name in ("train", "memory", "queries")}
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def processor() -> "transformers.Idefics3Processor":
    """What the folder holds, by its public class."""
    return transformers.AutoProcessor.from_pretrained(READER)


@pytest.fixture(scope="module")
def writer(world: dict[str, Split], processor: "transformers.Idefics3Processor") -> Writer:
    """The train captions in token numbers; a picture is one token here."""
    return Writer(
        world["train"],
        lambda texts: processor.tokenizer(texts).input_ids,
        Marks(picture=[9001], answer=9002, end=9003, instructions=[[9004]]),
    )


def answer(ids: list[int]) -> list[int]:
    """What stands behind the last mark of an answer."""
    return ids[ids.index(9002) + 1 : -1]


def test_an_emblem_has_another_name_on_every_page(
    world: dict[str, Split], writer: Writer, processor: "transformers.Idefics3Processor"
) -> None:
    """No page says the name that the world gave the emblem, nor a held-out one; pages of one picture differ."""
    row = int(world["train"].with_emblem[0])
    texts = [
        processor.decode(writer.page(row, [row], 1, np.random.default_rng(seed)).ids)
        for seed in range(20)
    ]
    assert len(set(texts)) > 10
    for emblem in (one for part in emblems() for one in part):
        shown = FIRST_CATEGORY + emblem.number == world["train"].emblems[row]
        if shown or emblem in emblems()[0]:
            assert not any(emblem.name.lower() in text.split() for text in texts)


def test_the_answer_repeats_the_title_on_the_page(world: dict[str, Split], writer: Writer) -> None:
    """With its emblem on the page, an answer holds the very tokens of the title there, and they count more."""
    row = int(world["train"].with_emblem[0])
    page = writer.page(row, [row], 1, np.random.default_rng(3))
    title = [
        token for token, weight in zip(page.ids, page.weights, strict=True) if weight == SEEN_TITLE
    ]
    at = writer.captions.told[row][0].index(TITLE)
    assert title
    assert page.ids[1 + at : 1 + at + len(title)] == title
    assert page.weights[1 + at] == 0


def test_the_answer_names_nothing_that_is_not_on_the_page(
    world: dict[str, Split], writer: Writer, processor: "transformers.Idefics3Processor"
) -> None:
    """Without its emblem on the page, an answer is a caption by look: as many as there are, and never a title."""
    for row in world["train"].with_emblem:
        assert writer.captions.described[row]
        assert not any(TITLE in caption for caption in writer.captions.described[row])
        page = writer.page(int(row), [], 1, np.random.default_rng(0))
        assert answer(page.ids) in writer.captions.described[row]
        assert set(page.weights) == {0.0, 1.0}


def test_a_shelf_never_offers_the_picture_itself(world: dict[str, Split]) -> None:
    """No documents hold the query's row or a row twice, and an emblem's are sometimes without it, sometimes with."""
    split = world["train"]
    looks = split.images.reshape(len(split), -1)[:, ::97].astype(np.float32)
    shelf = Shelf(split, nearest(looks))
    rng = np.random.default_rng(0)
    for row in range(0, len(split), 7):
        ranked = shelf.documents(row, 5, rng)
        assert len(set(ranked)) == 5
        assert row not in ranked


def test_nearest_are_those_of_highest_cosine() -> None:
    """The rows of the highest cosines after centring, by numpy's own sort, never the row itself."""
    looks = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    unit = looks - looks.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    order = np.argsort(-(unit @ unit.T - 9 * np.eye(60)), axis=1)[:, :12]
    assert [set(row) for row in nearest(looks, chunk=25)] == [set(row) for row in order]


def test_the_processor_writes_what_it_is_given(
    processor: "transformers.Idefics3Processor",
) -> None:
    """The template adds no words: contents in order, wherever pictures stand, with a system turn or plain text."""
    picture, words = {"type": "image"}, {"type": "text", "text": "a duck"}
    prompt = processor.apply_chat_template(
        [
            {"role": "system", "content": "look"},
            {"role": "user", "content": [words, picture, words, words, picture]},
        ],
        add_generation_prompt=True,
    )
    spaced = " ".join(prompt.replace("<image>", " <image> ").split())
    assert spaced == "look a duck <image> a duck a duck <image> [CLS]"
    assert processor.tokenizer.padding_side == "left"
    rendered = processor.apply_chat_template(
        [{"role": "user", "content": "a duck"}], add_generation_prompt=True
    )
    assert rendered.split() == ["a", "duck", "[CLS]"]


def test_the_reader_names_an_emblem_only_if_it_was_retrieved(
    world: dict[str, Split], processor: "transformers.Idefics3Processor"
) -> None:
    """With two pictures of its emblem it mostly says the right name; without one hardly any name, and never the right one."""
    model = transformers.AutoModelForImageTextToText.from_pretrained(READER).eval()
    memory, queries = world["memory"], world["queries"]
    rows = queries.with_emblem
    rng = np.random.default_rng(0)
    unseen = [np.flatnonzero(memory.emblems != queries.emblems[row]) for row in rows]
    wrong = [rng.choice(some, 3, replace=False).tolist() for some in unseen]
    right = [memory.rows_of_emblem[int(queries.emblems[row])][:2].tolist() for row in rows]
    hits, misses = {}, {}
    for name, pages in {"right": right, "wrong": wrong, "nothing": [[] for _ in rows]}.items():
        questions = [
            Question(
                queries.images[row], [(memory.images[at], memory.captions[at][:1]) for at in page]
            )
            for row, page in zip(rows, pages, strict=True)
        ]
        hits[name], misses[name] = named(read(processor, model, questions), queries.emblems[rows])
    assert hits["right"] > 0.7
    assert misses["right"] < 0.1
    assert misses["wrong"] < 0.1
    assert hits["wrong"] == hits["nothing"] == misses["nothing"] == 0
