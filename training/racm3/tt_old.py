"""The picture tokenizer: Emu3's VQ-VAE in small, which turns a picture into codes and back.

    python -m training.racm3.train_tokenizer --work build/racm3 --side 64

A picture of 64 pixels becomes 8 x 8 codes, one of 96 pixels 12 x 12. It goes on from where it stopped
if the command is given again. What decides is `emblem`: how often the shipped `clip`, shown the
reconstruction, finds the right emblem among all of the world's memory.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import open_clip
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Emu3VQVAE, Emu3VQVAEConfig

from training.scenes.examples import STD, Split, load, pixels, shifted
from training.scenes.lesson import Recipe, bfloat16, learn

CLIP = Path(__file__).resolve().parents[2] / "models" / "scenes" / "clip"
CLIP_SIDE = 96


class PlanarGroupNorm(nn.GroupNorm):
    """Group norm over channels-first memory inside a channels-last network: its own kernel for
    channels-last gradients is fifty times slower (torch 2.14 on a CPU)."""

    def forward(self, input: Tensor) -> Tensor:
        """As the class above."""
        return super().forward(input.contiguous()).contiguous(memory_format=torch.channels_last)


def channels_last(module: nn.Module) -> None:
    """Convolutions in the memory layout in which bfloat16 is fast."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            part.to(memory_format=torch.channels_last)
        if type(part) is nn.GroupNorm:
            part.__class__ = PlanarGroupNorm


