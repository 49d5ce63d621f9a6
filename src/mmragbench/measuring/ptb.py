"""Caption tokens as COCO's evaluation makes them, without Java.

COCO's caption scores are defined on the output of Stanford's `PTBTokenizer` (CoreNLP 3.4.1, options
`-preserveLines -lowerCase`), from which pycocoevalcap drops a list of punctuation. This is a lexer
with the same output: one regular expression, whose alternatives are the kinds of token, tried in an
order in which the first to match is the longest (Java's rule). It was written from what the Java
program answers, and is tested against it on real captions and on generated ones.

Three things differ. Java reads a whole file, so that a caption ending in an initial
(`John Q.`) keeps its period or not depending on how the *next* caption begins; here the next one is
taken to begin like this one. And line separators other than a newline, which shift all later
captions by one line in pycocoevalcap, are spaces here. And a sign beyond ASCII that is a token of
its own (`½`, `☃`) is one within an address, too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

NAME = "ptb-py"
"""How a signature names this tokeniser."""


def _words(text: str) -> list[str]:
    return text.split()


_TITLES = _words("""
    adj adm adv alex assoc asst atty ave brig capt cf cie cmdr col cpl dept det dr drs elec ens ft
    gen gov govs hon insp invt jos lt maj mfg mlle mme mr mrs ms msgr mt mtg natl pfc ph pres prof
    pvt rep reps rev sen sens sfc sgt spc st ste supt vs wm
""")
"""Words that keep their period and are followed by a name, in any case."""

_ABBREVIATIONS = _words("""
    al ala apr ariz assn aug bhd bldg blvd bros calif co colo conn corp cos ct dak dec esq est etc
    ext feb fla fri ga inc ind intl jan jr jul jun kan kans ky ltd mar md mich minn mo mon mont neb
    nev nov oct okla penn ph.d plc ppte ppty pte ptes pty ptys rd rt sep sept seq sq sr sys tel tenn
    thu thurs tue tues univ va vt wed wis wisc wyo
""")
"""Words that keep their period and may end a sentence, in any case."""

_NAMES = _words("Ark Az Del Ill La Mass Miss Ore Pa Tex Wash")
"""Words that keep it only with a capital: `a mass.` ends a sentence, `Boston, Mass.` need not."""

_STARTERS = _words("""
    A About According Additionally After An As At But Earlier He Her Here However If In It Last Many
    More Mr. Ms. Now Once One Other Our She Since So Some Such That The Their Then There These They
    This We What When While Yet You
""")
"""Words that begin a sentence: an initial before one of them gives up its period."""

_HALVES = {
    "cannot": ("can", "not"),
    "gimme": ("gim", "me"),
    "gonna": ("gon", "na"),
    "gotta": ("got", "ta"),
    "lemme": ("lem", "me"),
    "wanna": ("wan", "na"),
}
_SPELLINGS: dict[str, tuple[str, ...]] = {
    **_HALVES,
    **dict.fromkeys(
        ("?", "!", "\u058a", "\u2010", "\u2011", "’’", "&quot;", "&apos;", "&nbsp;"), ()
    ),
    "(": ("-lrb-",),
    ")": ("-rrb-",),
    "[": ("-lsb-",),
    "]": ("-rsb-",),
    "{": ("-lcb-",),
    "}": ("-rcb-",),
    "&amp;": ("&",),
    "&lt;": ("<",),
    "&gt;": (">",),
    "½": ("1/2",),
    "¼": ("1/4",),
    "¾": ("3/4",),
    "⅓": ("1/3",),
    "⅔": ("2/3",),
    "¢": ("cents",),
    "£": ("#",),
    **dict.fromkeys("€¤₠\x80", ("$",)),
}
"""What a token is written as, where that is not the token itself."""

_L = r"[A-Za-z\u0080-\uffff]"  # a letter; after _Characters, all that is left beyond ASCII is one
_AN = r"[A-Za-z0-9\u0080-\uffff]"  # a letter or a digit
_ACRONYM = r"[A-Za-z](?:\.[A-Za-z])+"
_Q = "['\\x02]"  # an apostrophe; the curly one is \\x02 inside the lexer, as it is no letter
_AUX_START = "(?i:[sdm]|re|ve|ll)"
_AUX = rf"{_AUX_START}(?![A-Za-z])"  # what follows the apostrophe in it's, he'd, I'm, we'll
_PART = rf"(?:[dDoOlL]{_Q}{_AN})?{_AN}+"  # o'clock, l'amour

_HYPHENED = rf"""
    (?:[A-Za-z0-9][A-Za-z0-9.,]*+(?:-(?:{_ACRONYM}\.|[A-Za-z0-9]++))++(?![\u0080-\uffff]
      |(?<=-[dDoOlL]){_Q}{_AN}{_AN})
    |{_AN}+(?:-{_PART})+)
