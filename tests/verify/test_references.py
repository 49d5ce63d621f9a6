"""The published numbers as data: complete, sourced, and about what they say they are about."""

from __future__ import annotations

import re

import pytest
import yaml

from mmragbench.errors import SuiteError
from mmragbench.records import Measure
from mmragbench.registry import find, find_measure
from mmragbench.verify.references import FOLDER, chosen, load

REFERENCES = load()
FAMILIES = {each.family for each in REFERENCES}


def test_every_file_validates_and_says_who_what_and_how():
    """Each reference has a value, a source with its place and version, a protocol, a tolerance."""
    assert {"captions/java", "open_clip/mscoco", "open_clip/flickr30k"} <= FAMILIES
    for each in REFERENCES:
        assert each.tolerance > 0 and each.protocol and each.source.version, each.name
        place = each.source.where
        assert re.search(r"https://|shared data", place), each.name


def test_names_are_unique_and_each_measure_exists():
    """A name is one number; its measure is one of ours."""
    assert len({each.name for each in REFERENCES}) == len(REFERENCES)
    for each in REFERENCES:
        features = "inception" if each.kind == "fid" else None
        measure = Measure.parse(each.measure)
        find_measure(Measure(measure.name, features, measure.cutoff))


def test_what_can_be_run_says_what_it_needs():
    """A reference is either not comparable, or has inputs, needs with a way to get them, and facts
    that our signature must state."""
    for each in REFERENCES:
        if each.differs is None:
            assert each.given and each.needs and "n" in "".join(each.facts), each.name
            assert all(need.get or need.hub for need in each.needs), each.name


def test_ten_checkpoints_at_least_on_both_data_sets():
    """Zero-shot retrieval of the same checkpoints, in both directions, at 1, 5 and 10."""
    for family in ("open_clip/mscoco", "open_clip/flickr30k"):
        own = [each for each in REFERENCES if each.family == family]
        rows = {each.name.rsplit("/", 2)[0] for each in own}
        assert len(rows) >= 10
        assert len(own) == 6 * len(rows)
        assert {each.measure for each in own} == {"Success@1", "Success@5", "Success@10"}


def test_some_values_are_the_tables():
    """Spot checks against open_clip's table, read apart from the file's making."""
    values = {each.name: each.value for each in REFERENCES}
    start = "open_clip/{}/ViT-B-32/laion2b_s34b_b79k/{}/Success@{}"
    assert values[start.format("mscoco", "text-to-image", 5)] == 0.6543
    assert values[start.format("mscoco", "image-to-text", 1)] == 0.5632
    assert values[start.format("flickr30k", "text-to-image", 1)] == 0.6678
    assert values[start.format("flickr30k", "image-to-text", 10)] == 0.9830


def test_values_grow_with_the_cutoff():
    """A hit among the first 5 is one among the first 10: swapped columns would show."""
    runs = {}
    for each in REFERENCES:
        if each.measure.startswith("Success@"):
            key = each.name.rpartition("/")[0]
            runs.setdefault(key, {})[int(each.measure.partition("@")[2])] = each.value
    assert runs
    for name, values in runs.items():
        assert values[1] < values[5] < values[10], name


def test_checkpoints_are_loaded_as_they_were_trained():
    """open_clip has each tag, its weights are in the repository named, and the activation fits:
    `ViT-L-14` with OpenAI's weights is another, worse model without QuickGELU."""
    open_clip = pytest.importorskip("open_clip")
    models = {}
    for each in REFERENCES:
        if each.family.startswith("open_clip/"):
            models[each.name.split("/", 2)[2]] = each
    for name, each in models.items():
        model = each.given["model"]
        tag = open_clip.get_pretrained_cfg(model["name"], model["pretrained"])
        assert each.needs[-1].hub or each.needs[-2].hub, name
        assert tag["hf_hub"].strip("/") in {need.hub for need in each.needs}, name
        config = open_clip.get_model_config(model["name"])
        assert config.get("quick_gelu", False) == tag.get("quick_gelu", False), name
        tokenizer = config["text_cfg"].get("hf_tokenizer_name")
        assert tokenizer is None or tokenizer in {need.hub for need in each.needs}, name


def test_models_and_datasets_exist():
    """What a reference is given is what a suite can name."""
    for each in REFERENCES:
        for kind, key in (("dataset", "dataset"), ("encoder", "model"), ("encoder", "features")):
            if key in each.given:
                assert find(kind, each.given[key]["use"])


@pytest.mark.parametrize(
    "only, expected",
    [
        ("captions", {"captions/java", "captions/python"}),
        ("captions/java", {"captions/java"}),
        ("open_clip/*/ViT-B-32/*", {"open_clip/mscoco", "open_clip/flickr30k"}),
        ("torch-fidelity/fid/cifar10-train-valid/FID", {"torch-fidelity/fid"}),
    ],
)
def test_only_takes_a_name_what_is_below_it_or_a_glob(only, expected):
    """`--only` in its three forms."""
    assert {each.family for each in chosen(REFERENCES, only)} == expected


def test_an_unknown_name_is_an_error_with_the_nearest():
    """It names what there is."""
    with pytest.raises(SuiteError, match=r"Did you mean 'captions/java'"):
        chosen(REFERENCES, "captions/jave")


@pytest.mark.parametrize(
    "break_it",
    [
        lambda content: content["families"][0].update(tolerence=1),
        lambda content: content["families"][0]["rows"]["dev"].update(values=[0.1]),
        lambda content: content.pop("source"),
        lambda content: content["families"][0]["needs"].append({"get": "nothing"}),
    ],
)
def test_a_broken_file_is_named(tmp_path, break_it):
    """A wrong key, a number too few, no source, a need without a thing: the file is refused."""
    content = yaml.safe_load((FOLDER / "two_tower.yaml").read_text())
    break_it(content)
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(SuiteError, match=r"broken\.yaml"):
        load(tmp_path)