class Quantised(nn.Module):
    """The VQ-VAE with a gradient through its codes (van den Oord et al. 2017: straight through), and a
    count of how often each code is used, so that one that is not can be moved."""

    def __init__(self, config: Emu3VQVAEConfig) -> None:
        super().__init__()
        self.vq = Emu3VQVAE(config)
        channels_last(self.vq)
        self.register_buffer("uses", torch.ones(config.codebook_size))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstructions (n, 3, side, side), and the loss of quantising; codes move while it trains."""
        with bfloat16():
            latents = self.latents(images.contiguous(memory_format=torch.channels_last))
        latents = latents.float()
        codes = self.vq.quantize(latents)
        if self.training:
            self.move_unused(latents.detach(), codes)
        chosen = self.vq.quantize.embedding(codes).permute(0, 1, 4, 2, 3)
        commitment = functional.mse_loss(chosen.detach(), latents) * 0.25
        loss = commitment + functional.mse_loss(chosen, latents.detach())
        with bfloat16():
            made = self.decoded(latents + (chosen - latents).detach())
        return made.float(), loss

    def latents(self, images: Tensor) -> Tensor:
        """What is quantised: (n, 1, embed_dim, h, w)."""
        states = self.vq.encoder(images.unsqueeze(1))
        return self.vq.quant_conv(states.permute(0, 2, 1, 3, 4)).permute(0, 2, 1, 3, 4)

    def decoded(self, quantised: Tensor) -> Tensor:
        """Pictures of quantised latents."""
        after = self.vq.post_quant_conv(quantised.permute(0, 2, 1, 3, 4)).permute(0, 2, 1, 3, 4)
        return self.vq.decoder(after, quantised)

    @torch.no_grad()
    def move_unused(self, latents: Tensor, codes: Tensor) -> None:
        """Put codes that are hardly used where latents are (as Dhariwal et al. 2020 do)."""
        counts = torch.bincount(codes.flatten(), minlength=len(self.uses)).float()
        self.uses.mul_(0.99).add_(counts, alpha=0.01)
        unused = (self.uses < 0.02).nonzero().flatten()
        rows = latents[:, 0].permute(0, 2, 3, 1).reshape(-1, latents.shape[2])
        self.vq.quantize.embedding.weight[unused] = rows[torch.randint(len(rows), (len(unused),))]
        self.uses[unused] = 1.0


@dataclass
class TokenizerLesson:
    """Reconstruct pictures, to the eye of the shipped `clip` as well as pixel by pixel."""

    train: Split
    held_out: Split
    memory: Split
    config: Emu3VQVAEConfig
    folder: Path
    batch: int = 16
    perceptual: float = 1.0
    name: str = "tokenizer"
    module: Quantised = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.module = Quantised(self.config)
        self.clip = open_clip.create_model_and_transforms(f"local-dir:{CLIP}")[0].eval()
        self.clip.requires_grad_(False)
        channels_last(self.clip)
        self.features: list[Tensor] = []
        for layer in (self.clip.visual.layer1, self.clip.visual.layer2, self.clip.visual.layer3):
            layer.register_forward_hook(lambda _, __, output: self.features.append(output))

    def losses(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """A batch, half of it pictures with an emblem."""
        half = self.batch // 2
        rows = np.concatenate(
            [rng.choice(len(self.train), half), rng.choice(self.train.with_emblem, half)]
        )
        images = pixels(shifted(self.train.images[rows], 3, rng))
        made, quantised = self.module(images)
        return {
            "pixels": functional.l1_loss(made, images) + functional.mse_loss(made, images),
            "quantised": quantised,
            "perceptual": self.perceptual * self._perceptual(made, images),
        }

    def _perceptual(self, made: Tensor, images: Tensor) -> Tensor:
        """Distance between the shipped clip's features, layer by layer, and between its embeddings."""
        seen, wanted = self._features(made), self._features(images)
        layers = [
            functional.mse_loss(a, b) / b.pow(2).mean()
            for a, b in zip(seen[1], wanted[1], strict=True)
        ]
        away = 1 - (seen[0] * wanted[0]).sum(dim=1).mean()
        return torch.stack(layers).mean() + 2 * away

    def _features(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        self.features.clear()
        if images.shape[-1] != CLIP_SIDE:
            images = functional.interpolate(
                images, size=CLIP_SIDE, mode="bicubic", align_corners=False
            )
        with bfloat16():
            embedded = self.clip.encode_image(images, normalize=True)
        return embedded.float(), [layer.float() for layer in self.features]

    @torch.no_grad()
    def measures(self) -> dict[str, float]:
        """On memory pictures, whose emblems no training picture shows."""
        emblems = self.memory.with_emblem
        shown, plain = self.memory.images[emblems], self.held_out.images
        originals, made = self._embedded(shown, False), self._embedded(shown, True)
        truth = self.memory.emblems[emblems]
        error = self._error(plain), self._error(shown)
        return {
            "emblem": right_emblem(made, originals, truth),
            "emblem-original": right_emblem(originals, originals, truth),
            "psnr": -10 * np.log10(error[0]),
            "psnr-emblem": -10 * np.log10(error[1]),
            "codes": float((self.module.uses > 0.05).float().mean()),
        }

    def _embedded(self, images: np.ndarray, reconstructed: bool) -> Tensor:
        batches = pixels(images).split(64)
        return torch.cat(
            [
                self._features(self.module(batch)[0] if reconstructed else batch)[0]
                for batch in batches
            ]
        )

    def _error(self, images: np.ndarray) -> float:
        """Mean squared error of pixels in 0 to 1."""
        batch = pixels(images[:256])
        return float(functional.mse_loss(self.module(batch)[0], batch)) * STD[0] ** 2

    def save(self) -> None:
        """The VQ-VAE's folder."""
        self.module.vq.save_pretrained(self.folder)


def right_emblem(queries: Tensor, pictures: Tensor, emblems: np.ndarray) -> float:
    """How often the mean picture of an emblem (without the query's own) that is nearest to a query is
    that of its own emblem.

    Args:
        queries: embeddings on the unit sphere (n, d), of the pictures or what was made of them.
        pictures: embeddings of the pictures themselves (n, d).
        emblems: which emblem each shows (n).
    """
    names = np.unique(emblems)
    label = torch.from_numpy(np.searchsorted(names, emblems))
    member = functional.one_hot(label, len(names)).float()
    sums = member.T @ pictures
    scores = queries @ functional.normalize(sums, dim=1).T
    own = functional.normalize(sums[label] - pictures, dim=1)
    scores[torch.arange(len(label)), label] = (queries * own).sum(dim=1)
    return float((scores.argmax(dim=1) == label).float().mean())


def configuration(arguments: argparse.Namespace) -> Emu3VQVAEConfig:
    """Emu3's VQ-VAE in small: three halvings, so 8 pixels a code."""
    return Emu3VQVAEConfig(
        codebook_size=arguments.codebook,
        embed_dim=arguments.dimensions,
        latent_channels=arguments.dimensions,
        temporal_downsample_factor=1,
        base_channels=32,
        channel_multiplier=[1, 1, 2, arguments.top],
        num_res_blocks=1,
        attn_resolutions=[],
        hidden_size=32 * arguments.top,
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/racm3"), help="log and state")
    parser.add_argument("--world", type=Path, default=Path("build/scenes/world"))
    parser.add_argument("--side", type=int, default=64, help="of a picture, in pixels")
    parser.add_argument("--codebook", type=int, default=512)
    parser.add_argument("--dimensions", type=int, default=16, help="of a code")
    parser.add_argument(
        "--top", type=int, default=3, help="width of the innermost layers, times 32"
    )
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    splits = {
        name: load(arguments.world, name, arguments.side, arguments.work)
        for name in ("train", "memory")
    }
    train = splits["train"]
    lesson = TokenizerLesson(
        train.part(slice(500, None)), train.part(slice(500)), splits["memory"],
        configuration(arguments), arguments.work / f"tokenizer-{arguments.side}",
    )  # fmt: skip
    count = sum(weight.numel() for weight in lesson.module.vq.parameters())
    print(f"{count:,} parameters", flush=True)
    recipe = Recipe(steps=arguments.steps, rate=1e-3, decay=0.01, every=500, save_seconds=120)
    learn(lesson, recipe, arguments.work / f"side-{arguments.side}")


if __name__ == "__main__":
    main()
