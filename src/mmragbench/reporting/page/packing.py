"""JSON inside the page, in `<script>` elements that no browser runs: the index as it is, the rest
compressed, which the reader's browser unpacks when it is needed."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

PACKED_SHARE = 0.33
"""About what part of JSON's characters is left after `packed`."""


def compact(value: Any) -> str:
    """The shortest JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def packed(text: str) -> str:
    """JSON, deflated (RFC 1950), in base64: no character of it means anything to HTML."""
    deflated = zlib.compress(text.encode("utf-8", "replace"))
    return base64.b64encode(deflated).decode("ascii")


def plain(value: Any) -> str:
    """JSON as it may stand between `<script>` and `</script>`: the characters that HTML or an old
    JavaScript parser could see are written as escapes."""
    text = compact(value)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
