"""Captions of scenes in five voices: terse, in notes, detailed, by mood, in passing."""

from __future__ import annotations

from random import Random

from mmragbench.scenes import phrases as say
from mmragbench.scenes.emblem_voices import EMBLEM_VOICES
from mmragbench.scenes.kinds import KINDS
from mmragbench.scenes.world import Group, Scene


def captions(scene: Scene, rng: Random) -> list[str]:
    """Five captions, one in each voice, in the order of the voices."""
    voices = EMBLEM_VOICES if scene.emblem else (terse, notes, detailed, mood, passing)
    return [say.finish(voice(scene, rng), rng) for voice in voices]


def terse(scene: Scene, rng: Random) -> str:
    """The main things and the place: "two red boats on a lake"."""
    first = scene.groups[0]
    head = say.things(first, rng, size=rng.random() < 0.5)
    if len(scene.groups) > 1 and scene.groups[1].surface == first.surface and rng.random() < 0.45:
        head = say.join(head, "and", say.things(scene.groups[1], rng, size=False))
    where = say.place(scene, first, rng)
    words = say.join(head, where)
    if say.is_short(words) or rng.random() < 0.2:
        words = say.join(words, say.weather(scene, rng))
    return say.join("picture of", words) if say.is_short(words) else words


def notes(scene: Scene, rng: Random) -> str:
    """Catchwords, without articles: "red boats, white duck, lake, cloudy day"."""
    parts = [_noted(group, rng) for group in scene.groups]
    where = say.setting(scene, rng).split(" ", 1)[1]
    when = rng.choice(say.DAY[scene.weather]).split(" ", 1)[1] if scene.weather else ""
    inside = f"{scene.wall} wall" if scene.wall and scene.backdrop != "reef" else ""
    words = ", ".join(part for part in (*parts, where, when or inside) if part)
    if not say.is_short(words) and rng.random() < 0.6:
        return words
    words = ", ".join(part for part in (say.listed(parts), where, when or inside) if part)
    return ("picture of one " if say.is_short("picture of " + words) else "picture of ") + words


def _noted(group: Group, rng: Random) -> str:
    return say.join(
        say.NUMBERS[group.count] if group.count > 1 else "",
        say.named(group, rng, size=False, usual=True),
    )


def detailed(scene: Scene, rng: Random) -> str:
    """Counts, sizes, colours, sides, and the relation of the groups to each other."""
    first = scene.groups[0]
    who, where, verb = say.things(first, rng), say.place(scene, first, rng), say.doing(first, rng)
    if len(scene.groups) == 1:
        side = say.position(first, rng)
        return say.within([who, say.is_are(first), verb, where, side, say.weather(scene, rng)])
    if scene.groups[1].surface != first.surface:
        where = say.place_of_both(scene, *scene.groups[:2])
    start = say.join(who, say.is_are(first), verb) if rng.random() < 0.6 else say.join(who, verb)
    parts = [start, _relation(scene, rng), where]
    if len(scene.groups) == 3:
        parts += [", with " + say.things(scene.groups[2], rng) + " in the air"]
    return say.within([*parts, say.weather(scene, rng)])


def _relation(scene: Scene, rng: Random) -> str:
    """The position of the first group relative to the second, as a phrase."""
    first, second = scene.groups[:2]
    other = say.things(second, rng)
    if scene.in_front:
        return f"in front of {other}"
    if second.surface == "air":
        return f"below {other}"
    if first.surface == "air":
        return f"above {other}"
    side = rng.choice((f"to the {first.where} of", "next to", "beside"))
    if first.surface != second.surface:
        return f"to the {first.where} of {other}"
    return f"{side} {other}"


def mood(scene: Scene, rng: Random) -> str:
    """The place and the weather first, the things after them."""
    first = scene.groups[0]
    with_size, where = rng.random() < 0.3, say.place(scene, first, rng)
    who = say.things(first, rng, size=with_size, loose=True)
    others = [
        say.things(group, rng, colour=rng.random() < 0.5, size=False) for group in scene.groups[1:]
    ]
    if not scene.weather:
        return _mood_inside(scene, [who, *others], rng)
    day = rng.choice(say.DAY[scene.weather])
    if rng.random() < 0.5:
        nearby = say.setting(scene, rng) if first.surface == "air" else where.split(" ", 1)[1]
        preposition = "over" if first.surface == "air" else where.split(" ", 1)[0]
        start = f"{day} {preposition} {nearby} with {who}"
    else:
        start = f"{say.setting(scene, rng)} {say.weather(scene, rng)} with {who}"
    return say.within([start, *("and " + other for other in others)])


def _mood_inside(scene: Scene, who: list[str], rng: Random) -> str:
    if scene.backdrop == "reef":
        start = rng.choice(
            ("a quiet underwater scene", "the blue world under the sea", "deep blue water")
        )
        return f"{start} with {say.listed(who)}"
    quality = rng.choice(say.ROOMS)
    spot = "kitchen" if scene.backdrop == "table" else "room"
    end = "on the table" if scene.backdrop == "table" else ""
    return say.within(
        [f"a {quality} {spot} with {say.listed([f'{say.article(scene.wall)} wall', *who])}", end]
    )


def passing(scene: Scene, rng: Random) -> str:
    """A remark, often without colours, often on the main thing only."""
    first = scene.groups[0]
    plain = say.things(first, rng, colour=rng.random() < 0.35, size=False, loose=True)
    where = say.place(scene, first, rng)
    verb = "there is" if first.count == 1 or plain.startswith("a ") else "there are"
    ways = [
        f"{verb} {plain} {where} in this picture",
        f"you can see {plain} {where} here",
        f"it looks like {plain} {where}",
        f"a picture that shows {plain} {say.doing(first, rng)} {where}",
        f"what a nice view of {plain} {where}",
    ]
    if first.count == 1 and KINDS[first.kind].supercategory == "animal":
        ways.append(f"this {say.noun(first, rng)} seems to be happy {where}")
    if len(scene.groups) > 1:
        ways += [f"{verb} {plain} {where} and {_plain(scene.groups[1], rng)} close by"] * 2
    return rng.choice(ways)


def _plain(group: Group, rng: Random) -> str:
    return say.things(group, rng, colour=False, size=False)
