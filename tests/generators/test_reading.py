"""Generators that read what was retrieved: what they tell their models, and what becomes of failures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import mmragbench as mb
from mmragbench.cache.items import Items
from mmragbench.engine.cached_models import CachedChat, CachedPainter
from mmragbench.engine.meter import Meter
from mmragbench.errors import NotApplicable, SuiteError
from mmragbench.generators.describe_then_draw import DescribeThenDraw
from mmragbench.generators.draw import Draw
from mmragbench.generators.draw_in_context import DrawInContext
from mmragbench.generators.reader import Reader
from mmragbench.records import Document, Drawing, Failure, Image, Prompt, Query, Reply, Text
from mmragbench.reporting.facts import costs
from mmragbench.run_folder.reading import Run


def image(id: str) -> Image:
    return Image(id, Path(f"{id}.jpg"), digest=f"{id}{id}")


def document(id: str, *texts: str, pictured: bool = True) -> Document:
    named = tuple(Text(f"{id}#{i}", text) for i, text in enumerate(texts))
    return Document(id, image(id) if pictured else None, named)


class Echo:
    """Says what it was told; fails where a text is `no`."""

    def __init__(self) -> None:
        self.prompts: list = []

    def chat(self, prompts):
        self.prompts += prompts
        return [
            Failure("refused") if "no" in p.parts else Reply(f" {p} ", None, 7, 2) for p in prompts
        ]


class Brush:
    """Paints the prompt's seed as a colour."""

    def __init__(self) -> None:
        self.prompts: list = []

    def paint(self, prompts):
        self.prompts += prompts
        return [
            Failure("unpaintable")
            if "bad" in p.text
            else Drawing(Pillow.new("RGB", (2, 2), (p.seed % 256, 0, 0)))
            for p in prompts
        ]


def test_pairs_are_interleaved_before_the_query():
    """Best first, each picture before its texts; then the query; the instruction last."""
    chat = Echo()
    (output,) = Reader(chat, instruction="say", texts=1).generate(
        [Query("q", image("q"))], [[document("a", "one", "two"), document("b", "three")]]
    )
    assert chat.prompts[0].parts == (image("a"), "one", image("b"), "three", image("q"), "say")
    assert output.shown == ("a", "b")
    assert output.text == output.prompt == str(chat.prompts[0])


def test_a_model_that_reads_one_picture_is_shown_the_others_texts():
    """`pictures: 0` leaves the query's picture; 1 shows the first document's as well."""
    documents = [document("a", "one"), document("b", "two")]
    for pictures, expected in (
        (0, ("one", "two", image("q"), "say")),
        (1, (image("a"), "one", "two", image("q"), "say")),
    ):
        chat = Echo()
        Reader(chat, instruction="say", pictures=pictures).generate(
            [Query("q", image("q"))], [documents]
        )
        assert chat.prompts[0].parts == expected


def test_the_usual_instruction_knows_whether_something_was_retrieved():
    """Without documents it mentions none; questions are asked for an answer."""
    chat = Echo()
    Reader(chat).generate([Query("q", image("q"))] * 2, [[], [document("a", "one")]])
    Reader(chat, "answer").generate([Query("q", text=Text("q", "why?"))], [[]])
    bare, full, question = (prompt.parts for prompt in chat.prompts)
    assert "retrieved" not in bare[-1] and "retrieved" in full[-1]
    assert question[0] == "why?" and "question" in question[-1]


def test_a_reply_that_failed_or_is_empty_is_an_error_of_its_query_alone():
    """The others keep their answers."""
    queries = [Query("a", text=Text("a", "no")), Query("b", text=Text("b", "yes"))]
    failed, good = Reader(Echo(), instruction="").generate(queries, [[], []])
    assert (failed.error, failed.text) == ("refused", None)
    assert good.text == "yes"
    (empty,) = Reader(Echo(), instruction=" ").generate([Query("c")], [[]])
    assert empty.error == "the model answered nothing"


