"""The rules of references, methods and figures for papers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from mmragbench.reporting.facts.forest import Contrast, Forest
from mmragbench.reporting.facts.pareto import Point, Tradeoff
from mmragbench.reporting.facts.strategy_styles import COLOURS, MARKERS, StrategyStyle
from mmragbench.reporting.paper.citing import bibliography, cited, matching, rules
from mmragbench.reporting.paper.figures import forest_plot, tradeoff_plot
from mmragbench.reporting.paper.methods import methods
from mmragbench.reporting.tables.request import Style
from mmragbench.run_folder.reading import Run
from support import stated
from support.paths import ROOT

FULL = Style(note="full")

BIBLIOGRAPHY = ROOT / "src/mmragbench/reporting/paper/bibliography.bib"


def test_the_bibliography_is_valid_bibtex() -> None:
    """pybtex reads every entry; each has a title, authors and a year, and is found under its key."""
    pybtex = pytest.importorskip("pybtex.database", reason="pybtex is not installed")
    parsed = pybtex.parse_file(str(BIBLIOGRAPHY), bib_format="bibtex")
    assert list(parsed.entries) == list(bibliography())
    for key, entry in parsed.entries.items():
        assert entry.fields["title"] and entry.persons["author"], key
        assert re.fullmatch(r"(19|20)\d\d", entry.fields["year"]) and entry.fields["year"] in key
        where = {"inproceedings": "booktitle", "article": "journal", "book": "publisher"}
        assert entry.fields[where.get(entry.type, "howpublished")], key


def test_every_citation_has_an_entry_and_every_entry_is_cited() -> None:
    """`citations.yaml` and `bibliography.bib` name the same works."""
    keys_in_rules = set(rules()["always"])
    for kind in ("measures", "names", "settings"):
        keys_in_rules |= {key for keys in rules()[kind].values() for key in keys}
    assert keys_in_rules == set(bibliography())


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("measures", "CIDEr", "vedantam2015cider"),
        ("measures", "Bleu_4", "papineni2002bleu"),
        ("measures", "FID(inception)", "szegedy2016inception"),
        ("names", "ViT-B-32", "radford2021clip"),
        ("names", "laion2b_s34b_b79k", "schuhmann2022laion"),
        ("names", "all-MiniLM-L6-v2", "wang2020minilm"),
        ("names", "Salesforce/blip-image-captioning-base", "li2022blip"),
        ("names", "llava-hf/llava-1.5-7b-hf", "liu2024llava15"),
        ("names", "flickr30k", "young2014flickr30k"),
        ("names", "flickr8k", "hodosh2013flickr8k"),
        ("settings", "dataset.karpathy=dataset_coco.json", "karpathy2015alignments"),
        ("settings", "dataset.positives=positives/eccv", "chun2022eccv"),
        ("settings", "strategies.my-own.fuse=rrf", "cormack2009rrf"),
    ],
)
def test_what_is_used_is_cited(kind: str, name: str, expected: str) -> None:
    """The works behind what our suites name."""
    assert expected in (matching(rules()[kind], name) or [])


def test_only_what_the_run_used_is_cited(finished: Path) -> None:
    """CIDEr and consensus are; FID and BLIP are not; a model that nobody knows is named."""
    works = cited([Run(finished)])
    assert {"vedantam2015cider", "devlin2015consensus", "holm1979"} <= set(works.keys)
    assert not {"heusel2017fid", "li2022blip", "papineni2002bleu"} & set(works.keys)
    assert "% no entry known for the model colours (support.toy:ColourEncoder)" in works.bibtex()


def test_a_strange_name_cannot_begin_an_entry(changed: Callable[..., Path]) -> None:
    """What follows `@` would be read by BibTeX, and a line break would end the comment."""
    folder = changed(manifest={"models": {"m": {"use": "x", "name": "a\n@book{evil, title={}}"}}})
    text = cited([Run(folder)]).bibtex()
    assert "@book{evil" not in text and "no entry known for the model m (a (at)book" in text


def test_every_number_of_the_methods_is_stored(finished: Path) -> None:
    """Each number of the paragraphs stands in the run's files (a level as a fraction of one)."""
    text = methods([Run(finished)], FULL)
    files = ["manifest.json", "suite.yaml", "summary.json"]
    paths = [finished / name for name in files] + sorted(finished.glob("tasks/*/task.json"))
    stored = set(_numbers("\n".join(path.read_text(encoding="utf-8") for path in paths)))
    numbers = _numbers(re.sub(r"\(×1000?\)|commit \w+", "", text).replace(",", ""))
    assert len(numbers) > 15
    for number in numbers:
        alike = {number, f"{float(number) / 100:g}"} if number.count(".") < 2 else {number}
        assert alike & stored, f"{number} is in none of the files"
    manifest = Run(finished).manifest
    assert manifest["git"] is None or manifest["git"]["commit"][:12] in text


def _numbers(text: str) -> list[str]:
    return [number.rstrip(".") for number in re.findall(r"\d[\d.]*", text)]


def test_the_methods_tell_what_failed(changed: Callable[..., Path]) -> None:
    """Exclusions are counted once for all tasks; failures are counted; zero is said too."""
    text = methods([Run(changed())], Style())
    assert "6 items of the data were left out, and 3 outputs failed." in text
    text = methods([Run(changed(exclusions=[], failures=[]))], Style())
    assert "No item of the data was left out, and no output failed." in text


def test_the_methods_cite_what_the_references_have(finished: Path) -> None:
    """Every `\\citep` key has its entry beside it, and every entry is cited."""
    run = Run(finished)
    keys = {
        key
        for group in re.findall(r"\\citep\{([^\\}]+)\}", methods([run], Style(), into_latex=True))
        for key in group.split(",")
    }
    assert keys == set(cited([run]).keys)
    assert "\\cite" not in methods([run], FULL)


