"""Models of Emu3's class, which read and write pictures as tokens: what they do, computed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mmragbench.backends.prompts import sample_seed
from mmragbench.models.transformers import TransformersChat, TransformersPainter
from mmragbench.records import Drawing, Failure, Image, Prompt, Reply
from support import checkpoints, toy

torch = pytest.importorskip("torch")

ENDS = ["<|extra_201|>", "<|image end|>", "</s>"]
OPENING = "<|image start|>4*4<|image token|>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return checkpoints.emu3(tmp_path_factory.mktemp("emu3"))


def loaded(folder):
    """The class and its processor, as the library loads them."""
    from transformers import AutoProcessor, Emu3ForConditionalGeneration

    model = Emu3ForConditionalGeneration.from_pretrained(folder).eval()
    return model, AutoProcessor.from_pretrained(folder)


@pytest.fixture(scope="module")
def by_hand(folder):
    return loaded(folder)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Pictures of different sizes: 24 by 24 to 48 by 48 pixels, of which the model reads 32 by 32."""
    root = tmp_path_factory.mktemp("pictures")
    for i, colour in enumerate(toy.NAMES[:4]):
        toy.draw(root / f"{colour}.png", colour, i, side=24 + 8 * i)
    return [Image(file.stem, file, file.stem) for file in sorted(root.iterdir())]


def painter(folder, **given):
    return TransformersPainter(str(folder), **{"size": 32, "guidance": 2, "batch_size": 3, **given})


def in_context(query: str | Image, *documents: tuple[Image, str], seed: int = 0) -> Prompt:
    """Documents with a picture and a text each, then the query."""
    parts = [part for document in documents for part in document]
    return Prompt((*parts, query), seed=seed, documents=(2,) * len(documents))


def pixels(drawings):
    assert all(isinstance(drawing, Drawing) for drawing in drawings)
    return np.stack([np.asarray(drawing.picture, np.int16) for drawing in drawings])


def tokens_by_hand(by_hand, text: str, pictures: Sequence[Image]) -> list[int]:
    """The tokens of a prompt, the codes of each picture where the processor leaves a place for them."""
    model, processor = by_hand
    opened = [[picture.open() for picture in pictures]] if pictures else None
    tokens = processor(text=[text], images=opened, return_tensors="pt")["input_ids"][0].tolist()
    codes: list[int] = []
    for picture in pictures:
        one = processor(text=["<image>"], images=[[picture.open()]], return_tensors="pt")
        with torch.no_grad():
            codes += model.model.get_image_tokens(one["pixel_values"], one["image_sizes"]).tolist()
    place = model.model.vocabulary_mapping.image_token_id
    assert tokens.count(place) == len(codes)
    remaining = iter(codes)
    return [next(remaining) if token == place else token for token in tokens]


def scores_by_hand(by_hand, tokens: list[int]):
    """The scores of the token after these: without a cache, the whole sequence in one pass."""
    with torch.no_grad():
        return by_hand[0](input_ids=torch.tensor([tokens])).logits[0, -1].float()


def picture_tokens(processor) -> list[int]:
    """Those that only pictures consist of: 16 codes, and 6 marks."""
    marks = ("<|visual", "<|image", "<|extra_20", "<image>")
    vocabulary = processor.tokenizer.get_vocab()
    tokens = [id for token, id in vocabulary.items() if token.startswith(marks)]
    assert len(tokens) == 16 + 6
    return tokens


def words_by_hand(by_hand, tokens: list[int]):
    """The scores of the word after these tokens."""
    scores = scores_by_hand(by_hand, tokens)
    scores[picture_tokens(by_hand[1])] = -torch.inf
    return scores


def test_a_drawing_in_context_is_the_guided_formulas(folder, by_hand, images):
    """Greedy tokens of (1 - g) times the log likelihoods without the prompt plus g times those with
    it, documents included, on the grid; and the tokens that it read and wrote."""
    model, processor = by_hand
    prompt = in_context("a cat", (images[0], "red here"), (images[3], "blue"))
    (drawing,) = painter(folder, temperature=0, guidance=3).paint([prompt])
    assert drawing.prompt == "<image>red here\n<image>blue\na cat"
    with_prompt = tokens_by_hand(by_hand, drawing.prompt + OPENING, prompt.images)
    without = tokens_by_hand(by_hand, OPENING, [])
    row_end, *ends = processor.tokenizer.convert_tokens_to_ids(["<|extra_200|>", *ENDS])
    codes = torch.tensor(model.model.vocabulary_mapping.image_tokens)
    new: list[int] = []
    for step in range(4 * 5):
        one = scores_by_hand(by_hand, with_prompt + new).log_softmax(0)
        other = scores_by_hand(by_hand, without + new).log_softmax(0)
        guided = -2 * other + 3 * one
        new.append(row_end if step % 5 == 4 else int(codes[guided[codes].argmax()]))
    tokens = torch.tensor([[*new, *ends]])
    picture = model.decode_image_tokens(image_tokens=tokens, height=4, width=4)
    look = processor.image_processor
    (expected,) = look.postprocess(list(picture.detach()), return_tensors="PIL.Image.Image")[
        "pixel_values"
    ]
    assert np.abs(pixels([drawing])[0] - np.asarray(expected, np.int16)).max() <= 1
    assert (drawing.tokens_in, drawing.tokens_out) == (len(with_prompt), len(new) + 3)


