"""Painters: one contract for each class, on tiny checkpoints of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mmragbench.errors import NotApplicable, SuiteError
from mmragbench.models.diffusers import Diffusers, IPAdapter
from mmragbench.models.transformers import TransformersPainter
from mmragbench.records import Drawing, Failure, Image, Prompt
from support import checkpoints, toy

TEXTS = ["a red picture", "two boats on a lake, near a small white house", "blue", "green trees"]
SIZES = {
    "stable_diffusion": (32, 32),
    "stable_diffusion_xl": (32, 32),
    "janus": (8, 8),
    "emu3": (32, 32),
}


@pytest.fixture(scope="module")
def checkpoint_of(tmp_path_factory):
    return cache(lambda name: checkpoints.PAINTERS[name](tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, checkpoint_of):
    folder = tmp_path_factory.mktemp("adapter")
    return IPAdapter(
        str(checkpoints.ip_adapter(folder, checkpoint_of("stable_diffusion"))),
        "adapter.safetensors",
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    for i, colour in enumerate(toy.NAMES[:4]):
        toy.draw(root / f"{colour}.png", colour, i, side=24 + 8 * i)
    return [Image(file.stem, file, file.stem) for file in sorted(root.iterdir())]


def painter(folder, **given):
    if Path(folder, "model_index.json").is_file():
        return Diffusers(str(folder), steps=3, **given)
    if "emu3" in str(folder):  # 4 by 4 tokens; at this guidance the seed still matters
        given = {"size": 32, "guidance": 2, **given}
    return TransformersPainter(str(folder), **given)


def pixels(drawings):
    assert all(isinstance(drawing, Drawing) for drawing in drawings)
    return np.stack([np.asarray(drawing.picture, np.int16) for drawing in drawings])


def differ(one, other):
    """By how many of 256 levels two pictures differ at most."""
    return int(np.abs(one - other).max())


@pytest.mark.parametrize(
    "name, pictured",
    [
        ("stable_diffusion", False),
        ("stable_diffusion", True),
        ("stable_diffusion_xl", False),
        ("stable_diffusion_xl", True),
        ("janus", False),
        ("emu3", False),
        ("emu3", True),
    ],
)
def test_a_drawing_does_not_depend_on_its_neighbours(checkpoint_of, images, name, pictured):
    """The same prompt and seed draw the same alone, in a batch, in another order (within two
    levels of 256); another seed, another text or another picture draws something else."""
    prompts = [
        Prompt((text, *([image] if pictured else [])), seed=seed)
        for seed, (text, image) in enumerate(zip(TEXTS, images, strict=True))
    ]
    model = painter(checkpoint_of(name), batch_size=3)
    together = pixels(model.paint(prompts))
    assert together.shape == (4, *SIZES[name], 3)
    alone = pixels([model.paint([prompt])[0] for prompt in prompts])
    backwards = pixels(painter(checkpoint_of(name), batch_size=2).paint(prompts[::-1])[::-1])
    assert differ(together, alone) <= 2 and differ(together, backwards) <= 2
    others = [
        Prompt(prompts[0].parts, seed=99),
        Prompt((TEXTS[1], *prompts[0].images), seed=0),
    ]
    if pictured:
        others.append(Prompt((TEXTS[0], images[3]), seed=0))
    for other in pixels(model.paint(others)):
        assert differ(other, together[0]) > 2


def test_drawings_are_those_of_the_library(checkpoint_of):
    """What the pipeline draws when it is called by hand with that seed."""
    import torch
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(checkpoint_of("stable_diffusion"))
    generator = torch.Generator().manual_seed(7)
    (expected,) = pipeline("a cat", num_inference_steps=3, generator=generator).images
    drawn = painter(checkpoint_of("stable_diffusion")).paint([Prompt(("a cat",), seed=7)])
    assert differ(pixels(drawn)[0], np.asarray(expected, np.int16)) == 0


def test_a_bad_picture_and_too_many_fail_alone(checkpoint_of, images):
    """With the reason and what to do; the others are drawn."""
    gone = Image("gone", Path("/no/such.png"), "gone")
    good, failed, many = painter(checkpoint_of("stable_diffusion")).paint(
        [Prompt(("a", images[0])), Prompt(("a", gone)), Prompt(("a", *images[:2]))]
    )
    assert isinstance(good, Drawing)
    assert isinstance(failed, Failure) and "/no/such.png" in failed.reason
    assert isinstance(many, Failure) and "pictures: 1" in many.reason


def test_an_adapter_goes_by_pictures(checkpoint_of, adapter, images):
    """One or several change the drawing; without any it is the pipeline's own."""
    model = painter(checkpoint_of("stable_diffusion"), ip_adapter=adapter)
    prompts = [Prompt(("a cat", *images[:count]), seed=5) for count in (0, 1, 2)]
    none, one, two = pixels(model.paint(prompts))
    own = pixels(painter(checkpoint_of("stable_diffusion")).paint(prompts[:1]))[0]
    assert differ(none, own) <= 2
    assert differ(one, none) > 2 and differ(two, one) > 2
    again = pixels(model.paint(prompts[::-1]))[::-1]
    assert differ(np.stack([none, one, two]), again) <= 2
    assert model.weights() != painter(checkpoint_of("stable_diffusion")).weights()


def test_only_safetensors_are_opened():
    """An adapter in another format is refused before anything is loaded."""
    with pytest.raises(SuiteError, match="safetensors"):
        Diffusers("any", ip_adapter=IPAdapter("any", "adapter.bin"))


