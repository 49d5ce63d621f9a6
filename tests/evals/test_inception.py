"""FID's network: weights are checked before they are opened, and never unpickled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mmragbench.errors import DataError, NotApplicable
from mmragbench.models.inception import WEIGHTS, Inception
from mmragbench.records import Image, Text
from support import checkpoints

torch = pytest.importorskip("torch")
pytest.importorskip("torch_fidelity")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, torch.nn.Module]]:
    network = checkpoints.inception_network()
    path = tmp_path_factory.mktemp("weights") / WEIGHTS
    torch.save(network.state_dict(), path)
    yield path, network
    path.unlink()


@pytest.fixture
def pictures(tmp_path: Path) -> list[Image]:
    import PIL.Image

    rng = np.random.default_rng(0)
    images = []
    for i, size in enumerate([(40, 30), (40, 30), (64, 64), (40, 30)]):
        path = tmp_path / f"{i}.png"
        PIL.Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
        images.append(Image(str(i), path))
    return images


def opened(image: Image) -> np.ndarray:
    import PIL.Image

    return np.array(PIL.Image.open(image.path).convert("RGB"))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """More threads than free cores make a small network wait for itself."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def plain_intake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures come through Pillow alone here."""
    import PIL.Image

    monkeypatch.setattr(Image, "open", lambda self: PIL.Image.open(self.path).convert("RGB"))


def test_features_are_torch_fidelitys(
    weights: tuple[Path, torch.nn.Module], pictures: list[Image]
) -> None:
    """2,048 features a picture, as the network gives them for each picture alone."""
    path, network = weights
    actual = Inception(path, unchecked=True).encode_images(pictures)
    expected = [
        network(torch.from_numpy(opened(image)).permute(2, 0, 1)[None])[0][0].numpy()
        for image in pictures
    ]
    assert (actual.shape, actual.dtype) == ((4, 2048), np.float32)
    np.testing.assert_allclose(actual, np.stack(expected), rtol=1e-4, atol=1e-6)


def test_no_pictures(weights: tuple[Path, torch.nn.Module]) -> None:
    """No pictures are no rows."""
    assert Inception(weights[0], unchecked=True).encode_images([]).shape == (0, 2048)


def test_another_file_is_refused(weights: tuple[Path, torch.nn.Module]) -> None:
    """A file that is not the published one is refused before it is opened."""
    with pytest.raises(DataError, match="not the published file"):
        Inception(weights[0])


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    """A pickle with code in it is refused, also when it is accepted unchecked."""
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]

    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Evil(), protocol=2))
    picture = tmp_path / "p.png"
    import PIL.Image

    PIL.Image.new("RGB", (8, 8)).save(picture)
    with pytest.raises(DataError, match="does not hold"):
        Inception(path, unchecked=True).encode_images([Image("p", picture)])
    assert not (tmp_path / "ran").exists()


def test_missing_weights_say_where_to_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that names the place and the address."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(NotApplicable, match=f"{tmp_path}.*github.com/toshas"):
        Inception()


def test_texts_are_not_applicable(weights: tuple[Path, torch.nn.Module]) -> None:
    """It reads images only."""
    with pytest.raises(NotApplicable, match="images only"):
        Inception(weights[0], unchecked=True).encode_texts([Text("t", "a")])
