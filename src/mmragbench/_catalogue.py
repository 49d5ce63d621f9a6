"""The root folders of a checkout, adopted as subpackages."""

from pathlib import Path


def adopt(package: str, path: list[str]) -> None:
    """Append the checkout's folder of the same name to a subpackage's `__path__`.

    In a checkout, `strategies/shared_space.py` becomes `mmragbench.strategies.shared_space`. In an
    installed wheel the same files already lie in the package, and nothing is added.
    """
    root = Path(__file__).resolve().parents[2]
    folder = root / package.rpartition(".")[2]
    if (root / "pyproject.toml").is_file() and folder.is_dir():
        path.append(str(folder))