def test_what_the_text_encoder_cuts_is_noted(checkpoint_of):
    """77 tokens of CLIP: the stored prompt says how many were read."""
    short, long = painter(checkpoint_of("stable_diffusion")).paint(
        [Prompt(("a cat",)), Prompt(("zebra " * 60,))]
    )
    assert short.prompt == "a cat" and 0 < short.tokens_in < 77
    assert "[cut: the text encoder read 77 of " in long.prompt and long.tokens_in == 77


def test_what_a_safety_checker_withholds_is_a_failure(checkpoint_of, monkeypatch):
    """No black picture takes the place of a drawing."""
    from diffusers import StableDiffusionPipeline

    def flag_first(self, image, device, dtype):
        return image, [True, *[False] * (len(image) - 1)]

    monkeypatch.setattr(StableDiffusionPipeline, "run_safety_checker", flag_first)
    withheld, shown = painter(checkpoint_of("stable_diffusion")).paint(
        [Prompt(("a",)), Prompt(("b",))]
    )
    assert isinstance(withheld, Failure) and "safety checker" in withheld.reason
    assert isinstance(shown, Drawing)


def test_pixels_on_a_side_are_as_asked(checkpoint_of, images):
    """`size` holds for drawings from text and from pictures."""
    drawn = painter(checkpoint_of("stable_diffusion"), size=16).paint(
        [Prompt(("a",)), Prompt(("a", images[0]))]
    )
    assert [drawing.picture.size for drawing in drawn] == [(16, 16), (16, 16)]


def test_a_pipeline_that_is_not_there_is_one_line():
    """A wrong folder is a message that names it."""
    with pytest.raises(SuiteError, match="/no/such/folder"):
        Diffusers("/no/such/folder").load()


def test_greedy_tokens_and_their_pixels_are_those_of_the_library(checkpoint_of):
    """Janus, called by hand with its own guidance and its own way back to pixels."""
    import torch
    from transformers import AutoProcessor, JanusForConditionalGeneration

    model = JanusForConditionalGeneration.from_pretrained(checkpoint_of("janus")).eval()
    processor = AutoProcessor.from_pretrained(checkpoint_of("janus"))
    (drawing,) = painter(checkpoint_of("janus"), temperature=0).paint([Prompt(("a cat",))])
    inputs = processor(text=[drawing.prompt], generation_mode="image", return_tensors="pt")
    tokens = model.generate(
        **inputs, generation_mode="image", do_sample=False, num_beams=1, guidance_scale=5.0
    )
    with torch.no_grad():
        decoded = list(model.decode_image_tokens(tokens))
    (expected,) = processor.postprocess(decoded, return_tensors="pt")["pixel_values"]
    drawn = np.asarray(drawing.picture, np.int16).transpose(2, 0, 1)
    assert differ(drawn, expected.numpy()) <= 1
    assert drawing.tokens_out == tokens.shape[1] == 16


def test_a_model_that_cannot_draw_or_see_says_so(checkpoint_of, images, tmp_path):
    """One line: which types draw; a model that draws from texts is shown no pictures."""
    with pytest.raises(SuiteError, match="draws no pictures; types that do: emu3, janus"):
        painter(checkpoints.llava(tmp_path)).paint([Prompt(("a cat",))])
    with pytest.raises(NotApplicable, match="pictures: 0"):
        painter(checkpoint_of("janus")).paint([Prompt(("a cat", images[0]))])


def test_emu3s_tokens_follow_its_grid(checkpoint_of):
    """Rows of picture tokens closed by their end, then the picture's ends: greedy, without guidance,
    those of the library under the rule that its documentation gives."""
    from transformers import AutoProcessor, Emu3ForConditionalGeneration

    model = Emu3ForConditionalGeneration.from_pretrained(checkpoint_of("emu3")).eval()
    processor = AutoProcessor.from_pretrained(checkpoint_of("emu3"))
    (drawing,) = painter(checkpoint_of("emu3"), temperature=0, guidance=1).paint(
        [Prompt(("a cat",))]
    )
    inputs = processor(
        text=[drawing.prompt],
        return_for_image_generation=True,
        image_area=32 * 32,
        return_tensors="pt",
    )
    ((height, width),) = inputs.pop("image_sizes")
    words, prompt_length = processor.tokenizer, inputs["input_ids"].shape[1]
    ends = ["<|extra_201|>", "<|image end|>", "</s>"]

    def allowed(batch, ids):
        row, column = divmod(len(ids) - prompt_length, width + 1)
        if row == height:
            return [words.convert_tokens_to_ids(ends[column])]
        if column == width:
            return [words.convert_tokens_to_ids("<|extra_200|>")]
        return model.model.vocabulary_mapping.image_tokens

    tokens = model.generate(
        **inputs,
        max_new_tokens=height * (width + 1) + 3,
        do_sample=False,
        prefix_allowed_tokens_fn=allowed,
    )[:, prompt_length:]
    pixels = model.decode_image_tokens(image_tokens=tokens, height=height, width=width)
    look = processor.image_processor
    expected = look.postprocess(list(pixels.detach()), return_tensors="PIL.Image.Image")
    (expected,) = expected["pixel_values"]
    assert differ(np.asarray(drawing.picture, np.int16), np.asarray(expected, np.int16)) <= 1
    assert drawing.tokens_out == tokens.shape[1] == height * (width + 1) + 3
