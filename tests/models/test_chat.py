"""Chat models through transformers: one contract for each class, on tiny checkpoints of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from mmragbench.errors import NotApplicable
from mmragbench.models.transformers import Transformers, TransformersChat
from mmragbench.records import Failure, Image, Prompt, Reply
from support import checkpoints, toy

ONE_PICTURE = ("fuyu", "blip2")
LONG = "a much longer text with many more words than the others and all of them again and again"


@pytest.fixture(scope="module")
def checkpoint_of(tmp_path_factory):
    """Checkpoints by class, each made once."""
    return cache(lambda name: str(checkpoints.CHATS[name](tmp_path_factory.mktemp(name))))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    for i, colour in enumerate(toy.NAMES[:4]):
        toy.draw(root / f"{colour}.png", colour, i)
    return [Image(file.stem, file, file.stem) for file in sorted(root.iterdir())]


def prompts_for(name: str, images: list[Image]) -> list[Prompt]:
    a, b, c, d = images
    single = [Prompt((a, "why?")), Prompt((b, LONG)), Prompt((c, "x")), Prompt((d, "a", "b"))]
    several = [Prompt((a, "red here", b, LONG, c, "Write one caption.")), Prompt((c, "x", d, "y"))]
    return single if name in ONE_PICTURE else single + several


@pytest.mark.parametrize("name", checkpoints.CHATS)
def test_a_reply_does_not_depend_on_its_neighbours(checkpoint_of, images, name):
    """The same prompt gives the same words alone, in a batch, in another order; they differ from
    prompt to prompt; a bad picture is an error of its own."""
    chat = TransformersChat(checkpoint_of(name), max_new_tokens=8)
    prompts = prompts_for(name, images)
    bad = Prompt((Image("gone", Path("/no/such.png"), "gone"), "why?"))
    *together, failed = chat.chat([*prompts, bad])
    assert all(isinstance(reply, Reply) for reply in together)
    assert [chat.chat([prompt])[0] for prompt in prompts] == together
    small = TransformersChat(checkpoint_of(name), max_new_tokens=8, batch_size=2)
    assert small.chat(prompts[::-1])[::-1] == together
    assert len({reply.text for reply in together}) > len(together) / 2
    assert isinstance(failed, Failure) and "/no/such.png" in failed.reason


@pytest.mark.parametrize("name", checkpoints.CHATS)
def test_greedy_words_are_those_of_the_library(checkpoint_of, images, name):
    """One picture, one text: what the processor and `generate` give when called by hand."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(checkpoint_of(name))
    model = AutoModelForImageTextToText.from_pretrained(checkpoint_of(name)).eval()
    (reply,) = TransformersChat(checkpoint_of(name), max_new_tokens=8).chat(
        [Prompt((images[0], "why?"))]
    )
    inputs = processor(text=[reply.prompt], images=[images[0].open()], return_tensors="pt")
    inputs.pop("labels", None)
    tokens = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    prompt_length = inputs["input_ids"].shape[1]
    new = tokens[0, prompt_length:] if tokens.shape[1] > prompt_length else tokens[0]
    assert reply.text == processor.tokenizer.decode(new, skip_special_tokens=True).strip()
    assert (reply.tokens_in, reply.tokens_out) == (prompt_length, len(new))


@pytest.mark.parametrize("name", [name for name in checkpoints.CHATS if name != "janus"])
def test_sampling_follows_each_prompts_seed(checkpoint_of, images, name):
    """The same seed gives the same words, whatever the batch; another seed others."""
    chat = TransformersChat(checkpoint_of(name), max_new_tokens=8, temperature=1.5)
    prompts = [Prompt((images[0], "why?"), seed=seed) for seed in (1, 2, 1)]
    first, other, again = chat.chat(prompts)
    assert first == again == chat.chat(prompts[:1])[0] and first.text != other.text
    assert chat.samples and not TransformersChat(checkpoint_of(name)).samples


def test_a_model_that_cannot_be_sampled_says_so(checkpoint_of, images):
    """Janus lets nobody at its scores when it writes: greedy words are not passed off as samples."""
    with pytest.raises(NotApplicable, match="temperature: 0"):
        TransformersChat(checkpoint_of("janus"), temperature=1.0).chat(
            [Prompt((images[0], "why?"))]
        )


def test_sampling_follows_the_models_distribution():
    """Frequencies over many seeds are the softmax of the scores at that temperature."""
    import torch

    from mmragbench.backends.transformers.sampling import SeededGumbelSampler

    scores = torch.tensor([[2.0, 1.0, 0.0, -torch.inf]])
    drawn = SeededGumbelSampler(range(4000), 2.0)(None, scores.expand(4000, 4)).argmax(dim=1)
    frequencies = torch.bincount(drawn, minlength=4) / 4000
    expected = torch.softmax(scores[0] / 2.0, dim=0)
    assert torch.allclose(frequencies, expected, atol=0.03)


