"""Train the small RA-CM3 and its twin without retrieval, from nothing.

    python -m training.racm3.train --work build/racm3

The world is drawn, the picture tokenizer trained, every picture turned into codes, neighbours found by
the shipped `clip`, then the decoder and its twin trained, one beside the other with `--only`. Everything
goes on from where it stopped if the command is given again. Nothing is downloaded.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, Emu3VQVAE
from transformers.utils import logging

from training.racm3 import neighbours
from training.racm3.sequences import Marks, Sequences
from training.racm3.train_decoder import FACTOR, DecoderLesson, make_processor
from training.racm3.train_tokenizer import TokenizerLesson
from training.scenes.examples import Split, load, pixels
from training.scenes.lesson import Recipe, learn
from training.scenes.pages import Captions
from training.scenes.train_clip import SIZE

MODELS = Path(__file__).resolve().parents[2] / "models" / "scenes"
HELD_OUT = 500
STAGES = ("tokenizer", "racm3", "racm3-twin")
TOKENIZER = Recipe(steps=4_500, rate=1e-3, decay=0.01, every=500, save_seconds=120)
DECODER = Recipe(steps=3_000, rate=2e-3, warmup=200, every=250, save_seconds=180)


@dataclass
class Course:
    """Where things lie, and the world in memory."""

    world: Path
    work: Path
    out: Path
    side: int
    device: str

    def prepare(self) -> None:
        """Draw the world unless it is there, and load it."""
        if not (self.world / "annotations" / "instances_train.json").is_file():
            from mmragbench.scenes import write

            sizes = {"train": 40_000, "memory": 1500, "queries": 500}
            write(self.world, sizes, seed=0, workers=2)
        everything = self._load("train", self.side)
        self.train = everything.part(slice(HELD_OUT, None))
        self.held_out = everything.part(slice(HELD_OUT))
        self.memory = self._load("memory", self.side)

    def tokenizer(self) -> TokenizerLesson:
        """The lesson of the picture tokenizer."""
        return TokenizerLesson(self.train, self.held_out, self.memory, self.work / "tokenizer")

    def decoder(self, name: str) -> DecoderLesson:
        """The lesson of the decoder, or of its twin that never sees a document."""
        vq = self.work / "tokenizer"
        codebook = Emu3VQVAE.from_pretrained(vq).config.codebook_size
        processor = make_processor(
            AutoTokenizer.from_pretrained(neighbours.CLIP), self.side, codebook
        )
        encode = lambda texts: processor.tokenizer(texts, add_special_tokens=False).input_ids  # noqa: E731
        marks = Marks.of(processor, self.side // FACTOR)
        return DecoderLesson(
            self._sequences("train", self.train, marks, encode),
            self._sequences("memory", self.memory, marks, encode),
            processor,
            vq,
            self.out / name,
            most_documents=0 if name.endswith("twin") else 2,
            device=self.device,
            name=name,
        )

    def _sequences(self, name: str, split: Split, marks: Marks, encode) -> Sequences:
        large = self._load(name, SIZE).images[-len(split) :]
        near = neighbours.find(split, large, self.work / f"neighbours-{name}.npy")
        return Sequences(split, Captions(split, encode), self._codes(name, split), near, marks)

    def _codes(self, name: str, split: Split) -> np.ndarray:
        """The codes of a split's pictures, (n, rows, columns); computed once."""
        cache = self.work / f"codes-{name}.npy"
        if not cache.is_file():
            np.save(cache, codes(self.work / "tokenizer", split.images))
        return np.load(cache)

    def _load(self, name: str, side: int) -> Split:
        return load(self.world, name, side, self.work)


@torch.inference_mode()
def codes(tokenizer: Path, images: np.ndarray, batch: int = 250) -> np.ndarray:
    """The codes of pictures given as bytes (n, side, side, 3): (n, rows, columns), int16."""
    model = Emu3VQVAE.from_pretrained(tokenizer).eval()
    sizes = np.full((batch, 2), images.shape[1])
    parts = []
    for at in range(0, len(images), batch):
        part = images[at : at + batch]
        parts += model.encode(pixels(part), sizes[: len(part)]).image_tokens
    return torch.stack(parts).to(torch.int16).numpy()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/racm3"), help="caches, log, state")
    parser.add_argument("--world", type=Path, default=Path("build/scenes/world"))
    parser.add_argument("--out", type=Path, default=MODELS, help="where the two folders go")
    parser.add_argument("--side", type=int, default=64, help="of a picture, in pixels")
    parser.add_argument("--only", choices=STAGES, nargs="+", default=list(STAGES))
    parser.add_argument("--steps", type=int, help="other than the recipe's number of steps")
    parser.add_argument("--device", default="cpu", help="of the decoder's training: cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main() -> None:
    """Train what was asked for, one after the other."""
    asked = arguments()
    torch.set_num_threads(asked.threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    course = Course(asked.world, asked.work, asked.out, asked.side, asked.device)
    course.prepare()
    for stage in asked.only:
        if stage == "tokenizer":
            learn(course.tokenizer(), TOKENIZER.within(asked.steps, None), asked.work)
        else:
            learn(course.decoder(stage), DECODER.within(asked.steps, None), asked.work)


if __name__ == "__main__":
    main()
