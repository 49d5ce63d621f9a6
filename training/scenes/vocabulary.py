"""One WordPiece vocabulary for all five models: common words whole, invented names in pieces."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.decoders import Fuse, Replace
from tokenizers.decoders import Sequence as Sequential
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import BertTokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
COMMON = 1 / 1000


def make(captions: Iterable[str], folder: Path, longest: int = 64) -> BertTokenizer:
    """Learn a vocabulary and return its tokenizer, saved to `folder`.

    A word is kept whole if it occurs in one caption of 1000 or more. Rarer words, the names among
    them, fall into pairs of letters and single letters, so no name is ever unknown and a name
    that was never seen is read as those that were. [SEP] has the highest number: an encoder pooled
    at the highest number, as CLIP's is, pools at the end of the text.
    """
    captions = list(captions)
    counts = Counter(
        word
        for caption in captions
        for word in set(re.findall(r"[a-z0-9]+|[^\w\s]", caption.lower()))
    )
    whole = sorted(word for word, count in counts.items() if count >= COMMON * len(captions))
    rare = [word for word in counts if word not in set(whole)]
    tokens = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[MASK]",
        *LETTERS,
        *_marked(LETTERS),
        *_pieces(rare),
        *".,'-!?:;\"()&",
        *whole,
    ]
    numbers = {token: number for number, token in enumerate(dict.fromkeys([*tokens, "[SEP]"]))}
    tokenizer = BertTokenizer(vocab=numbers, model_max_length=longest)
    tokenizer.save_pretrained(folder)
    return tokenizer


def word_pieces(numbers: dict[str, int]) -> Tokenizer:
    """The rules by which decoders cut text into these pieces, and write them as text again."""
    rules = Tokenizer(WordPiece(numbers, unk_token="[UNK]"))
    rules.normalizer, rules.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    rules.decoder = Sequential([WordPieceDecoder(), Fuse(), Replace(" - ", "-")])
    return rules


def _marked(pieces: Iterable[str]) -> list[str]:
    return [f"##{piece}" for piece in pieces]


def _pieces(words: list[str], most: int = 120) -> list[str]:
    """The commonest pairs of letters that begin a rare word, and that continue one."""
    first = Counter(word[:2] for word in words if len(word) > 2)
    later = Counter(word[at : at + 2] for word in words for at in range(2, len(word) - 1, 2))
    starts = [piece for piece, _ in first.most_common(most)]
    return sorted(starts) + sorted(_marked(piece for piece, _ in later.most_common(most)))