def test_readers_draw_nothing_and_painters_write_nothing():
    """A pairing that makes no sense has a reason."""
    with pytest.raises(NotApplicable, match="use: draw"):
        Reader(Echo(), "image")
    for make in (
        lambda: Draw(Brush(), "caption"),
        lambda: DrawInContext(Brush(), "caption"),
        lambda: DescribeThenDraw(Echo(), Brush(), "answer"),
    ):
        with pytest.raises(NotApplicable, match="use: reader"):
            make()


def test_a_painter_reads_pairs_before_the_query(tmp_path):
    """As a reader does: best first, each picture before its texts; then the query's text, and nothing
    else. A query without a text is not drawn."""
    brush = Brush()
    painter = remembered(CachedPainter, brush, tmp_path)
    contexts = [[document("a", "one", "two"), document("b", "three")]]
    generator = DrawInContext(painter, texts=1, pictures=1)
    (output,) = generator.generate([Query("q", text=Text("q", "a cat"))], contexts)
    assert brush.prompts[0].parts == (image("a"), "one", "three", "a cat")
    assert brush.prompts[0].documents == (2, 1)
    assert output.shown == ("a", "b") and output.image is not None
    with pytest.raises(NotApplicable, match="have none"):
        generator.generate([Query("q", image("q"))], contexts)


def test_a_prompt_without_its_last_document_is_one_with_fewer():
    """The query and what comes after it stay; a document that shows nothing is one as well."""
    documents = [document("a", "one"), document("b", pictured=False), document("c", "x", "y")]
    prompts = []
    for count in range(4):
        chat = Echo()
        Reader(chat, instruction="say").generate([Query("q", image("q"))], [documents[:count]])
        prompts += chat.prompts
    assert prompts[3].documents == (2, 0, 2)
    for more, fewer in zip(prompts[:0:-1], prompts[-2::-1]):
        assert more.without_last_document() == fewer


@pytest.mark.parametrize("role", ["chat", "painter"])
def test_what_was_dropped_was_not_shown(tmp_path, role):
    """Documents that a model left out of a prompt are not among those of the output; it is counted,
    also when the answer is looked up."""

    class Short(Echo, Brush):
        def chat(self, prompts):
            return [Reply("text", "prompt", dropped=2) for _ in prompts]

        def paint(self, prompts):
            return [Drawing(Pillow.new("RGB", (2, 2)), dropped=2) for _ in prompts]

    query = Query("q", image("q"), Text("q", "a cat"))
    shown = [document(id, "text") for id in "abc"]
    for calls in (1, 0):
        meter = Meter()
        with meter.stage() as usage:
            cls = CachedChat if role == "chat" else CachedPainter
            model = cls(Short(), "m", Items(tmp_path / "m.sqlite"), meter)
            generator = Reader(model) if role == "chat" else DrawInContext(model)
            (output,) = generator.generate([query], [shown])
            line = usage[role, "m"]
        assert output.shown == ("a",)
        assert (line.calls, line.dropped) == (calls, 1)


def test_where_documents_end_counts_for_models_that_drop_some(tmp_path):
    """The same parts are another prompt; for other models they are not, and nothing is asked twice."""
    one = Prompt(("a", "b", "c"), documents=(2,))
    other = Prompt(("a", "b", "c"), documents=(1, 1))
    for drops in (True, False):
        chat = Echo()
        chat.drops_documents = drops
        cached = remembered(CachedChat, chat, tmp_path)
        assert (cached.key(one) != cached.key(other)) == drops


class Reds:
    """Encodes a picture by how red it is, and every text as red."""

    modalities = frozenset({"image", "text"})

    def encode_images(self, images):
        reds = [np.asarray(image.open())[0, 0, 0] / 255 for image in images]
        return np.array([[red, np.sqrt(1 - red * red)] for red in reds], np.float32)

    def encode_texts(self, texts):
        return np.array([[1, 0]] * len(texts), np.float32)


