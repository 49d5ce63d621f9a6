"""A chat model as captioner: it describes a picture, or what a picture and a text ask for together."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.contracts import Chat, Traits
from mmragbench.records import Failure, Image, Prompt
from mmragbench.registry import captioner

PICTURE = (
    "Describe this picture in one sentence, as a caption would: what it shows, how many, which "
    "colours, where. Answer with the sentence alone."
)
WANTED = (
    "Someone searches with this picture and these words. Describe what they are looking for in "
    "one sentence, as a caption of it would: take from the picture what the words leave open, and "
    "follow the words where the two differ. Answer with the sentence alone."
)


@captioner
class Described:
    """Captioner: a chat model describes each picture; of a query with words too, what is looked for.

    This is the query understanding of the CLIP + GPT-4-vision recipe: one description from picture
    and words, by which text is then searched. A chat model that a suite names as a captioner is
    wrapped in this class.

    Args:
        chat: the model.
        picture: the instruction for a picture.
        wanted: the instruction for a picture with words.
    """

    def __init__(self, chat: Chat, picture: str = PICTURE, wanted: str = WANTED) -> None:
        self._chat, self._picture, self._wanted = chat, picture, wanted

    def weights(self) -> str:
        """Those of the chat model."""
        return Traits(self._chat).weights or "none"

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        """One description a picture; a prompt is the words of a query."""
        instructions = [
            self._prompt(image, words) for image, words in zip(images, prompts, strict=True)
        ]
        return [
            reply if isinstance(reply, Failure) else " ".join(reply.text.split())
            for reply in self._chat.chat(instructions)
        ]

    def _prompt(self, image: Image, words: str) -> Prompt:
        return Prompt((image, words, self._wanted) if words else (image, self._picture))
