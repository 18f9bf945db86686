"""The tool ``foundation_models_info`` and its catalogue."""

import re
from pathlib import Path

import pytest

from agents.tools.base import ToolResult
from agents.tools.foundation_models_info import CATALOGUE, Family, load_catalogue
from agents.tools.registry import TOOLS
from agents.vocabulary import ToolOutcome
from tests.agents.tools.place import Place

FAMILIES = ["ChemBERTa", "DNABERT-2", "ESM-2", "HyenaDNA", "MolFormer-XL", "Nucleotide Transformer", "RiNALMo"]


async def info(place: Place, family: str | None = None) -> ToolResult:
    tool = TOOLS["foundation_models_info"]
    return await tool.run(tool.arguments(family=family), place.context())


async def test_without_a_name_the_families_are_listed_a_line_each(place: Place) -> None:
    text = (await info(place)).text
    assert [line.split(":")[0][2:] for line in text.splitlines() if line.startswith("- ")] == FAMILIES
    assert "Nothing is downloaded" in text
    assert place.log.read_text(encoding="utf-8") == text + "\n"


@pytest.mark.parametrize("name", ["ESM-2", "esm2", "ESM 2", " esm_2 "])
async def test_a_family_is_found_however_its_name_is_written(place: Place, name: str) -> None:
    text = (await info(place, name)).text
    assert text.startswith("# ESM-2\n\nNothing is downloaded")
    assert "facebook/" in text


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ESM", "ESM-2"),
        ("nucleotide", "Nucleotide Transformer"),
        ("rinalmo-giga", "RiNALMo"),
        ("DNABRET2", "DNABERT-2"),
    ],
)
async def test_an_unknown_name_gets_the_nearest(place: Place, name: str, near: str) -> None:
    result = await info(place, name)
    assert result.outcome is ToolOutcome.ERROR
    assert f"did you mean {near}" in result.text


async def test_a_name_like_none_gets_the_list(place: Place) -> None:
    result = await info(place, "\x1b[31m????")
    assert result.text == f"no family '????'; Known: {', '.join(FAMILIES)}"


@pytest.mark.parametrize("family", load_catalogue(CATALOGUE), ids=lambda family: family.key)
def test_every_page_says_what_a_page_must_say(family: Family) -> None:
    headings = re.findall(r"^## (.+)$", family.page, re.MULTILINE)
    assert headings == ["What it is for", "Input", "Sizes", "Loading", "Caveats", "Source"]
    assert "untrained" in family.page or "random" in family.page
    assert re.search(r"arXiv|doi", family.page)
    assert all((family.input, family.sizes, family.licence))


@pytest.mark.parametrize("family", load_catalogue(CATALOGUE), ids=lambda family: family.key)
def test_every_example_is_valid_python_and_stays_offline(family: Family) -> None:
    examples = re.findall(r"```python\n(.*?)```", family.page, re.DOTALL)
    assert examples
    for example in examples:
        compile(example, family.name, "exec")
        loads = re.findall(r"\.from_pretrained\((.*)\)", example)
        assert all("local_files_only=True" in load for load in loads)


@pytest.mark.parametrize(
    ("text", "said"), [("no front matter", "front matter"), ("---\nname: X\n---\n", "has name instead of name, input")]
)
def test_a_page_with_a_wrong_front_matter_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "broken.md").write_text(text)
    with pytest.raises(ValueError, match=rf"broken\.md: .*{said}"):
        load_catalogue(tmp_path)
