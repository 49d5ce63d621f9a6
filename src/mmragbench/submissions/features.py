"""The features that images are compared on, named on the command line."""

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
    """Features of images: their name in a measure, `FID(name)`, the encoder, and its identity.

    Without an encoder, the name is the user's, for features that another tool computed.
    """

    name: str
    encoder: Encoder | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def label(features: str) -> str:
    """The features' name in a measure: `scenes-clip` for `shipped:scenes/clip`."""
    scheme, _, rest = features.rpartition(":")
    name = Path(rest).name if scheme == "local-dir" or Path(features).is_dir() else rest
    return re.sub(r"[^\w.-]+", "-", name).strip("-") or "features"


def resolve(features: str, weights: str | None = None, unchecked: bool = False) -> Features:
    """The features of a name: `inception` or `inception-logits`; `shipped:scenes/clip`, a folder, or
    an open_clip architecture with its weights (a tag or a file); `package.module:Encoder`.

    Raises:
        SuiteError: nothing has that name, or an architecture without weights.
        NotApplicable: inception's weights are not there.
    """
    encoder = _encoder(features, weights, unchecked)
    facts = {"weights": _weights(encoder), "resize": Traits(encoder).resize}
    return Features(label(features), encoder, facts)


def _encoder(features: str, weights: str | None, unchecked: bool) -> Encoder:
    scheme = features.partition(":")[0]
    encoder: Encoder
    if features in INCEPTION:
        inception = find("encoder", "inception").make
        encoder = inception(weights=weights, unchecked=unchecked, layer=INCEPTION[features])
    elif ":" in features and scheme not in SCHEMES:
        encoder = find("encoder", features).make()
    else:
        named = scheme in SCHEMES or Path(features).expanduser().is_dir()
        if not named and weights is None:
            raise SuiteError(
                f"features {features!r}: there is no such folder; write inception, shipped:NAME, a "
                "folder with an open_clip model, package.module:Encoder, or an open_clip "
                "architecture with --weights TAG_OR_FILE"
            )
        encoder = find("encoder", "open_clip").make(name=features, pretrained=weights)
    return encoder


def _weights(encoder: Any) -> str | None:
    """The start of the weights' checksum, or what else identifies them."""
    weights = getattr(encoder, "weights", None)
    identity = weights() if callable(weights) else weights
    if isinstance(identity, Path):
        identity = fingerprint(str(identity))
    return None if identity is None else re.sub(r"^sha256:(.{12}).*", r"\1", str(identity))
