"""A chat model as captioner: of pictures, and of what a picture and words look for together."""

from __future__ import annotations

import json

import pytest
import yaml

from mmragbench import verbs
from mmragbench.backends.server.endpoint import Calls
from mmragbench.cache.items import Items
from mmragbench.engine.cached_models import CachedCaptioner, CachedChat
from mmragbench.engine.meter import Meter
from mmragbench.models.described import PICTURE, WANTED, Described
from mmragbench.models.openai import OpenaiChat
from mmragbench.records import Document, Failure, Image, Query, Text
from mmragbench.strategies.text_grounding import TextGrounding
from support import served, toy
from support.loopback import Loopback, colour_of

pytest.importorskip("openai")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


def by_words_first(request):
    """The colour that the words name, else the picture's; refuses grey."""
    words = [word for word in request.text.splitlines()[0].split() if word in toy.NAMES]
    return f"a {words[-1]} picture\n" if words else colour_of(request)


def captioner(server, folder):
    meter = Meter()
    chat = OpenaiChat("m", server.url, calls=Calls(concurrency=2, retries=0))
    remembered = CachedChat(chat, "m", Items(folder / "m"), meter)
    return CachedCaptioner(Described(remembered), "d", None, meter)


def picture(folder, colour):
    toy.draw(folder / f"{colour}.png", colour)
    return Image(colour, folder / f"{colour}.png", digest=colour)


def test_pictures_and_words_make_one_description(tmp_path):
    """The words stand between picture and instruction; without words another instruction is given."""
    red = picture(tmp_path, "red")
    with Loopback(answer=by_words_first, script=["", "", "refusal"]) as server:
        captions = captioner(server, tmp_path).caption([red, red], ["", "the same but blue"])
        refused = captioner(server, tmp_path).caption([red], ["hm"])
    assert captions == ["a red picture", "a blue picture"]
    assert [request.text for request in sorted(server.asked[:2], key=lambda a: len(a.text))] == [
        PICTURE,
        f"the same but blue\n{WANTED}",
    ]
    assert isinstance(refused[0], Failure)


def test_a_mixed_query_is_searched_by_what_it_asks_for(tmp_path):
    """A red picture with `the same in blue` finds what is blue; a picture alone its own colour;
    a query whose description failed is searched by its words."""
    memory = [Document(c, texts=(Text(c, f"a {c} picture"),)) for c in toy.NAMES]
    red = picture(tmp_path, "red")
    queries = [
        Query("mixed", red, Text("1", "the same in blue")),
        Query("bare", red),
        Query("words", None, Text("2", "green")),
        Query("refused", red, Text("3", "yellow, please")),
    ]
    with Loopback(answer=by_words_first) as server:
        server.answer = lambda a: "" if "please" in a.text else by_words_first(a)
        strategy = TextGrounding(None, captioner(server, tmp_path), search="bm25")
        strategy.index(memory)
        rankings = strategy.retrieve(queries, 1)
    assert [ranking.ids for ranking in rankings] == [("blue",), ("red",), ("green",), ("yellow",)]
    assert len(server.asked) == 3


def test_one_chat_model_captions_and_judges(tmp_path, own_cache):
    """Named where a captioner or a reranker is wanted, it is made into one; what it costs is
    counted once, under its own name; grades that cannot be read are counted, and cost no second
    call."""
    data = served.write(tmp_path / "coco", memory=12, queries=4)

    def answer(request):
        if "How well" not in request.text:
            return colour_of(request)
        return "splendid!" if "red" in request.text else "7"

    with Loopback(answer=answer) as server:
        changes = {
            "strategies": {
                "text-grounding": {"captioner": "gpt", "search": "bm25"},
                "separate-stores": {
                    "image_encoder": "colours", "text_encoder": "colours", "captioner": "gpt",
                    "reranker": "gpt", "depth": 2,
                },
            },
            "tasks": {"captioning": {"generator": "nearest", "measures": ["R@1"]}},
        }  # fmt: skip
        content = served.suite(data, server.url, **changes)
        (tmp_path / "suite.yaml").write_text(yaml.safe_dump(content))
        planned = verbs.plan(tmp_path / "suite.yaml")
        assert not server.asked
        done = verbs.run(tmp_path / "suite.yaml", output=tmp_path / "runs")
        (most,) = (model for model in planned.models if model.model == "gpt")
        assert len({request.key for request in server.asked}) <= most.items
        assert (
            sum(request.tokens_in + request.tokens_out for request in server.asked) <= most.tokens
        )
        n_requests = len(server.asked)
        verbs.run(tmp_path / "suite.yaml", output=tmp_path / "runs")
        assert len(server.asked) == n_requests
        after = verbs.plan(tmp_path / "suite.yaml")
        assert all(cell["known"] for cell in after.cells)
    cell = done.folder / "cells" / "captioning"
    cost = json.loads((cell / "separate-stores" / "cost.json").read_text())
    lines = {(line["role"], line["model"]): line for line in cost["retrieve"]}
    assert lines["chat", "gpt"]["tokens_in"] > 0
    judged = lines["reranker", "gpt"]
    assert (judged["calls"], judged["tokens_in"]) == (0, 0)
    odd = {a.key for a in server.asked if "How well" in a.text and "red" in a.text}
    assert judged["failed"] == len(odd) > 0
    manifest = json.loads((done.folder / "manifest.json").read_text())
    assert manifest["models"]["gpt"]["weights"] == f"api:{server.url[7:]}/m"


def test_a_description_that_failed_is_asked_again_by_the_next_run(tmp_path, own_cache):
    """Rankings that were made without it are not kept; what was answered is not asked again."""
    data = served.write(tmp_path / "coco", memory=6, queries=3)
    with Loopback(script=["400"]) as server:
        changes = {
            "strategies": {"text-grounding": {"captioner": "gpt", "search": "bm25"}},
            "tasks": {"captioning": {"generator": "nearest", "measures": ["R@1"]}},
        }
        (tmp_path / "suite.yaml").write_text(
            yaml.safe_dump(served.suite(data, server.url, **changes))
        )
        verbs.run(tmp_path / "suite.yaml", output=tmp_path / "runs")
        assert len(server.asked) == 9
        verbs.run(tmp_path / "suite.yaml", output=tmp_path / "runs")
        assert len(server.asked) == 10
        verbs.run(tmp_path / "suite.yaml", output=tmp_path / "runs")
        assert len(server.asked) == 10
