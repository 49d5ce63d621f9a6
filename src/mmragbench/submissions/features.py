"""The features that images are compared on, by a name or a path on the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmragbench.backends.weights import fingerprint
from mmragbench.contracts import Encoder, Traits
from mmragbench.errors import SuiteError
from mmragbench.registry import find

SCHEMES = ("shipped", "local-dir", "hf-hub")

INCEPTION = {"inception": "pooled", "inception-logits": "logits"}
"""Name on the command line -> layer of the network."""


@dataclass(frozen=True)
class Features:
    """The name that stands in the measure, `FID(name)`, the encoder, and what identifies it.

    Without an encoder, the name is what the user says of features that were made elsewhere.
    """

    name: str
    encoder: Encoder | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def label(asked: str) -> str:
    """What stands in the measure's name: `scenes-clip` for `shipped:scenes/clip`."""
    scheme, _, rest = asked.rpartition(":")
    name = Path(rest).name if scheme == "local-dir" or Path(asked).is_dir() else rest
    return re.sub(r"[^\w.-]+", "-", name).strip("-") or "features"


def resolve(asked: str, weights: str | None = None, unchecked: bool = False) -> Features:
    """`inception` or `inception-logits`; `shipped:scenes/clip`, a folder, or an open_clip architecture with its weights
    (a tag or a file); `package.module:Encoder`.

    Raises:
        SuiteError: nothing of that name, or an architecture without weights.
        NotApplicable: inception's weights are not there.
    """
    encoder = _make(asked, weights, unchecked)
    facts = {"weights": _weights(encoder), "resize": Traits(encoder).resize}
    return Features(label(asked), encoder, facts)


def _make(asked: str, weights: str | None, unchecked: bool) -> Encoder:
    scheme = asked.partition(":")[0]
    encoder: Encoder
    if asked in INCEPTION:
        inception = find("encoder", "inception").make
        encoder = inception(weights=weights, unchecked=unchecked, layer=INCEPTION[asked])
    elif ":" in asked and scheme not in SCHEMES:
        encoder = find("encoder", asked).make()
    else:
        named = scheme in SCHEMES or Path(asked).expanduser().is_dir()
        if not named and weights is None:
            raise SuiteError(
                f"features {asked!r}: there is no such folder; write inception, shipped:NAME, a "
                "folder with an open_clip model, package.module:Encoder, or an open_clip "
                "architecture with --weights TAG_OR_FILE"
            )
        encoder = find("encoder", "open_clip").make(name=asked, pretrained=weights)
    return encoder


def _weights(encoder: Any) -> str | None:
    """The start of the weights' checksum, or what else identifies them."""
    found = getattr(encoder, "weights", None)
    known = found() if callable(found) else found
    if isinstance(known, Path):
        known = fingerprint(str(known))
    return None if known is None else re.sub(r"^sha256:(.{12}).*", r"\1", str(known))
