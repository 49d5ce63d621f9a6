"""Rendering of prompts through chat templates, with a token in the place of each picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mmragbench.records import Failure, Image, Prompt

ONE_PICTURE = frozenset({"Blip2Processor", "FuyuProcessor", "InstructBlipProcessor"})
"""Processors that place one picture before the text themselves."""

NEEDS_PICTURE = frozenset({"Blip2Processor", "InstructBlipProcessor", "PaliGemmaProcessor"})
"""Processors whose models answer nothing without a picture."""

PICTURES_FIRST = frozenset({"PaliGemmaProcessor"})
"""Processors without a chat template that want all pictures before the text."""


def reads_prompts(processor: Any) -> bool:
    """Whether a processor's model reads instructions with pictures among them.

    BLIP and GIT do not: they caption one picture, and continue a text as its caption.
    """
    named = type(processor).__name__ in ONE_PICTURE
    return (
        named or bool(_template(processor)) or getattr(processor, "image_token", None) is not None
    )


def render(processor: Any, prompt: Prompt) -> str | Failure:
    """The text for a prompt: through the chat template, or plain where there is none.

    Special tokens inside of texts are broken up (`<image>` becomes `< image>`): a caption is no
    instruction to the tokenizer.
    """
    kind, pictures = type(processor).__name__, len(prompt.images)
    if kind in ONE_PICTURE and pictures > 1:
        return Failure(
            f"the model reads one picture and the prompt has {pictures}; show what was retrieved "
            "by its texts alone (reader: pictures: 0)"
        )
    if kind in NEEDS_PICTURE and not pictures:
        return Failure("the model reads a picture, and the prompt has none")
    parts = [_without_special_tokens(part, special_tokens(processor)) for part in prompt.parts]
    system = str(_without_special_tokens(prompt.system, special_tokens(processor)))
    if kind in ONE_PICTURE:
        return _lines([system, *parts])
    token = token_of(processor)
    if template := _template(processor):
        return _templated(processor, template, system, parts, token)
    if kind in PICTURES_FIRST:
        return token * pictures + _lines([system, *parts])
    return _inline([system, *parts], token)


def token_of(processor: Any) -> str:
    """The token that stands for a picture; empty where none is known."""
    return str(getattr(processor, "image_token", None) or "")


def _template(processor: Any) -> Any:
    """The object that applies the chat template: the processor, or a tokenizer that came with one."""
    tokenizer = getattr(processor, "tokenizer", None)
    holders = (holder for holder in (processor, tokenizer) if holder is not None)
    return next((h for h in holders if getattr(h, "chat_template", None)), None)


def _templated(
    processor: Any, template: Any, system: str, parts: Sequence[str | Image], token: str
) -> str | Failure:
    """The text by the first form of the prompt in which all parts come out, in their order.

    Some templates gather the pictures before the texts, and some want plain strings.
    """
    inline, reason = _inline(parts, token), "the chat template wrote nothing"
    structured = template is processor
    forms = ([_structured(parts), [_text_part(inline)]] if structured else []) + [inline]
    rendered: list[str] = []
    text: str
    for content in forms:
        try:
            text = template.apply_chat_template(
                _conversation(system, content, structured),
                add_generation_prompt=True,
                tokenize=False,
            )
        except Exception as error:  # templates raise what they like
            reason = f"the chat template refuses this prompt: {error}"
            continue
        rendered.append(text)
        if _in_order(text, parts, token):
            return text
    return rendered[0] if rendered else Failure(reason)


def _conversation(system: str, content: Any, structured: bool) -> list[dict[str, Any]]:
    turns = [{"role": "user", "content": content}]
    if system:
        as_parts = structured and not isinstance(content, str)
        system_content = [_text_part(system)] if as_parts else system
        turns.insert(0, {"role": "system", "content": system_content})
    return turns


def _structured(parts: Sequence[str | Image]) -> list[dict[str, str]]:
    """Parts as chat templates take them; neighbouring texts become one, a line each."""
    content: list[dict[str, str]] = []
    for part in parts:
        if isinstance(part, Image):
            content.append({"type": "image"})
        elif content and content[-1]["type"] == "text":
            content[-1]["text"] += "\n" + part
        else:
            content.append(_text_part(part))
    return content


def _text_part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _inline(parts: Sequence[str | Image], token: str) -> str:
    """The parts as plain text, one a line, a picture by its token."""
    return "\n".join(filter(None, (token if isinstance(p, Image) else p for p in parts)))


def _lines(parts: Sequence[str | Image]) -> str:
    """The texts alone, a line each."""
    return "\n".join(part for part in parts if isinstance(part, str) and part)


def _in_order(text: str, parts: Sequence[str | Image], token: str) -> bool:
    """Whether the text has all parts, one after the other."""
    end = 0
    for piece in (token if isinstance(part, Image) else part.strip() for part in parts):
        start = text.find(piece, end)
        if start < 0:
            return False
        end = start + len(piece)
    return True


def special_tokens(processor: Any) -> re.Pattern[str]:
    """A pattern of the tokenizer's special tokens, but for those of one or two characters."""
    tokenizer = getattr(processor, "tokenizer", None)
    known = set(_special_tokens(tokenizer)) | {token_of(processor)}
    longest = sorted((token for token in known if len(token) > 2), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest)) or r"(?!)")


def _special_tokens(tokenizer: Any) -> Iterator[str]:
    yield from getattr(tokenizer, "all_special_tokens", ())
    for token in getattr(tokenizer, "added_tokens_decoder", {}).values():
        if token.special:
            yield token.content


def _without_special_tokens(part: str | Image, specials: re.Pattern[str]) -> str | Image:
    """A part whose special tokens are broken up by a blank."""
    if isinstance(part, Image):
        return part
    return specials.sub(lambda match: f"{match[0][0]} {match[0][1:]}", part)
