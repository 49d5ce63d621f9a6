"""Tiny checkpoints of the classes that suites load: random weights, tokenizers trained in memory."""

from support.checkpoints.chats import GATHERING as GATHERING
from support.checkpoints.chats import blip2, fuyu, idefics3, llava, paligemma, qwen2_5_vl, smolvlm
from support.checkpoints.features import inception_network as inception_network
from support.checkpoints.matchers import blip2_itm, blip_itm
from support.checkpoints.painters import emu3, janus, stable_diffusion, stable_diffusion_xl
from support.checkpoints.painters import ip_adapter as ip_adapter
from support.checkpoints.parts import CORPUS as CORPUS
from support.checkpoints.parts import INTERLEAVING as INTERLEAVING

CHATS = {
    f.__name__: f for f in (llava, idefics3, smolvlm, qwen2_5_vl, paligemma, fuyu, blip2, janus)
}
MATCHERS = {f.__name__: f for f in (blip_itm, blip2_itm)}
PAINTERS = {f.__name__: f for f in (stable_diffusion, stable_diffusion_xl, janus, emu3)}
