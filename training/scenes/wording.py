"""What a caption says: kinds, colours and numbers, compared with what the references say."""

import re
from collections.abc import Callable, Sequence


def words(text: str) -> list[str]:
    """Lower-case words."""
    return re.findall(r"[a-z0-9]+", text.lower())


COLOURS = frozenset(words("red orange yellow green blue purple pink brown black white grey gray"))
NUMBERS = frozenset(words("one two three four five six single pair couple"))


def share_right(
    written: Sequence[str], references: Sequence[Sequence[str]], of: frozenset[str]
) -> float:
    """Of the words from `of` that captions use, how many a reference of the image uses."""
    right = used = 0
    for caption, truths in zip(written, references, strict=True):
        said = set(words(caption)) & of
        used += len(said)
        right += len(said & {word for truth in truths for word in words(truth)})
    return right / max(1, used)


def names_a_kind(caption: str, kinds: Sequence[str]) -> bool:
    """Does the caption name one of these kinds, singular or plural?"""
    return any(re.search(rf"\b{re.escape(kind)}(s|es)?\b", caption.lower()) for kind in kinds)


def agreement(
    written: Sequence[str], references: Sequence[Sequence[str]], kinds: Sequence[Sequence[str]]
) -> dict[str, float]:
    """How many captions name a kind shown; how many colours and numbers a reference has too."""
    named = [names_a_kind(caption, shown) for caption, shown in zip(written, kinds, strict=True)]
    return {
        "kind": sum(named) / max(1, len(named)),
        "colour": share_right(written, references, COLOURS),
        "number": share_right(written, references, NUMBERS),
    }


def cider(
    written: Sequence[str], references: Sequence[Sequence[str]], tokenize: Callable[[str], str]
) -> float:
    """Corpus CIDEr, by pycocoevalcap."""
    from pycocoevalcap.cider.cider import Cider

    ours = {row: [tokenize(caption)] for row, caption in enumerate(written)}
    theirs = {row: [tokenize(truth) for truth in truths] for row, truths in enumerate(references)}
    return float(Cider().compute_score(theirs, ours)[0])
