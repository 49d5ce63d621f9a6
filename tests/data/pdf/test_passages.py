"""Text cut into passages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmragbench.data.pdf import Passages, cut
from mmragbench.data.pdf.passages import joined

HOW = st.integers(1, 12).flatmap(
    lambda words: st.builds(Passages, st.just(words), st.integers(0, words - 1))
)


@given(st.lists(st.text("abcdé.,", min_size=1, max_size=5), max_size=60), HOW)
def test_passages_cover_the_text_with_the_overlap_asked_for(words, how):
    """Each has `words` words at most and all but the last exactly; each begins with the last
    `overlap` words of the one before; together they are the text, and none lies within another."""
    found = [passage.split() for passage in cut(" ".join(words), how)]
    assert all(len(passage) == how.words for passage in found[:-1])
    assert all(0 < len(passage) <= how.words for passage in found)
    whole = list(found[0]) if found else []
    for before, passage in zip(found, found[1:], strict=False):
        shared = min(how.overlap, len(passage))
        assert before[len(before) - how.overlap :] == passage[:shared] or how.overlap == 0
        assert len(passage) > how.overlap
        whole += passage[how.overlap :]
    assert whole == words


def test_a_script_without_blanks_is_cut_by_characters():
    """Chinese has as many words as characters, and no blanks are put in; a thousand letters on end
    do not make one word."""
    assert list(cut("红色的房子很高", Passages(3, 1))) == ["红色的", "的房子", "子很高"]
    assert max(len(passage) for passage in cut("x" * 1000, Passages(2, 0))) == 128


@pytest.mark.parametrize(
    "lines, text",
    [
        (["a multi-", "modal model"], "a multimodal model"),
        (["the Franco-", "German border"], "the Franco- German border"),
        (["1914-", "1918"], "1914- 1918"),
        (["soft\u00ad", "ware"], "software"),
        (["  many ", "", "\tblanks "], "many blanks"),
        (["e\ufb03cient \ufb01gures"], "efficient figures"),
        (["10\u00b2 \u00b5m"], "10\u00b2 \u00b5m"),
        (["nul\x00l \ud800 bell\x07"], "null bell"),
        ([], ""),
    ],
)
def test_lines_become_running_text(lines, text):
    """Words broken at the end of a line are whole, ligatures letters; exponents stay what they are."""
    assert joined(lines) == text
