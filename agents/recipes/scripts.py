"""The scripts of a candidate: modules of ``agents.recipes.sources`` joined, with its settings on top.

What is delivered is the text of tested modules. Joining does three things: imports are gathered at the top, imports
between modules of one script are dropped, and imports of what lies in ``features.py`` name that file.
"""

import ast
import pprint
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agents.recipes.candidate import Candidate, InputProfile
from agents.recipes.specification import Specification, specify

SOURCES: Final = Path(__file__).with_name("sources")
_PACKAGE: Final = "agents.recipes.sources"
_COMMON: Final = ("reading", "blocks")
_NEEDED_BY: Final = {
    "features_table": ("features_table",),
    "features_expression": ("features_expression",),
    "features_sequence": ("sequence_codes", "protein_scales", "features_sequence"),
    "features_pair": ("sequence_codes", "features_pair"),
}
_MODULE_OF_BLOCK: Final = {
    "TableFeatures": "features_table",
    "ExpressionFeatures": "features_expression",
    "SequenceFeatures": "features_sequence",
    "PairingFeatures": "features_pair",
}
_MODULE_OF_FAMILY: Final = {
    "logistic": "models_linear",
    "ridge": "models_linear",
    "elastic_net": "models_linear",
    "pls": "models_linear",
    "svm": "models_kernel",
    "linear_svm": "models_kernel",
    "hist_gradient_boosting": "models_boosting",
    "extra_trees": "models_forest",
    "random_forest": "models_forest",
    "knn": "models_simple",
    "naive_bayes": "models_simple",
    "centroids": "models_simple",
    "mlp": "models_mlp",
}


def scripts(profile: InputProfile, candidate: Candidate, *, seed: int, metric: str) -> dict[str, str]:
    """Text of ``features.py`` and ``train.py``, for model_training/, and of ``inference.py``, for model_inference/."""
    specification = specify(profile, candidate)
    blocks = [_MODULE_OF_BLOCK[block["block"]] for member in specification.members for block in member["features"]]
    features = _unique([*_COMMON, *(module for block in blocks for module in _NEEDED_BY[block])])
    families = _unique([_MODULE_OF_FAMILY[member["family"]] for member in specification.members])
    config = _config(profile, specification, seed, metric)
    return {
        "features.py": join(features, docstring=f"Features of {candidate.combination}.", elsewhere=[]),
        "train.py": join(["prediction", "problem", *families, "train"], config=config, elsewhere=features),
        "inference.py": join(["prediction", "inference"], elsewhere=features),
    }


def _config(profile: InputProfile, specification: Specification, seed: int, metric: str) -> dict[str, Any]:
    return {
        "classes": profile.classes if profile.task_type.is_classification else 0,
        "metric": metric,
        "seed": seed,
        "columns": {
            "text": list(profile.sequence_columns),
            "numeric": list(profile.numeric_columns),
            "categorical": list(profile.categorical_columns),
        },
        "members": specification.members,
    }


def join(
    modules: list[str],
    *,
    elsewhere: Sequence[str] = (),
    docstring: str = "",
    config: dict[str, Any] | None = None,
    own: Mapping[str, str] | None = None,
) -> str:
    """One script of ``modules``, in this order; ``elsewhere`` are those that ``features.py`` has.

    ``own`` maps modules that are none of ``agents.recipes.sources`` to their texts.

    The docstring is that of the last module unless one is given. ``config`` becomes the value of ``CONFIG``,
    which stands right after the imports, so that a reader sees it first. Raises ValueError where a module is missing.
    """
    imports: dict[str, set[str]] = {}
    bodies: list[str] = []
    main = "" if docstring else modules[-1]
    for name in modules:
        tree, text = (ast.parse(own[name]), own[name]) if own and name in own else _parse(name)
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                _gather(node, imports, modules, elsewhere)
        bodies.append(_body(name, tree, text, has_heading=name != main and len(modules) > 1))
        docstring = docstring or (ast.get_docstring(tree, clean=False) or "" if name == modules[-1] else "")
    parts = [f'"""{docstring}"""', _import_block(imports)]
    if config is not None:
        parts.append(f"CONFIG: dict[str, Any] = {pprint.pformat(config, width=110, sort_dicts=False, compact=True)}")
    return "\n\n".join(parts) + "\n\n\n" + "\n\n\n".join(bodies) + "\n"


def _parse(name: str) -> tuple[ast.Module, str]:
    text = (SOURCES / f"{name}.py").read_text(encoding="utf-8")
    return ast.parse(text), text


def _gather(
    node: ast.Import | ast.ImportFrom, imports: dict[str, set[str]], modules: list[str], elsewhere: Sequence[str]
) -> None:
    """Enter what ``node`` imports: module to names, plain imports under an empty name."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            imports.setdefault(ast.unparse(alias), set()).add("")
        return
    module = node.module or ""
    if module.startswith(f"{_PACKAGE}."):
        sibling = module.removeprefix(f"{_PACKAGE}.")
        if sibling in modules:
            return
        if sibling not in elsewhere:
            raise ValueError(f"{sibling} is imported but part of no script")
        module = "features"
    imports.setdefault(module, set()).update(ast.unparse(alias) for alias in node.names)


def _import_block(imports: dict[str, set[str]]) -> str:
    groups: list[list[str]] = [[], [], []]
    for module, names in imports.items():
        top = module.split()[0].split(".")[0]
        group = groups[0 if top in sys.stdlib_module_names else 2 if top == "features" else 1]
        if "" in names:
            group.append(f"import {module}")
        chosen = sorted(names - {""})
        if chosen:
            line = f"from {module} import {', '.join(chosen)}"
            long = "".join(f"    {name},\n" for name in chosen)
            group.append(line if len(line) <= 120 else f"from {module} import (\n{long})")
    ordered = [sorted(group, key=lambda line: (line.startswith("from"), line.lower())) for group in groups if group]
    return "\n\n".join("\n".join(group) for group in ordered)


def _body(name: str, tree: ast.Module, text: str, *, has_heading: bool) -> str:
    """A module's text after its imports, headed by its docstring unless it is the script's own."""
    lines = text.splitlines()
    skipped: set[int] = set()
    for number, node in enumerate(tree.body):
        is_docstring = number == 0 and isinstance(node, ast.Expr)
        is_config = isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "CONFIG"
        if is_docstring or is_config or isinstance(node, ast.Import | ast.ImportFrom):
            skipped.update(range(node.lineno - 1, node.end_lineno or node.lineno))
    kept = [line for number, line in enumerate(lines) if number not in skipped and not line.startswith("# ruff: noqa")]
    body = "\n".join(line.split("  # type: ignore")[0] for line in kept).strip()
    docstring = (ast.get_docstring(tree) or name).splitlines()
    notes = "".join(f"# {line}\n" if line else "#\n" for line in docstring)
    return f"{notes}\n{body}" if has_heading else body


def _unique(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))