def test_without_pictures_the_inputs_are_the_processors_own(folder, by_hand):
    """Token by token, with its padding."""
    from mmragbench.backends.transformers.image_generation import (
        Emu3Drawer,
        ImageGenerationConfig,
    )
    from mmragbench.backends.transformers.prompt_batches import RenderedPrompt

    texts = ["a cat", "two boats on a lake"]
    drawer = Emu3Drawer(painter(folder).checkpoint, ImageGenerationConfig(1.0, 1.0, 2, 32))
    inputs = drawer.read([RenderedPrompt(text, [], 0) for text in texts])
    processor = by_hand[1]
    processor.tokenizer.padding_side = "left"
    expected = processor(
        text=texts,
        return_for_image_generation=True,
        image_area=32 * 32,
        padding=True,
        return_tensors="pt",
    )
    for name in ("input_ids", "attention_mask"):
        assert inputs[name].tolist() == expected[name].tolist()


@pytest.mark.parametrize("guidance", [1, 2])
def test_drawings_in_context_do_not_depend_on_their_neighbours(folder, images, guidance):
    """Documents of other sizes, prompts with other numbers of them and with none, in any order; every
    document changes the drawing."""
    a, b, c, d = images
    prompts = [
        in_context("a cat", (a, "red here"), (b, "green"), seed=1),
        in_context("a cat", (a, "red here"), (c, "green"), seed=1),
        in_context("a cat", (b, "green"), (a, "red here"), seed=1),
        in_context("a cat", (d, "a much longer text with many words"), seed=1),
        in_context("a cat", seed=1),
    ]
    model = painter(folder, guidance=guidance)
    together = pixels(model.paint(prompts))
    alone = pixels([model.paint([prompt])[0] for prompt in prompts])
    backwards = pixels(painter(folder, guidance=guidance, batch_size=2).paint(prompts[::-1])[::-1])
    assert np.abs(together - alone).max() <= 2 and np.abs(together - backwards).max() <= 2
    for i, drawing in enumerate(together):
        assert all(np.abs(drawing - other).max() > 2 for other in together[i + 1 :])


def test_it_writes_words_alone(tmp_path, images):
    """Greedy words of the library's class, all picture tokens left out, though the model would rather
    write those."""
    model, processor = loaded(folder := checkpoints.emu3(tmp_path))
    with torch.no_grad():
        model.lm_head.weight[picture_tokens(processor)] *= 4
    model.save_pretrained(folder)
    by_hand = model, processor
    words, pictorial = by_hand[1].tokenizer, picture_tokens(by_hand[1])
    prompts = [in_context(images[i], (images[1], "red"), (images[2], "blue")) for i in (0, 3)]
    replies = TransformersChat(str(folder), max_new_tokens=8).chat(prompts)
    would_draw = False
    for prompt, reply in zip(prompts, replies, strict=True):
        assert reply.prompt == "<image>red\n<image>blue\n<|infill|><image><|infill|>"
        read = tokens_by_hand(by_hand, reply.prompt, prompt.images)
        new: list[int] = []
        while len(new) < 8 and words.eos_token_id not in new:
            would_draw |= int(scores_by_hand(by_hand, read + new).argmax()) in pictorial
            new.append(int(words_by_hand(by_hand, read + new).argmax()))
        assert reply.text == words.decode(new, skip_special_tokens=True).strip()
        assert (reply.tokens_in, reply.tokens_out) == (len(read), len(new))
    assert would_draw