@pytest.mark.parametrize("make", [Draw, DrawInContext])
def test_the_best_of_several_drawings_is_nearest_to_the_text(tmp_path, make):
    """By the ranker's cosine; each is drawn by a seed of its own, of which the first is the one that
    draws a single picture; all are counted."""
    queries = [Query(id, text=Text(id, "a cat")) for id in "abc"]
    brush, meter = Brush(), Meter()
    with meter.stage() as usage:
        painter = CachedPainter(brush, "m", Items(tmp_path / "m.sqlite"), meter)
        outputs = make(painter, ranker=Reds(), best_of=5).generate(queries, [[]] * 3)
        assert usage["painter", "m"].pictures == 15
    seeds = [prompt.seed for prompt in brush.prompts]
    assert len(set(seeds)) == 15
    reds = [int(np.asarray(output.image.open())[0, 0, 0]) for output in outputs]
    assert reds == [max(seed % 256 for seed in seeds[i : i + 5]) for i in (0, 5, 10)]
    single = Brush()
    make(remembered(CachedPainter, single, tmp_path / "single")).generate(queries, [[]] * 3)
    assert [prompt.seed for prompt in single.prompts] == seeds[::5]
    with pytest.raises(SuiteError, match="ranker: clip"):
        make(painter, best_of=2)


def test_a_drawing_that_failed_is_not_the_best(tmp_path):
    """Unless all of them did: then the query has failed."""
    Pillow.new("RGB", (2, 2), (9, 0, 0)).save(tmp_path / "red.png")
    red = Image("red", tmp_path / "red.png")

    class Sometimes:
        def paint(self, prompts):
            return [Failure("no") if i % 3 < 2 else Drawing(red) for i in range(len(prompts))]

    query = Query("q", text=Text("q", "a cat"))
    (best,) = DrawInContext(Sometimes(), ranker=Reds(), best_of=3).generate([query], [[]])
    (none,) = DrawInContext(Sometimes(), ranker=Reds(), best_of=2).generate([query], [[]])
    assert best.image == red and none.error == "no"


def remembered(cls, inner, folder):
    return cls(inner, "m", Items(folder / "m.sqlite"), Meter())


def test_a_chat_model_is_asked_once_for_a_prompt(tmp_path):
    """Another picture, another word or another order is another prompt; tokens are counted again."""
    chat = Echo()
    reader = Reader(remembered(CachedChat, chat, tmp_path), instruction="")
    query = Query("q", image("q"))
    one, two = document("a", "x"), document("b", "x")
    first = reader.generate([query] * 3, [[one], [two], [one, two]])
    meter = Meter()
    with meter.stage() as usage:
        wrapped = CachedChat(chat, "m", Items(tmp_path / "m.sqlite"), meter)
        again = Reader(wrapped, instruction="").generate([query] * 3, [[one], [two], [one, two]])
        line = usage["chat", "m"]
    assert first == again and len(chat.prompts) == 3
    assert (line.calls, line.cached, line.tokens_in, line.tokens_out) == (0, 3, 21, 6)


def test_a_model_that_waits_for_a_server_is_asked_concurrently_and_in_order(tmp_path):
    """Five at once overlap; answers keep their places; each is stored as soon as it is there."""
    import time

    class Slow(Echo):
        concurrency = 5

        def chat(self, prompts):
            time.sleep(0.2)
            return super().chat(prompts)

    queries = [Query(str(i), text=Text(str(i), f"question {i}")) for i in range(10)]
    began = time.perf_counter()
    outputs = Reader(remembered(CachedChat, Slow(), tmp_path), instruction="").generate(
        queries, [[]] * 10
    )
    assert time.perf_counter() - began < 1.5  # one after the other: 2 s
    assert [output.text for output in outputs] == [f"question {i}" for i in range(10)]


