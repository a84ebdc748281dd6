"""The lines in the documents: of which kind they are, and that what no walk runs is there as it is written.

Lines marked `sh` are run as they stand (tests/e2e/test_readme.py, test_readme_curl.py, test_documents.py;
tests/local/test_command.py). Those marked `console` need what tests have not: Docker, a cluster, root, GPUs,
hours.
"""

import ast
import importlib.util
import itertools
import re
import shlex

import click
import pytest

from tests.e2e import test_documents
from trainyard.settings import REPOSITORY
from trainyard_client.command.main import trainyard

KINDS = {"sh", "console", "python", "yaml", "json", "http", "text"}
RUN = {"README.md", "docs/local.md", *(f"docs/{name}.md" for name in test_documents.IN_ORDER)}
PAGES = sorted(
    str(path.relative_to(REPOSITORY))
    for folder in (".", "docs")
    for path in (REPOSITORY / folder).glob("*.md")
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SETTING = re.compile(r"[A-Z_]+=\S*")


def blocks(page: str, kind: str) -> list[str]:
    """The blocks of that kind on a page."""
    return [text for found, text in _BLOCK.findall((REPOSITORY / page).read_text()) if found == kind]


def commands(page: str) -> list[list[str]]:
    """The commands of the blocks that no test runs, as words, without settings before them."""
    found = []
    for text in blocks(page, "console"):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words and _SETTING.fullmatch(words[0]):
                del words[0]
            found.append(words)
    return [words for words in found if words]


@pytest.mark.parametrize("page", PAGES)
def test_each_block_tells_its_kind_and_a_test_runs_those_marked_sh(page: str):
    kinds = {kind for kind, _ in _BLOCK.findall((REPOSITORY / page).read_text())}
    assert kinds <= KINDS
    assert page in RUN or "sh" not in kinds


@pytest.mark.parametrize("page", PAGES)
def test_python_is_python_and_what_it_takes_from_here_is_there(page: str):
    for text in blocks(page, "python"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(("trainyard", "workers")):
                module = importlib.import_module(str(node.module))
                assert [name.name for name in node.names if not hasattr(module, name.name)] == []


def test_the_front_page_trains_without_a_service_as_its_own_page_does():
    def told(page: str) -> list[str]:
        lines = "\n".join([*blocks(page, "console"), *blocks(page, "sh")]).splitlines()
        return [line.partition(" #")[0].strip() for line in lines]

    found = [line for line in told("README.md") if re.match("trainyard (train |run .* runs/exp)", line)]
    assert len(found) == 5
    assert set(found) <= set(told("docs/local.md"))


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/")])
def test_the_index_names_each_page_and_links_lead_to_something(page: str):
    folder = (REPOSITORY / page).parent
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (REPOSITORY / page).read_text())
    assert [link for link in links if not (folder / link).exists()] == []
    index = (REPOSITORY / "docs" / "README.md").read_text()
    assert page == "docs/README.md" or f"({page.removeprefix('docs/')})" in index


def test_what_no_test_runs_is_there():
    targets = set(re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for words in commands(page):
            if words[0] == "make":
                assert [one for one in words[1:] if "=" not in one and one not in targets] == [], page
            elif words[0] == "trainyard":
                assert _unknown(words[1:]) == [], page
            for module in [after for word, after in itertools.pairwise(words) if word == "-m"]:
                assert importlib.util.find_spec(module), f"{page}: {module}"
            named = [word for word in words if word.startswith(("deploy/", "requirements/", "configs/"))]
            assert [word for word in named if not list(REPOSITORY.glob(word))] == [], page


def _unknown(words: list[str]) -> list[str]:
    """The options among the words of a command that it does not have."""
    command: click.Command = trainyard
    context = click.Context(trainyard)
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words[0])
        if found is None:
            return words[:1]
        command, words = found, words[1:]
    has = {option for parameter in command.params for option in parameter.opts}
    return [word for word in words if word.startswith("-") and word not in has]