def test_guided_scores_are_the_librarys():
    """Classifier-free guidance is transformers' own arithmetic."""
    import torch
    from transformers import ClassifierFreeGuidanceLogitsProcessor

    from mmragbench.backends.transformers.sampling import SeededGumbelSampler

    scores = torch.randn(4, 7, generator=torch.Generator().manual_seed(0))
    rows = torch.zeros(2, 1)
    expected = ClassifierFreeGuidanceLogitsProcessor(3.0)(rows, scores)
    assert torch.allclose(
        SeededGumbelSampler([0, 0], 0.0, guidance=3.0)(None, scores), expected, atol=1e-5
    )


@pytest.mark.parametrize("template", [checkpoints.INTERLEAVING, checkpoints.GATHERING])
def test_pictures_stay_among_the_texts(tmp_path, images, template):
    """Also through a template that would put all of them first."""
    chat = TransformersChat(str(checkpoints.llava(tmp_path, template)), max_new_tokens=2)
    a, b, c, _ = images
    (reply,) = chat.chat([Prompt((a, "one", b, "two", c, "say"))])
    marks = [reply.prompt.find(piece) for piece in ("one", "two", "say", "ASSISTANT:")]
    assert marks == sorted(marks) and -1 not in marks
    counts = [reply.prompt[:mark].count("<image>") for mark in marks]
    assert counts == [1, 2, 3, 3]


def test_a_caption_cannot_speak_to_the_tokenizer(checkpoint_of, images):
    """`<image>` and `</s>` in a retrieved text are words: no picture, no end of the prompt."""
    chat = TransformersChat(checkpoint_of("llava"), max_new_tokens=2)
    (reply,) = chat.chat([Prompt((images[0], "an <image> here</s> and <|there|>", "say"))])
    assert reply.prompt.count("<image>") == 1 and "< image> here< /s> and <|there|>" in reply.prompt


def test_a_prompt_that_is_too_long_fails_alone_and_is_not_cut(checkpoint_of, images):
    """The reason says how long it is and how much the model reads (512)."""
    chat = TransformersChat(checkpoint_of("llava"), max_new_tokens=8)
    prompts = [Prompt((images[0], "why?")), Prompt((images[0], "word " * 400))]
    good, failed = chat.chat(prompts)
    assert good == chat.chat(prompts[:1])[0]
    assert isinstance(failed, Failure) and "more than the 512" in failed.reason


@pytest.mark.parametrize("name", ONE_PICTURE)
def test_a_model_that_reads_one_picture_says_so(checkpoint_of, images, name):
    """Two are refused with what to do instead; none where it needs one."""
    two, none = TransformersChat(checkpoint_of(name), max_new_tokens=2).chat(
        [Prompt((images[0], images[1], "why?")), Prompt(("why?",))]
    )
    assert isinstance(two, Failure) and "pictures: 0" in two.reason
    assert isinstance(none, Failure) == (name == "blip2")


def test_a_captioner_is_no_chat_model(images):
    """BLIP takes a text for the caption's beginning: it is not asked anything."""
    with pytest.raises(NotApplicable, match="as a captioner"):
        TransformersChat("shipped:scenes/captioner").chat([Prompt((images[0], "why?"))])


def test_a_chat_model_captions_by_its_instruction(checkpoint_of, images):
    """Its caption is the reply to picture, prompt and instruction; a bad picture fails alone."""
    model = Transformers(checkpoint_of("llava"), max_new_tokens=8, instruction="Describe.")
    gone = Image("gone", Path("/no/such.png"))
    plain, prompted, failed = model.caption([*images[:2], gone], ["", "why?", ""])
    prompts = [Prompt((images[0], "Describe.")), Prompt((images[1], "why?", "Describe."))]
    replies = TransformersChat(checkpoint_of("llava"), max_new_tokens=8).chat(prompts)
    assert [plain, prompted] == [reply.text for reply in replies]
    assert isinstance(failed, Failure)


def test_a_captioners_bad_picture_fails_alone(images):
    """The others keep their captions, in order."""
    model = Transformers("shipped:scenes/captioner")
    gone = Image("gone", Path("/no/such.png"))
    first, failed, last = model.caption([images[0], gone, images[1]], ["", "", ""])
    assert [first, last] == model.caption(images[:2], ["", ""])
    assert isinstance(failed, Failure) and "/no/such.png" in failed.reason


def test_large_pictures_are_scaled_down_when_asked(checkpoint_of, tmp_path):
    """`max_side` bounds the longer side before the processor looks: fewer tokens for Qwen."""
    from PIL import Image as Pillow

    Pillow.new("RGB", (224, 112), "red").save(tmp_path / "large.png")
    prompt = Prompt((Image("large", tmp_path / "large.png"), "why?"))
    (full,), (small,) = (
        TransformersChat(checkpoint_of("qwen2_5_vl"), 2, max_side=side).chat([prompt])
        for side in (None, 28)
    )
    assert small.tokens_in < full.tokens_in