def test_pictures_that_were_drawn_are_files_and_drawn_once(tmp_path):
    """The stored picture is the drawn one, by its content; each query has a seed of its own."""
    brush = Brush()
    queries = [
        Query(id, text=Text(id, text)) for id, text in (("a", "cat"), ("b", "cat"), ("c", "bad"))
    ]
    contexts = [[document("d", "a tom cat")]] * 3
    outputs = Draw(remembered(CachedPainter, brush, tmp_path), pictures=1).generate(
        queries, contexts
    )
    a, b, failed = outputs
    assert brush.prompts[0].parts == ("cat. a tom cat", image("d"))
    assert brush.prompts[0].seed != brush.prompts[1].seed
    drawn = [np.asarray(o.image.open())[0, 0, 0] for o in (a, b)]
    assert drawn == [brush.prompts[0].seed % 256, brush.prompts[1].seed % 256]
    assert (failed.error, failed.image) == ("unpaintable", None)
    again = Draw(remembered(CachedPainter, brush, tmp_path), pictures=1).generate(queries, contexts)
    assert again == outputs and len(brush.prompts) == 4  # only the failed one was asked again


def test_a_drawing_whose_file_is_not_as_it_was_is_drawn_again(tmp_path):
    """One that has gone, and one with other bytes; the file is then as it was."""
    brush, prompts = (
        Brush(),
        [Prompt((word,), seed=i) for i, word in enumerate(("cat", "dog", "hen"))],
    )
    first = remembered(CachedPainter, brush, tmp_path).paint(prompts)
    gone, changed = (drawing.picture for drawing in first[:2])
    gone.path.unlink()
    changed.path.write_bytes(changed.path.read_bytes()[:-1] + b"x")
    assert remembered(CachedPainter, brush, tmp_path).paint(prompts) == first
    assert [prompt.parts for prompt in brush.prompts[3:]] == [("cat",), ("dog",)]
    assert gone.is_intact and changed.is_intact


def test_a_description_stands_between_the_retrieved_picture_and_the_drawing(tmp_path):
    """The describer sees the first retrieved picture; without one the query is drawn alone."""
    chat, brush = Echo(), Brush()
    describer = DescribeThenDraw(
        chat, remembered(CachedPainter, brush, tmp_path), instruction="look"
    )
    queries = [Query(id, text=Text(id, "a cat.")) for id in "ab"]
    first, second = describer.generate(
        queries, [[document("t", "x", pictured=False), document("d")], []]
    )
    assert [prompt.parts for prompt in chat.prompts] == [(image("d"), "look")]
    assert brush.prompts[0].parts == (f"a cat. {chat.prompts[0]}",)
    assert brush.prompts[1].parts == ("a cat",)
    assert (first.shown, second.shown) == (("d",), ())


def test_a_picture_that_could_not_be_described_is_not_drawn(tmp_path):
    """It is an error with the reason, and costs no drawing."""
    brush = Brush()
    describer = DescribeThenDraw(
        Echo(), remembered(CachedPainter, brush, tmp_path), instruction="no"
    )
    (output,) = describer.generate([Query("a", text=Text("a", "a cat"))], [[document("d")]])
    assert output.error == "the picture could not be described: refused"
    assert not brush.prompts


class Short(Echo):
    """A chat model that reads one document."""

    drops_documents = True

    def chat(self, prompts):
        counts = [max(len(prompt.documents) - 1, 0) for prompt in prompts]
        return [Reply("a red boat", dropped=count) for count in counts]


def test_a_run_says_how_many_prompts_lost_documents(tmp_path):
    """In the notes at its end and in the report; the stored outputs have what was shown."""
    suite = {
        "name": "short",
        "dataset": {"use": "scenes", "queries": 6, "memory": 20},
        "models": {"short": Short()},
        "strategies": {"no-retrieval": None, "random": None},
        "generators": {"reader": {"chat": "short"}},
        "tasks": {"captioning": {"generator": "reader", "k": 3, "measures": ["CIDEr"]}},
    }
    finished = mb.run(suite, output=tmp_path / "runs")
    run = Run(finished.folder)
    (note,) = [line for line in costs.remarks(run) if "dropped" in line]
    queries = len(run.queries("captioning"))
    words = "documents that were more than it reads were dropped from the prompts of"
    assert note == f"short: {words} {queries} of {2 * queries} replies"
    assert note in finished.report.read_text(encoding="utf-8")
