"""Phrases that captions are composed of: noun phrases, places, weather, and sentence endings."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from mmragbench.scenes.backdrops import BACKDROPS
from mmragbench.scenes.kinds import KINDS
from mmragbench.scenes.world import Group, Scene

FEWEST_WORDS, MOST_WORDS = 6, 22

NUMBERS = ("no", "one", "two", "three", "four")
_SIZE_WORDS = {"small": ("small", "little", "tiny"), "large": ("large", "big", "huge")}
_LOOSE_COUNTS = {
    2: ("a couple of", "a pair of", "two"),
    3: ("a group of three", "three"),
    4: ("a group of four", "four"),
}

WEATHER = {
    "sunny": ("on a sunny day", "in bright sunshine", "under the sun"),
    "cloudy": ("on a cloudy day", "under white clouds", "under a gray sky"),
    "rain": ("in the rain", "on a rainy day", "under dark rain clouds"),
    "snow": ("while snow is falling", "on a snowy day", "in falling snow"),
    "sunset": ("at sunset", "under a purple evening sky", "as the sun goes down"),
    "night": ("at night", "under the moon and stars", "under a starry sky"),
    "rainbow": ("under a rainbow", "with a rainbow in the sky", "below a bright rainbow"),
}
DAY = {
    "sunny": ("a sunny day", "a bright day", "a warm and sunny day"),
    "cloudy": ("a cloudy day", "a gray day"),
    "rain": ("a rainy day", "a wet and rainy day"),
    "snow": ("a snowy day", "a cold and snowy day"),
    "sunset": ("a calm evening", "a colorful evening", "a purple evening"),
    "night": ("a quiet night", "a starry night", "a dark night with a full moon"),
    "rainbow": ("a day with a rainbow", "a bright day with a rainbow"),
}
ROOMS = ("cozy", "quiet", "bright", "simple")
POSITIONS = {
    "left": ("on the left", "on the left side"),
    "right": ("on the right", "on the right side"),
    "middle": ("in the middle", "in the center"),
}


def article(words: str) -> str:
    """The words with "a" or "an" before them."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def noun(group: Group, rng: Random, usual: bool = False) -> str:
    """The group's noun in singular or plural; sometimes another word than the usual one."""
    words = KINDS[group.kind].words
    pair = words[0] if usual or rng.random() < 0.6 else rng.choice(words)
    return pair[group.count > 1]


def things(
    group: Group, rng: Random, colour: bool = True, size: bool = True, loose: bool = False
) -> str:
    """The group as a noun phrase: "two small red boats", "a tree with orange leaves"."""
    return _count(group, named(group, rng, colour, size), rng if loose else None)


def named(
    group: Group, rng: Random, colour: bool = True, size: bool = True, usual: bool = False
) -> str:
    """The group's noun with its adjectives, without a count: "small red boats"."""
    kind = KINDS[group.kind]
    words = [rng.choice(_SIZE_WORDS[group.size])] if size and group.size else []
    has_colour = colour and len(kind.colours) > 1
    if has_colour and not kind.part:
        words.append(group.colour)
    words.append(noun(group, rng, usual))
    if has_colour and kind.part:
        words.append("with " + _part(group, kind.part))
    return " ".join(words)


def _part(group: Group, part: str) -> str:
    if part.endswith("s"):
        return f"{group.colour} {part}"
    return article(f"{group.colour} {part}") if group.count == 1 else f"{group.colour} {part}s"


def _count(group: Group, words: str, rng: Random | None) -> str:
    if group.count == 1:
        return article(words)
    number = rng.choice(_LOOSE_COUNTS[group.count]) if rng else NUMBERS[group.count]
    return f"{number} {words}"


def is_are(group: Group) -> str:
    """The verb's number."""
    return "is" if group.count == 1 else "are"


def doing(group: Group, rng: Random) -> str:
    """A participle that is true of the group."""
    return rng.choice(KINDS[group.kind].doing)


def place(scene: Scene, group: Group, rng: Random) -> str:
    """The group's place as a phrase: "on a lake"; mostly in the usual words."""
    ways = BACKDROPS[scene.backdrop].at[group.surface]
    return ways[0] if rng.random() < 0.5 else rng.choice(ways)


def place_of_both(scene: Scene, first: Group, second: Group) -> str:
    """The place of two groups on different surfaces: that of the one that is not in the air, in its usual words."""
    return BACKDROPS[scene.backdrop].at[(second if first.surface == "air" else first).surface][0]


def setting(scene: Scene, rng: Random) -> str:
    """The scene's place as a noun: "a lake"."""
    return rng.choice(BACKDROPS[scene.backdrop].nouns)


def weather(scene: Scene, rng: Random) -> str:
    """The weather as an adverbial; indoors the wall; under water nothing."""
    if scene.weather:
        return rng.choice(WEATHER[scene.weather])
    return f"with {article(scene.wall)} wall behind" if scene.backdrop != "reef" else ""


def position(group: Group, rng: Random) -> str:
    """The side of the image that the group is on; empty for the whole width."""
    return rng.choice(POSITIONS[group.where]) if group.where else ""


def join(*parts: str) -> str:
    """The parts that are not empty, joined by spaces, without spaces before commas."""
    return " ".join(part for part in parts if part).replace(" ,", ",")


def listed(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def within(parts: Sequence[str]) -> str:
    """The parts joined; of more than `MOST_WORDS` words, the last parts are left out, but never the first."""
    remaining = [part for part in parts if part]
    while len(remaining) > 1 and len(join(*remaining).split()) > MOST_WORDS:
        remaining.pop()
    return join(*remaining)


def is_short(words: str) -> bool:
    """Whether a caption needs more words."""
    return len(words.split()) < FEWEST_WORDS


def finish(words: str, rng: Random) -> str:
    """A caption as someone would type it: mostly with a capital, often with a full stop."""
    text = words.strip(" ,")
    if rng.random() < 0.8:
        text = text[0].upper() + text[1:]
    return text + ("." if rng.random() < 0.6 else "")
