"""Which candidates a profile gets, their refinements and ensembles, in words and as scripts."""

import ast
import dataclasses
import json
from functools import cache
from itertools import product

import pytest

from agents.recipes import scripts as joining
from agents.recipes.catalogue import (
    Candidate,
    InputKind,
    InputProfile,
    candidates,
    describe,
    ensemble,
    refinements,
    scripts,
)
from agents.recipes.sources.problem import FAMILIES
from agents.recipes.specification import members_of
from agents.vocabulary import TaskType


def profile(kind: InputKind, task: TaskType, alphabet: str = "dna", *, fixed_length: bool = False) -> InputProfile:
    text = {InputKind.SEQUENCE: ("s",), InputKind.SEQUENCE_PAIR: ("s", "t")}.get(kind, ())
    return InputProfile(
        kind=kind,
        sequence_columns=text,
        alphabet=dict.fromkeys(text, alphabet),
        numeric_columns=() if text else ("a", "b"),
        categorical_columns=("c",),
        rows=500,
        task_type=task,
        classes={TaskType.BINARY: 2, TaskType.MULTICLASS: 4, TaskType.REGRESSION: 0}[task],
        fixed_length=fixed_length,
    )


TEXT = (InputKind.SEQUENCE, InputKind.SEQUENCE_PAIR)
PROFILES = [
    pytest.param(
        profile(kind, task, alphabet, fixed_length=fixed), id=f"{kind}-{task}-{alphabet}{'-fixed' if fixed else ''}"
    )
    for kind, task in product(InputKind, TaskType)
    for alphabet, fixed in (product(("dna", "protein"), (False, True)) if kind in TEXT else [("no text", False)])
]
LINEAR = {"logistic", "ridge", "elastic_net", "svm", "linear_svm", "pls"}
TREES = {"hist_gradient_boosting", "extra_trees", "random_forest"}


PARSE_ONCE = cache(joining._parse)


@pytest.fixture(autouse=True)
def _each_source_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script is joined of modules thousands of times here; they stay what they are meanwhile."""
    monkeypatch.setattr(joining, "_parse", PARSE_ONCE)


@pytest.mark.parametrize("inputs", PROFILES)
def test_candidates_are_distinct_and_differ_in_kind(inputs: InputProfile) -> None:
    found = candidates(inputs)
    families = {candidate.family for candidate in found}
    assert len({candidate.combination for candidate in found}) == len(found) >= 8
    assert len({candidate.representation for candidate in found}) >= 2
    assert families & LINEAR
    assert families & TREES
    assert families - LINEAR - TREES
    assert found[0].family in ("logistic", "ridge")
    assert len({candidate.family for candidate in found[:3]}) == 3


@pytest.mark.parametrize("inputs", PROFILES)
def test_refinements_change_one_thing(inputs: InputProfile) -> None:
    for candidate in candidates(inputs):
        changed = refinements(inputs, candidate)
        assert candidate not in changed
        assert len(set(changed)) == len(changed)
        for one in changed:
            assert one.family == candidate.family
            before, after = dict(candidate.hyperparameters), dict(one.hyperparameters)
            different = {name for name in before | after if before.get(name) != after.get(name)}
            if one.representation == candidate.representation:
                assert len(different) == 1
            else:
                assert all(name.startswith("features.") for name in different)
            scripts(inputs, one, seed=1, metric="AUROC")


@pytest.mark.parametrize("inputs", PROFILES)
def test_scripts_are_self_contained_and_define_each_name_once(inputs: InputProfile) -> None:
    found = candidates(inputs)
    for candidate in (*found, ensemble(inputs, found[:3])):
        texts = scripts(inputs, candidate, seed=7, metric="MCC")
        assert set(texts) == {"features.py", "train.py", "inference.py"}
        for name, text in texts.items():
            tree = ast.parse(text)
            assert ast.get_docstring(tree), name
            assert "agents" not in text
            defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
            assigned = [ast.unparse(node.targets[0]) for node in tree.body if isinstance(node, ast.Assign)]
            assert len({*defined, *assigned}) == len(defined) + len(assigned), name


def test_the_settings_stand_in_train_py_as_a_literal() -> None:
    inputs = profile(InputKind.SEQUENCE, TaskType.MULTICLASS, "protein")
    candidate = Candidate("kmers", "svm", {"C": 3.0, "features.k": 3})
    text = scripts(inputs, candidate, seed=7, metric="MCC")["train.py"]
    config = next(node for node in ast.parse(text).body if isinstance(node, ast.AnnAssign))
    assert config.value is not None
    settings = ast.literal_eval(config.value)
    assert (settings["seed"], settings["metric"], settings["classes"]) == (7, "MCC", 4)
    member = settings["members"][0]
    assert member["settings"] == {"C": 3.0}
    assert member["features"][0]["options"]["k"] == 3


@pytest.mark.parametrize("inputs", PROFILES)
def test_every_candidate_is_described(inputs: InputProfile) -> None:
    found = candidates(inputs)
    for candidate in (*found, ensemble(inputs, found[:2])):
        words = describe(inputs, candidate)
        assert words.representation
        assert words.architecture
        assert words.regularisation
        assert words.reason
        assert all(words.fitted_on_train_only)


def test_an_ensemble_names_its_members_and_gives_them_back() -> None:
    inputs = profile(InputKind.TABLE, TaskType.BINARY)
    members = [candidates(inputs)[0], Candidate("raw_values", "extra_trees", {"n_estimators": 600})]
    joined = ensemble(inputs, members)
    assert joined.combination == "mean of standardised columns + logistic regression & raw columns + extra trees"
    assert members_of(joined) == members
    assert refinements(inputs, joined) == ()
    json.dumps(dict(joined.hyperparameters))


def test_an_ensemble_of_one_or_of_an_ensemble_is_refused() -> None:
    inputs = profile(InputKind.TABLE, TaskType.BINARY)
    first, second = candidates(inputs)[:2]
    with pytest.raises(ValueError, match="two or three"):
        ensemble(inputs, [first])
    with pytest.raises(ValueError, match="member of another"):
        ensemble(inputs, [first, ensemble(inputs, [first, second])])


def test_a_profile_survives_json() -> None:
    before = profile(InputKind.SEQUENCE_PAIR, TaskType.BINARY)
    fields = json.loads(json.dumps(dataclasses.asdict(before)))
    after = InputProfile(**fields)
    assert after == before
    assert candidates(after) == candidates(before)


def test_slow_families_are_left_out_for_many_rows() -> None:
    many = dataclasses.replace(profile(InputKind.TABLE, TaskType.BINARY), rows=1_000_000)
    assert "svm" not in {candidate.family for candidate in candidates(many)}


def test_no_family_is_registered_without_a_module() -> None:
    assert FAMILIES == {}  # families enter themselves when their module is part of the script


@pytest.mark.parametrize("inputs", PROFILES)
def test_settings_of_the_features_are_told_in_plain_words(inputs: InputProfile) -> None:
    for candidate in candidates(inputs):
        said = describe(inputs, candidate).representation
        assert "select 400" not in said
        assert ("the 400 that tell most" in said) == (candidate.hyperparameters.get("features.select") == 400)