def test_thoughts_that_a_template_begins_end_where_the_model_ends_them(tmp_path, images):
    """A prompt that ends in `<think>`: without an end all that comes is thoughts, and no answer;
    that the length limit was reached is said."""
    template = checkpoints.INTERLEAVING.replace("ASSISTANT:", "ASSISTANT:<think>")
    chat = TransformersChat(str(checkpoints.llava(tmp_path, template)), max_new_tokens=2)
    (reply,) = chat.chat([Prompt((images[0], "why?"))])
    assert isinstance(reply, Failure)
    assert "thoughts alone" in reply.reason and "length limit" in reply.reason
    assert reply.tokens_out == 2


@pytest.mark.parametrize(
    "specials",
    [
        ("[THINK]", "[/THINK]"),
        ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
        ("<think>", "</think>"),
    ],
)
def test_marks_that_are_special_tokens_are_marks(tmp_path, images, monkeypatch, specials):
    """A tokenizer drops special tokens from texts; the thoughts between two must go with them."""
    from mmragbench.backends.transformers import text_generation

    chat = TransformersChat(str(checkpoints.llava(tmp_path, specials=specials)), max_new_tokens=40)
    words = chat.checkpoint.processor.tokenizer
    row = words("{}a dog{}a cat</s>".format(*specials), add_special_tokens=False)["input_ids"]
    plain = words("a cat</s>", add_special_tokens=False)["input_ids"]
    rows = iter([[text_generation.GeneratedRow(ids)] for ids in (row, plain, row[:4])])
    monkeypatch.setattr(text_generation, "_new_tokens", lambda *_: next(rows))
    ask = [Prompt((images[0], "why?"))]
    (thought,), (bare,), (cut,) = chat.chat(ask), chat.chat(ask), chat.chat(ask)
    assert (thought.text, thought.thoughts, thought.truncated) == ("a cat", "a dog", False)
    assert (bare.text, bare.thoughts) == ("a cat", "")
    assert isinstance(cut, Failure)


def test_a_reply_that_the_length_limit_ended_says_so(checkpoint_of, images, monkeypatch):
    """Its last token is not one that ends replies."""
    from mmragbench.backends.transformers import text_generation

    chat = TransformersChat(checkpoint_of("llava"), max_new_tokens=3)
    end = chat.checkpoint.processor.tokenizer.eos_token_id
    endings = ([70, 71, 72], [70, 71, end], [70, end])
    rows = iter([[text_generation.GeneratedRow(ids)] for ids in endings])
    monkeypatch.setattr(text_generation, "_new_tokens", lambda *_: next(rows))
    replies = [chat.chat([Prompt((images[0], "why?"))])[0] for _ in range(3)]
    assert [reply.truncated for reply in replies] == [True, False, False]


def test_precision_and_device_are_part_of_what_answers_depend_on(checkpoint_of, images):
    """Half precision answers too, under another name; `auto` on a CPU is single precision."""
    half = TransformersChat(checkpoint_of("llava"), 4, device="cpu", precision="bf16")
    (reply,) = half.chat([Prompt((images[0], "why?"))])
    assert isinstance(reply, Reply)
    assert half.precision == "bf16-cpu"
    assert TransformersChat(checkpoint_of("llava"), device="cpu").precision == "fp32-cpu"


def test_a_broken_checkpoint_is_one_line(checkpoint_of, tmp_path):
    """A folder that is not there, one with code of its own (which is never run, nor asked about),
    and weights that are not there: a part without them would be random."""
    import json
    import shutil

    from safetensors.torch import load_file, save_file

    from mmragbench.errors import SuiteError

    with pytest.raises(SuiteError, match="/no/such/folder"):
        TransformersChat("/no/such/folder").load()
    coded = Path(shutil.copytree(checkpoint_of("llava"), tmp_path / "coded"))
    config = json.loads((coded / "config.json").read_text())
    config |= {"model_type": "unheard-of", "auto_map": {"AutoConfig": "code.Config"}}
    (coded / "config.json").write_text(json.dumps(config))
    (coded / "code.py").write_text("raise SystemExit('this must not run')")
    with pytest.raises(SuiteError, match="cannot load .*coded"):
        TransformersChat(str(coded)).load()
    folder = Path(shutil.copytree(checkpoint_of("llava"), tmp_path / "broken"))
    weights = load_file(folder / "model.safetensors")
    lost = next(name for name in weights if "multi_modal_projector" in name)
    del weights[lost]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SuiteError, match=r"left to chance \(.*multi_modal_projector"):
        TransformersChat(str(folder)).load()
