"""Train the five small models of the embedded default on the world's own train split.

    python -m training.scenes.train --work build/scenes

Everything goes on from where it stopped if the command is given again. Nothing is downloaded.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertTokenizer
from transformers.utils import logging

from training.scenes import vocabulary
from training.scenes.examples import load
from training.scenes.lesson import Lesson, Recipe, learn
from training.scenes.train_captioner import CaptionerLesson
from training.scenes.train_clip import SIZE, ClipLesson
from training.scenes.train_reader import ReaderLesson
from training.scenes.train_reranker import RerankerLesson
from training.scenes.train_sentences import SentencesLesson

MODELS = Path(__file__).resolve().parents[2] / "models" / "scenes"

HELD_OUT = 500
RECIPES = {
    "clip": Recipe(steps=2100),
    "captioner": Recipe(steps=5600, warmup=300),
    "sentences": Recipe(steps=500, every=100),
    "reranker": Recipe(steps=3000, warmup=100, every=100),
    "reader": Recipe(steps=7600, rate=1.5e-3, warmup=100),
}


@dataclass
class Course:
    """Where things lie, and the world in memory."""

    world: Path
    work: Path
    out: Path
    images: int

    def prepare(self) -> None:
        """Draw the world unless it is there, load it, and learn its vocabulary."""
        if not (self.world / "annotations" / "instances_train.json").is_file():
            from mmragbench.scenes import write

            write(
                self.world,
                {"train": self.images, "memory": 1500, "queries": 500},
                seed=0,
                workers=2,
            )
        everything = load(self.world, "train", SIZE, self.work)
        self.train, self.held_out = (
            everything.part(slice(HELD_OUT, None)),
            everything.part(slice(HELD_OUT)),
        )
        self.tokenizer = self._tokenizer()

    def lesson(self, name: str) -> Lesson:
        """The lesson of that name."""
        match name:
            case "clip":
                return ClipLesson(self.train, self.held_out, self.tokenizer, self.out / name)
            case "captioner":
                return CaptionerLesson(self.train, self.held_out, self.tokenizer, self.out / name)
            case "sentences":
                return SentencesLesson(self.train, self.held_out, self.tokenizer, self.out / name)
            case "reader":
                eyes, cache = self.out / "captioner", self.work / "reader-looks.pt"
                return ReaderLesson(
                    self.train, self.held_out, self.tokenizer, eyes, self.out / name, cache
                )
        return RerankerLesson(self.train, self.held_out, self._learned_sentences(), self.out / name)

    def _learned_sentences(self) -> SentencesLesson:
        sentences = SentencesLesson(
            self.train, self.held_out, self.tokenizer, self.out / "sentences"
        )
        kept = torch.load(self.work / "sentences.pt", weights_only=True)
        sentences.module.load_state_dict(kept["module"])
        return sentences

    def _tokenizer(self) -> BertTokenizer:
        folder = self.work / "vocabulary"
        if folder.is_dir():
            return AutoTokenizer.from_pretrained(folder)
        return vocabulary.make((text for texts in self.train.captions for text in texts), folder)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("build/scenes"),
        help="world, cache, log and resumable state",
    )
    parser.add_argument(
        "--world", type=Path, help="an existing world (default: WORK/world, drawn if missing)"
    )
    parser.add_argument("--out", type=Path, default=MODELS, help="where the five folders go")
    parser.add_argument("--images", type=int, default=40_000, help="train images to draw")
    parser.add_argument("--only", choices=list(RECIPES), nargs="+", default=list(RECIPES))
    parser.add_argument("--steps", type=int, help="other than the recipe's number of steps")
    parser.add_argument(
        "--minutes",
        type=float,
        help="stop then, the schedule fitted to it, if the steps are not done",
    )
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main() -> None:
    """Train what was asked for, one model after the other."""
    asked = arguments()
    torch.set_num_threads(asked.threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    course = Course(asked.world or asked.work / "world", asked.work, asked.out, asked.images)
    course.prepare()
    for name in asked.only:
        recipe = RECIPES[name]
        learn(course.lesson(name), recipe.within(asked.steps, asked.minutes), asked.work)


if __name__ == "__main__":
    main()
