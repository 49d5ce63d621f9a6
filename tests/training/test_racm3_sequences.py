"""The sequences that the small RA-CM3 learns from."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from PIL import Image

from mmragbench.scenes.emblems import emblems

transformers = pytest.importorskip("transformers")
pytest.importorskip("open_clip")

from training.racm3.neighbours import CLIP  # noqa: E402
from training.racm3.sequences import DOCUMENT_WEIGHT, SEEN_TITLE, Marks, Sequences  # noqa: E402
from training.racm3.train_decoder import make_processor  # noqa: E402
from training.scenes.examples import NO_EMBLEM, Split  # noqa: E402
from training.scenes.pages import FIRST_CATEGORY, Captions  # noqa: E402

SIDE, ROWS = 16, 12


@cache
def processor():
    words = transformers.AutoTokenizer.from_pretrained(CLIP)
    return make_processor(words, SIDE, codebook=8)


def encode(texts):
    return processor().tokenizer(texts, add_special_tokens=False).input_ids


@cache
def drawn():
    """Twelve pictures, half of them of one emblem, whose neighbours are all others."""
    emblem = emblems()[1][0]
    shown = np.array([FIRST_CATEGORY + emblem.number] * 6 + [NO_EMBLEM] * 6)
    captions = [[f"the {emblem.title} in a forest", f"a red sign, the {emblem.title}"]] * 6
    captions += [["two green boats", "a boat on a lake"]] * 6
    codes = np.arange(ROWS * 4).reshape(ROWS, 2, 2) % 8
    near = np.array([[other for other in range(ROWS) if other != row][:6] for row in range(ROWS)])
    split = Split(np.zeros((ROWS, SIDE, SIDE, 3), np.uint8), captions, shown, [[]] * ROWS)
    marks = Marks.of(processor(), 2)
    near = np.stack([near, near], axis=1)
    return Sequences(split, Captions(split, encode), codes, near, marks), marks, emblem


def texts(documents, many=60):
    sequences, _, _ = drawn()
    rng = np.random.default_rng(0)
    made = [sequences.draw(documents, rng) for _ in range(many)]
    return made, [processor().tokenizer.decode(sequence.ids) for sequence in made]


@pytest.mark.parametrize("documents", [0, 1, 2])
def test_what_was_retrieved_counts_a_tenth(documents):
    """As many pictures of that weight as documents, except where nothing is given; a twin's sequences
    have none."""
    _, marks, _ = drawn()
    for sequence in texts(documents)[0]:
        ids, weights = np.array(sequence.ids), np.array(sequence.weights)
        shown = int(((ids == marks.opening[0]) & (weights == DOCUMENT_WEIGHT)).sum())
        unconditional = ids[1] == marks.opening[0] and shown == 0
        assert shown == documents or unconditional
        assert ((ids == marks.opening[0]) & (weights == 1)).sum() == 1
        assert sequence.weights[0] == 0
        assert set(sequence.weights) <= {
            0,
            1,
            DOCUMENT_WEIGHT,
            SEEN_TITLE,
            SEEN_TITLE * DOCUMENT_WEIGHT,
        }


def test_an_emblem_has_another_name_in_every_sequence():
    """Never its own, and within a sequence one alone."""
    _, written = texts(2)
    _, _, emblem = drawn()
    names = [set(re.findall(r"the (\w+ \w+)(?= in a forest| \n)", text)) for text in written]
    assert max(map(len, names)) == 1
    assert len(set.union(*names)) > 20
    assert not any(emblem.name.lower() in text for text in written)


def test_what_is_left_out_comes_last():
    """Put back where the first mark stands, it gives caption and picture whole (CM3)."""
    _, marks, _ = drawn()
    infilled = 0
    for sequence in texts(0, many=200)[0]:
        places = [at for at, token in enumerate(sequence.ids) if token == marks.infill]
        if not places:
            continue
        first, last = places
        whole = [
            *sequence.ids[:first],
            *sequence.ids[last + 1 : -1],
            *sequence.ids[first + 1 : last],
        ]
        opening = whole.index(marks.opening[0])
        picture = whole[opening : opening + len(marks.opening) + 6 + len(marks.closing)]
        assert picture[: len(marks.opening)] == marks.opening
        assert picture[-len(marks.closing) :] == marks.closing
        infilled += 1
    assert infilled > 50


def test_training_and_use_have_the_same_tokens():
    """What the chat template and the processor make of a prompt is how sequences to write from begin."""
    sequences, marks, _ = drawn()
    rng = np.random.default_rng(3)
    image = Image.new("RGB", (40, 40))
    content = [{"type": "image"}, {"type": "text", "text": "two green boats"}, {"type": "image"}]
    text = processor().apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True
    )
    used = (
        processor()(text=[text], images=[image, image], return_tensors="np").input_ids[0].tolist()
    )
    placeholder = processor().tokenizer.convert_tokens_to_ids("<image>")
    kinds = ["code" if token == placeholder else token for token in used]
    caption = encode(["two green boats"])[0]
    picture = [*marks.opening, *["code"] * 6, *marks.closing]
    infill = [marks.infill, *picture, marks.infill]
    assert kinds == [marks.begin, *picture, *caption, marks.newline, *infill]
    sequence = next(
        s for s in iter(lambda: sequences.draw(1, rng), None) if s.ids.count(marks.infill) == 2
    )
    rows = set(range(marks.first_code, marks.first_code + 8)) | {marks.end_of_row}
    learned = ["code" if token in rows else token for token in sequence.ids]
    assert learned[: 1 + len(picture)] == [marks.begin, *picture]