def test_the_methods_are_two_short_paragraphs(finished: Path) -> None:
    """Without settings, which only the full note has, in a third one; in the paper's names."""
    style = Style(names={"shared-space": "CLIP (ours)", "captioning": "Captioning"})
    text = methods([Run(finished)], style)
    assert text.count("\n\n") == 1 and len(text.split()) < 260
    assert "CLIP (ours)" in text and "shared-space" not in text and "Captioning" in text
    full = methods([Run(finished)], FULL)
    first, settings = full.rsplit("\n\n", 1)
    assert f"{first}\n" == methods([Run(finished)], Style())
    assert "document mean" in settings and "document mean" not in first


def test_methods_name_no_path_of_a_machine(finished: Path) -> None:
    """The folder of the data is nobody's business."""
    root = yaml.safe_load((finished / "suite.yaml").read_text())["dataset"]["root"]
    assert root not in methods([Run(finished)], FULL)


def test_weights_that_lie_somewhere_are_named_by_their_end(changed: Callable[..., Path]) -> None:
    """A path says nothing to a reader, and too much about a machine."""
    model = {"use": "x", "name": "/home/ada/weights/all_minilm_l6/model"}
    folder = changed(manifest={"models": {"m": model}})
    assert "m is all_minilm_l6/model by x" in methods([Run(folder)], FULL)
    assert "We use all_minilm_l6/model" in methods([Run(folder)], Style())
    assert "wang2020minilm" in cited([Run(folder)]).keys


def test_features_go_by_their_weights(changed: Callable[..., Path]) -> None:
    """A model that a suite calls `clip` is not CLIP for that."""
    clip = Run(changed())
    assert "kynkaanniemi2023fid" in cited([clip]).keys
    other = changed()
    suite = yaml.safe_load((other / "suite.yaml").read_text())
    suite["models"]["clip"] = {"use": "precomputed", "embeddings": "x.npz"}
    (other / "suite.yaml").write_text(yaml.safe_dump(suite))
    keys = cited([Run(other)]).keys
    assert "heusel2017fid" in keys and "kynkaanniemi2023fid" not in keys


CONTRASTS = (
    Contrast("a $x$", "base", 4.1, 2.0, 6.3, "better", 0.001, 500, None),
    Contrast("<b>", "base", -0.5, None, None, "can't tell", 0.7, 500, 9000),
)
STYLES = {
    name: StrategyStyle(*COLOURS[place], list(MARKERS)[place])
    for name, place in {"a $x$": 0, "<b>": 1, "a": 0, "b": 1}.items()
}


def test_better_is_to_the_right_and_up() -> None:
    """In papers as on the page, also where lower is better: then the axis is turned; a mark is
    filled where the verdict is better or worse."""
    for name, sign in (("CIDEr", 1), ("FID(clip)", -1)):
        measure, lower = stated.measure(name), sign < 0
        forest = Forest("t", "g", 3, "all", measure, "", "base", None, lower, 1, CONTRASTS)
        axes = forest_plot(forest, STYLES).figure().axes[0]
        (worse, x, _), (better, right, _) = ((t.get_text(), *t.xy) for t in axes.texts)
        assert (worse, x, better, right) == ("← worse", 0, "better →", 1)
        ahead, level = axes.transData.transform([(4.1, 0), (0, 0)])
        assert (ahead[0] - level[0]) * sign > 0
        marks = [line for line in axes.lines if len(line.get_xdata()) == 1]
        assert [line.get_markerfacecolor() for line in marks] == ["white", COLOURS[0][0]]
        assert [line.get_color() for line in marks] == [COLOURS[1][0], COLOURS[0][0]]
        points = (Point("a", None, 0.1, 50, 40, 60, True), Point("b", "floor", 0.2, 40, None, None))
        tradeoff = Tradeoff("t", measure, "", "", "latency", "s", lower, points)
        axes = tradeoff_plot(tradeoff, STYLES).figure().axes[0]
        high, low = axes.transData.transform([(0.1, 50), (0.1, 40)])
        assert (high[1] - low[1]) * sign > 0


def test_figures_are_vectors_a_column_wide(tmp_path: Path) -> None:
    """3.3 in; fonts embedded as TrueType; text as text; the same bytes every time."""
    forest = Forest(
        "t", "g", 3, "all", stated.measure("CIDEr"), "×100", "base", "floor", False, 1, CONTRASTS
    )
    points = (Point("a", None, 0.1, 50, 40, 60, True), Point("b", "floor", 0.2, 40, None, None))
    measure = stated.measure("R@1")
    tradeoff = Tradeoff("t", measure, "%", "", "latency", "s per query", False, points)
    for plot, what, texts in (
        (forest_plot, forest, ["a $x$", "<b>", "difference to base in CIDEr (×100)", "← worse"]),
        (tradeoff_plot, tradeoff, ["latency (s per query)", "R@1 (%)", "b (floor)"]),
    ):
        svg, pdf = plot(what, STYLES).save(tmp_path / "x")
        root = ElementTree.parse(svg).getroot()
        assert float(root.attrib["width"].rstrip("pt")) == pytest.approx(3.3 * 72)
        shown = "".join(root.itertext())
        assert all(text in shown for text in texts)
        assert b"/FontFile2" in pdf.read_bytes() and b"/Type3" not in pdf.read_bytes()
        again = plot(what, STYLES).save(tmp_path / "y")
        assert [path.read_bytes() for path in again] == [svg.read_bytes(), pdf.read_bytes()]
