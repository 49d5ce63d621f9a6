"""A client of the loopback server, as short as tests want it."""

from __future__ import annotations

from mmragbench.backends.server.endpoint import Calls
from mmragbench.models.openai import OpenaiChat
from mmragbench.records import Failure, Prompt, Reply
from support.loopback import Loopback

QUICK = Calls(concurrency=4, timeout=0.5, retries=2)
ASK = Prompt(("say red",))


def ask(server: Loopback, prompt: Prompt = ASK, **settings) -> Reply | Failure:
    """The server's answer to one prompt."""
    chat = OpenaiChat("m", server.url, **{"calls": QUICK, **settings})
    (reply,) = chat.chat([prompt])
    return reply
