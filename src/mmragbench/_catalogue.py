"""The catalogues: folders at the root of a checkout, subpackages in a wheel."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parents[1]


def folders(name: str) -> list[Path]:
    """The folders of a catalogue: in the package, and in a checkout's root."""
    checkout = ROOT / name
    adopted = (ROOT / "pyproject.toml").is_file() and checkout.is_dir()
    return [PACKAGE / name, *([checkout] if adopted else [])]


def adopt(package: str, path: list[str]) -> None:
    """Append the checkout's folder of the same name to a subpackage's `__path__`.

    In a checkout, `strategies/shared_space.py` becomes `mmragbench.strategies.shared_space`. In an
    installed wheel the same files already lie in the package, and nothing is added.
    """
    path.extend(map(str, folders(package.rpartition(".")[2])[1:]))
