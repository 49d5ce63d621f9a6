"""The network behind FID."""

from __future__ import annotations

from typing import Any


def inception_network() -> Any:
    """torch-fidelity's InceptionV3 with random weights."""
    from io import BytesIO

    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Network(FeatureExtractorInceptionV3):
        def load_state_dict(self, *_: object) -> None:
            """Keep the random weights."""

    empty = BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    torch.manual_seed(0)
    return Network("random", ["2048"], feature_extractor_weights_path=empty)
