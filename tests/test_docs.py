"""The documents are complete and true: links lead somewhere, commands exist and are told of, versions agree."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from authz.notifications import drawing as notification_drawing
from authz.policies import regimes
from authz.prior_auths import clock_drawing
from authz.prior_auths.appeal_lifecycle import AppealState, AppealStep
from authz.prior_auths.call_lifecycle import CallState, CallStep
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.lifecycle_drawing import BEGIN, END, NoPlaceForDrawing, drawing, redrawn

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "authz").rglob("*.md")])
COMMANDS = sorted(path.stem for path in (ROOT / "authz/management/commands").glob("[!_]*.py"))


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def links(path: Path) -> Iterator[str]:
    """Yield the targets of a page's links that lead into the repository."""
    prose = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"`[^`\n]*`", "", prose)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    lost = []
    for link in links(path):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)

    assert lost == []


def test_every_document_is_reached_from_the_list_of_documents() -> None:
    listed = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in links(ROOT / "docs/README.md")}
    listed |= {(ROOT / "docs/adr" / link).resolve() for link in links(ROOT / "docs/adr/README.md")}

    assert [path.name for path in (ROOT / "docs").rglob("*.md") if path not in listed and path.stem != "README"] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_told_of(command: str) -> None:
    assert f"| `manage.py {command}" in page("docs/commands.md")


def test_no_document_tells_of_a_command_that_is_not_there() -> None:
    django = {"check", "migrate", "makemigrations", "spectacular", "createsuperuser", "collectstatic"}
    told = {name for path in PAGES for name in re.findall(r"manage\.py ([a-z_]+)", path.read_text(encoding="utf-8"))}

    assert told - django <= set(COMMANDS)


def test_every_action_of_make_that_is_named_exists() -> None:
    actions = re.search(r"^ACTIONS := (.+)$", page("Makefile"), flags=re.MULTILINE)
    named = {name for path in PAGES for name in re.findall(r"`?make ([a-z]+)", _code(path))}

    assert actions is not None
    assert named <= set(actions[1].split())


def test_the_lifecycle_page_is_drawn_from_the_table() -> None:
    kept = page("docs/lifecycle.md")

    assert kept == redrawn(kept), "run: python manage.py lifecycle_doc"


def test_the_page_about_clocks_is_drawn_from_the_regimes() -> None:
    kept = page("docs/clocks.md")

    assert kept == clock_drawing.redrawn(kept, regimes.every_version()), "run: python manage.py clocks_doc"
    assert all(f"`{code}`, version {found[-1].version}" in kept for code, found in regimes.regimes().items())


def test_the_page_about_notifications_is_drawn_from_the_matrix() -> None:
    kept = page("docs/notifications.md")

    assert kept == notification_drawing.redrawn(kept), "run: python manage.py notifications_doc"


def test_the_drawing_shows_every_state_and_every_step() -> None:
    drawn = drawing()

    assert all(f"{state.value}" in drawn for state in (*State, *AppealState, *CallState))
    assert all(f"| {step.value.replace('_', ' ')} |" in drawn for step in (*Step, *AppealStep, *CallStep))
    assert "    in_review --> decided: uphold" in drawn
    assert "    in_review --> decided: approve" in drawn
    assert "| deny | – | – | – | – | yes | – | – | – |" in drawn


def test_the_lifecycle_page_explains_every_state() -> None:
    words, _, _ = page("docs/lifecycle.md").partition(BEGIN)

    assert re.findall(r"^\| `(\w+)` \|", words, flags=re.MULTILINE) == [state.value for state in State]


def test_the_page_about_appeals_explains_every_state() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", page("docs/appeals.md"), flags=re.MULTILINE)

    assert explained == [state.value for state in AppealState]


def test_a_page_without_the_marks_is_not_drawn_into() -> None:
    with pytest.raises(NoPlaceForDrawing):
        redrawn("Nothing here.")
    with pytest.raises(NoPlaceForDrawing):
        redrawn(f"{BEGIN} but no end")
    assert redrawn(f"above\n{BEGIN}\nold\n{END}\nbelow\n").endswith(f"{END}\nbelow\n")


def test_decisions_are_numbered_without_a_gap_and_listed() -> None:
    files = sorted(path.name for path in (ROOT / "docs/adr").glob("0*.md"))
    listed = list(links(ROOT / "docs/adr/README.md"))

    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    assert listed == files
    for name in files:
        text = page(f"docs/adr/{name}")
        assert text.startswith(f"# {int(name[:4])}. ")
        assert all(f"\n## {part}\n" in text for part in ("Why", "What", "What follows"))


def test_versions_agree() -> None:
    project = tomllib.loads(page("pyproject.toml"))["project"]
    oldest = project["requires-python"].removeprefix(">=")
    postgres = re.search(r"image: postgres:(\d+)", page("docker-compose.yml"))

    assert f"Python {oldest} or newer" in page("README.md")
    assert f"image: authz:{project['version']}" in page("docker-compose.yml")
    assert "## [Unreleased]" in page("CHANGELOG.md") or f"## [{project['version']}]" in page("CHANGELOG.md")
    assert postgres is not None
    assert f"PostgreSQL {postgres[1]}" in page("README.md")


def test_the_licence_is_the_one_the_project_names() -> None:
    project = tomllib.loads(page("pyproject.toml"))["project"]

    assert project["license"] == "Apache-2.0"
    assert all(words in page("LICENSE") for words in ("Apache License", "Version 2.0, January 2004", "9. Accepting"))
    assert "[Apache License 2.0](LICENSE)" in page("README.md")


def test_contributing_names_only_files_that_exist() -> None:
    named = re.findall(r"`((?:authz|workers|config|tests|docs)/[\w/.-]+?)`", page("CONTRIBUTING.md"))

    assert len(named) > 20
    assert [name for name in named if "<" not in name and not (ROOT / name).exists()] == []


def test_the_architecture_page_draws_the_layers_of_the_contract() -> None:
    contracts = tomllib.loads(page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract.get("containers") == ["authz"])
    drawn = re.search(r"## Arrows point down\n\n```\n(.*?)```", page("docs/architecture.md"), flags=re.DOTALL)

    assert drawn is not None
    rooms = [room for layer in layers for room in re.findall(r"\w+", layer) if room != "demonstration"]
    positions = [drawn[1].find(f" {room}") for room in rooms]
    assert -1 not in positions
    assert positions == sorted(positions)


def _code(path: Path) -> str:
    """Return what a page shows as code."""
    text = path.read_text(encoding="utf-8")
    return "\n".join(re.findall(r"`[^`\n]+`|^```.*?^```$", text, flags=re.MULTILINE | re.DOTALL))


def test_every_test_that_the_security_page_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page("docs/security.md"))

    missing = [name for file, name in named if f"def {name}(" not in page(file)]

    assert len(named) > 20
    assert missing == []