def test_the_best_of_several_samples_is_the_likeliest(folder, by_hand, images):
    """By the mean log likelihood of its tokens under the library's class, of words alone; what all
    samples read and wrote is counted."""
    given = {"max_new_tokens": 6, "temperature": 1.5}
    prompt = in_context(images[0], (images[1], "red"), seed=3)
    (best,) = TransformersChat(str(folder), best_of=4, **given).chat([prompt])
    (first,) = TransformersChat(str(folder), **given).chat([prompt])
    single = TransformersChat(str(folder), **given)
    seeds = [sample_seed(3, number) for number in range(4)]
    samples = single.chat([replace(prompt, seed=seed) for seed in seeds])
    assert samples[0] == first and best.text in [sample.text for sample in samples]
    assert best.tokens_in == sum(sample.tokens_in for sample in samples)
    assert best.tokens_out == sum(sample.tokens_out for sample in samples)
    read = tokens_by_hand(by_hand, best.prompt, prompt.images)
    rows = [sampled(single, replace(prompt, seed=seed)) for seed in seeds]
    means = [
        np.mean(
            [
                float(words_by_hand(by_hand, read + row[:at]).log_softmax(0)[token])
                for at, token in enumerate(row)
            ]
        )
        for row in rows
    ]
    assert best.text == samples[int(np.argmax(means))].text
    assert len({sample.text for sample in samples}) > 1


def sampled(chat: TransformersChat, prompt: Prompt) -> list[int]:
    """The tokens of a sample, as the adapter's own rows have them."""
    from mmragbench.backends.transformers.prompt_batches import RenderedPrompt, inputs_of
    from mmragbench.backends.transformers.templates import render
    from mmragbench.backends.transformers.text_generation import _new_tokens

    text = str(render(chat.checkpoint.processor, prompt))
    pictures = [image.open() for image in prompt.images]
    inputs = inputs_of(chat.checkpoint, [RenderedPrompt(text, pictures, prompt.seed)])
    return _new_tokens(chat.checkpoint, inputs, [prompt.seed], chat._config)[0].tokens


@pytest.mark.parametrize("role", ["chat", "painter"])
def test_a_prompt_that_is_too_long_loses_its_last_documents(folder, images, role):
    """Whole ones, as many as must go: the answer is that to the documents that fit, and says how many
    it lost. A query that is too long by itself fails alone."""
    documents = [(images[i % 4], f"a text with number {i} and many more words") for i in range(20)]
    query = images[0] if role == "chat" else "a cat"
    prompts = [
        in_context(query, *documents),
        in_context(query, documents[0]),
        in_context("word " * 600, *documents[:2]),
    ]
    model = TransformersChat(str(folder), 8) if role == "chat" else painter(folder)
    answer = model.chat if role == "chat" else model.paint
    cut, short, failed = answer(prompts)
    fitting = 20 - cut.dropped
    assert 0 < fitting < 20 and not short.dropped
    (expected,) = answer([in_context(query, *documents[:fitting])])
    assert replace(cut, dropped=0, **same(cut)) == replace(expected, **same(cut))
    if role == "painter":
        assert np.abs(pixels([cut]) - pixels([expected])).max() <= 2
    (one_more,) = answer([in_context(query, *documents[: fitting + 1])])
    assert one_more.dropped == 1
    written = 8 if role == "chat" else 4 * 5 + 3
    assert cut.tokens_in + written <= 512
    assert isinstance(failed, Failure) and "more than the 512" in failed.reason


def same(answer: Reply | Drawing) -> dict:
    """What is compared apart: pixels."""
    return {"picture": answer.picture} if isinstance(answer, Drawing) else {}


def test_one_model_in_two_roles_is_in_memory_once(folder):
    """As long as one of them is in use; another precision is another model."""
    chat, paints = TransformersChat(str(folder)), painter(folder)
    assert chat.checkpoint is paints.checkpoint
    assert TransformersChat(str(folder), precision="bf16").checkpoint is not chat.checkpoint


def test_sampling_from_a_nucleus_follows_its_definition():
    """The fewest tokens that have the share together, in proportion to their likelihoods at the
    temperature."""
    from mmragbench.backends.transformers.sampling import SeededGumbelSampler

    scores = torch.tensor([3.0, 2.0, 1.0, 0.0, -torch.inf])
    likelihoods = torch.softmax(scores / 2.0, dim=0)
    assert likelihoods[:2].sum() < 0.8 < likelihoods[:3].sum()
    sampler = SeededGumbelSampler(range(4000), 2.0, top_p=0.8)
    drawn = sampler(torch.zeros(4000, 1), scores.expand(4000, 5)).argmax(dim=1)
    frequencies = torch.bincount(drawn, minlength=5) / 4000
    expected = torch.cat([likelihoods[:3] / likelihoods[:3].sum(), torch.zeros(2)])
    assert torch.allclose(frequencies, expected, atol=0.03)
    assert not frequencies[3:].any()