"""  # two-year-old, non-U.S.


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_NAMED = _any(_NAMES + [name.upper() for name in _NAMES])
_STARTED = _any(_STARTERS + [word.upper() for word in _STARTERS])

_WEB = r"""
    <(?:/?[A-Za-z][\w:.-]*+(?:[ ]++[A-Za-z][\w:.-]*+(?:[ ]*+=[ ]*+(?:"[^"]*+"|'[^']*+'))?)*+[ ]*+/?
      |[!?][A-Za-z-][^>]*+)[ ]*+>                                          # <person>, <br />
    |(?i:<|&lt;)?(?i:mailto:)?[A-Za-z0-9][^\s"<>|()]*@
      (?:[^\s"<>|().]+\.)*[^\s"<>|().]+>?                                  # a@b.org
    |(?i:https?)://[^\s"<>|()]+[^\s"<>|.!?()\{\},-]
    |(?:(?i:www)\.(?:[^\s"<>|.!?()\{\},]+\.)+[A-Za-z]{2,4}
      |(?:[^\s"`'|!()\{\}$,-_]+\.)+(?i:com|net|org|edu))  # its range holds capitals and digits
      (?:/[^\s"<>|()]+[^\s"<>|.!?()\{\},-])?
    |@[A-Za-z_][A-Za-z0-9_]*                                               # @name
"""
_NUMBERS = r"""
    (?:\([0-9]{2,3}\)[ ]?|(?:\+\+?)?(?:[0-9]{2,4}[- ])?[0-9]{2,4}[- ])[0-9]{3,4}[- ]?[0-9]{3,5}
      (?![A-Za-z0-9]|-[A-Za-z0-9])                                         # 555 123 4567
    |[0-9]{1,4}[- ][0-9]{1,4}\\?/[0-9]{1,4}                                # 1 1/2
    |[0-9]{1,2}[-/][0-9]{1,2}[-/][0-9]{2,4}                                # 12/25-2013
"""
_WORDS = rf"""
    [A-Za-z0-9]+(?:-[A-Za-z]+){{0,2}}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){{0,2}}){{1,2}}   # and/or
    |[A-Za-z]*?[A-MO-Za-mo-z](?=[nN]['`\x02][tT])|[nN]['`\x02][tT](?![A-Za-z])           # do n't
    |[dDoOlL]{_Q}(?!{_AUX}){_AN}{_AN}+(?:-{_PART})*                                   # o'clock
    |[A-Za-z]+[aeiouyAEIOUY]{_Q}(?!{_AUX})[aeiouA-Z][A-Za-z]*|(?i:c{_Q}est)      # Hawai'i
    |[A-HJ-XZn]{_Q}(?!{_AUX})[A-Za-z]{{2,}}                                   # A'dog
    |{_HYPHENED}(?:\.(?=[,;:]))?
    |(?:{_L}{_AN}*(?:[.!?]{_L}{_AN}*)+|{_AN}+)\.(?=[,;:])                  # end.,
    |[0-9]{_AN}*(?:[._]{_AN}+)*\.(?:jpe?g|png|gif|mp[34]|txt|pdf|[ch])(?!{_AN}) # 1.jpg
    |{_AN}+_{_AN}+(?:[_-]{_AN}+)*                                            # a_b
    |[-+]?[0-9]*(?:[.:,][0-9]+)+                                           # 10:30, 1,000, .5
    |\x02\x02|(?i:{_Q}n(?:{_Q}|(?=\s)|(?<=\x02n))|(?:y{_Q}(?=[a-z])|[djl]{_Q}|ol{_Q})(?!{_AUX_START})
      |(?:dunk|someth)in{_Q}(?!{_AUX_START})|{_Q}em|c{_Q}mon|ev{_Q}ry|li{_Q}l|nat{_Q}l|{_Q}till?
      |{_Q}cause|s{_Q}mores|nor{_Q}easter|cont{_Q}d\.)
    |'{_AUX}|\x02{_AUX_START}|(?i:(?<=more){_Q}n(?![a-z])|{_Q}t(?=is|was))
    |{_Q}(?:[2-9]0s|[0-9][0-9](?=\s))                                      # '90s, '05
"""
_PERIODS = rf"""
    (?i:{_any(_TITLES)})\.(?!{_L})
    |(?:(?i:{_any(_ABBREVIATIONS)})|{_NAMED})\.(?!{_L}(?:{_AN}|[.!?]{_L}))
    |(?i:nos?|art|ca|figs?|op|pp|prop)\.(?=\s?[0-9])                       # No. 5
    |{_ACRONYM}\.(?!{_L})
    |[A-Za-z]\.(?!{_L}|\s+(?:<[A-Za-z/!?]|(?:{_STARTED})\s))                        # J. Smith
"""
_REST = rf"""
    (?P<ampersand>[A-Z]+(?:(?:(?i:&amp;)|[+&])[A-Z]+)+)|[A-Z]+\$|[Cc]\+\+|[CcFf]\#  # AT&T
    |{_L}{_AN}*(?:[.!?]{_L}{_AN}*)*|{_AN}+|[-+][0-9]+
    |\#{_L}+|&(?:\#[0-9]+|(?i:amp|lt|gt|quot|apos|nbsp)|[aeiouAEIOU](?:acute|grave|uml));
    |[<>]?[:;=]['o*-]?[()DPdpO\\\]@|\{{\[](?![A-Za-z0-9])                    # :-)
    |[-^x=~<>']_[-^x=~<>']|\([-^x=~<>'][_.-]?[-^x=~<>']\)                  # ^_^
    |(?P<punctuation>-{{1,4}}(?!-)|\.{{3,5}}|\.|[,:;]|''|["'`\x02])
    |-+|\\?\*+|[?!]+|<<|>>|_+|\#+|@+
    |[!-~\u0080-\uffff]
"""
_SIMPLE = r"[A-Za-z]++(?=[ ])"  # most tokens: tried first, for speed
_LEXER = re.compile("|".join((_SIMPLE, _NUMBERS, _WORDS, _PERIODS, _REST)), re.VERBOSE)
_ADDRESS = re.compile(_WEB, re.VERBOSE)
_ON_THE_WEB = re.compile(r"[<@]|https?://|www\.|\.(?:com|net|org|edu)", re.IGNORECASE)
_CONTRACTED = re.compile("\x02(?:[sdmt]|re|ve|ll)|n\x02t")
_PLAIN = re.compile(r"([A-Za-z]+(?: [A-Za-z]+)*) ?(\.?)")
_PERIOD_KEPT = frozenset(_TITLES + _ABBREVIATIONS) | frozenset(name.lower() for name in _NAMES)

_QUOTES = dict.fromkeys("\x91‘‛", "`") | dict.fromkeys("\x92’", "\x02") | dict.fromkeys("‹›", " ` ")
_QUOTES |= dict.fromkeys("\x93\x94“”«»", '"')
_DASHES = dict.fromkeys("\x96\x97–—―", " -- ")
_SYMBOLS = (
    (0x80, 0x80), (0xA1, 0x481), (0x483, 0x58C), (0x590, 0x60C), (0x610, 0x61C), (0x61E, 0x66A),
    (0x66D, 0x7F8), (0x964, 0x965), (0xE3F, 0xE3F), (0xE4F, 0xE4F), (0x1FBD, 0x1FBD),
    (0x2016, 0x2017), (0x201A, 0x201A), (0x201E, 0x2023), (0x2030, 0x203B), (0x203E, 0x2042),
    (0x2044, 0x2044), (0x2070, 0x208E), (0x20A0, 0x20A0), (0x20A4, 0x20A4), (0x20AC, 0x20AC),
    (0x2100, 0x214F), (0x2153, 0x215E), (0x2190, 0x2BFF), (0x3001, 0x3002), (0x3012, 0x3012),
    (0x30FB, 0x30FB), (0xFF01, 0xFFE1), (0xFFE5, 0xFFE6),
)  # fmt: skip
"""Where signs are tokens of their own; elsewhere Java does not know them and leaves them out."""
_LETTERS = frozenset("͵΄΅϶՚՛՜՝՞՟۞۩۽۾˂˃˄˅˭") | {
    chr(code) for first, last in ((0x2D2, 0x2DF), (0x2E5, 0x2EB), (0x2EF, 0x2FF))
    for code in range(first, last + 1)
}  # fmt: skip
"""Signs that Java takes for letters."""
_EDGES = re.compile(r"(?<!\w)[\u058a\u2010\u2011]+|[\u058a\u2010\u2011]+(?!\w)")
"""Hyphens beyond ASCII that join nothing: Java drops them."""


_UNKNOWN = 0x100000
"""Added to a character that Java leaves out, except in addresses: the lexer knows none so high."""
_MOVED = re.compile(r"[\U00100000-\U0010ffff]")


class _Characters(dict[int, str]):
    """What a character beyond ASCII becomes before the lexer sees it; filled as they are met."""

    def __missing__(self, code: int) -> str:
        self[code] = self._replacement(code)
        return self[code]

    @staticmethod
    def _replacement(code: int) -> str:
        char, kind = chr(code), unicodedata.category(chr(code))
        if code < 0x80 or char in "\u058a\u2010\u2011" or char in _LETTERS:
            return char
        if char in _QUOTES:
            return _QUOTES[char]
        if char in _DASHES:
            return _DASHES[char]
        if char in "\xad…":
            return "" if char == "\xad" else " ... "
        if code < 0x10000 and (kind[0] in "LM" or kind == "Nd") and not 0xFE00 <= code <= 0xFE0F:
            return char
        if kind[0] in "PSN" and any(first <= code <= last for first, last in _SYMBOLS):
            return f" {char} "
        if kind == "Zs" or char in "\x85\u2028\u2029":
            return " "
        return char if code > 0xFFFF else chr(code + _UNKNOWN)


_CHARACTERS = _Characters()


def tokenize(caption: str) -> list[str]:
    """The caption's tokens: lower case, punctuation dropped.

    A token may hold a no-break space (`1 1/2` is one token), as Java's may.
    """
    return line(caption).split(" ") if line(caption) else []


def lines(captions: Sequence[str]) -> list[str]:
    """`line` of each."""
    return [line(caption) for caption in captions]


@lru_cache(maxsize=1 << 17)
def line(caption: str) -> str:
    """The tokens joined by spaces: what pycocoevalcap's tokeniser hands to its scorers."""
    plain = _PLAIN.fullmatch(caption)
    if plain is not None:
        words = plain[1].lower().split(" ")
        if _HALVES.keys().isdisjoint(words) and not (plain[2] and _keeps_period(words[-1])):
            return " ".join(words)
    return " ".join(_scan(caption))


def _keeps_period(word: str) -> bool:
    return len(word) == 1 or word in _PERIOD_KEPT


def _scan(caption: str) -> list[str]:
    text = caption.replace("\n", " ")
    if not text.isascii():
        text = _EDGES.sub(" ", text).translate(_CHARACTERS)
    following = "A " if text[:1].isupper() else "a "
    matches = _with_addresses if _ON_THE_WEB.search(text) else _LEXER.finditer
    tokens: list[str] = []
    for match in matches(f"{text}\n{following}"):
        if match.start() >= len(text):
            break
        if match.lastgroup is None:
            tokens += _spell(match[0].lower())
        elif match.lastgroup == "ampersand":
            tokens.append(match[0].lower().replace("&amp;", "&"))
    return tokens


def _with_addresses(text: str) -> Iterator[re.Match[str]]:
    """The lexer's matches, except that an address is one token where no other is longer."""
    position = 0
    while position < len(text):
        matches = _ADDRESS.match(text, position), _LEXER.match(text, position)
        longest = max(filter(None, matches), key=re.Match.end, default=None)
        if longest is not None:
            yield longest
        position = longest.end() if longest else position + 1


def _spell(token: str) -> tuple[str, ...]:
    if "\x02" in token:
        token = token.replace("\x02", "'" if _CONTRACTED.fullmatch(token) else "’")
    if token in _SPELLINGS:
        return _SPELLINGS[token]
    if token.isalnum():
        return (token,)
    token = token.replace("(", "-lrb-").replace(")", "-rrb-").replace(" ", "\xa0")
    return (_MOVED.sub(lambda moved: chr(ord(moved[0]) - _UNKNOWN), token),)
