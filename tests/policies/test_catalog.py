"""What ships with the product: every file is right, says where it was read, and agrees with its own examples."""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from authz.policies import catalog
from authz.policies.catalog import UnknownPolicy
from authz.policies.examples import failures
from authz.policies.folder import CatalogError
from authz.policies.schema import read_policy, to_document
from authz.policies.version import PolicyVersion
from authz.rules.policy import ExemptionCategory, GapAnchor, Mode, Overlap, Policy
from authz.rules.thresholds import FindingAction, FindingKind

FOLDER = Path(catalog.__file__).parent
FILES = sorted(FOLDER.glob("*.toml"))
SHIPPED = [version for versions in catalog.policies().values() for version in versions]


def name(version: PolicyVersion) -> str:
    return f"{version.code}-{version.version}"


every_version = pytest.mark.parametrize("version", SHIPPED, ids=name)


def test_every_file_is_in_the_catalog() -> None:
    assert sorted(name(version) for version in SHIPPED) == sorted(path.stem for path in FILES)


@every_version
def test_a_policy_agrees_with_its_own_examples(version: PolicyVersion) -> None:
    assert list(failures(version)) == []


@every_version
def test_a_policy_has_an_example_each_way(version: PolicyVersion) -> None:
    assert {example.needs_authorization for example in version.examples} == {True, False}


@every_version
def test_a_policy_is_written_back_as_it_was_read(version: PolicyVersion) -> None:
    assert read_policy(to_document(version)) == version


@every_version
def test_only_the_default_claims_to_be_confirmed(version: PolicyVersion) -> None:
    assert version.confirmed == (version.code == "default")
    assert version.confirmed or any("confirm against" in note for note in version.notes)


@every_version
def test_a_source_is_named_for_every_setting_and_used(version: PolicyVersion) -> None:
    assert {mark.source for mark in version.marks.values()} == set(version.sources)


@every_version
def test_a_threshold_that_requires_authorization_has_an_example_of_it(version: PolicyVersion) -> None:
    found = {finding for example in version.examples for finding in example.findings or ()}

    assert {t.name for t in version.thresholds if t.action is FindingAction.REQUIRE_AUTHORIZATION} <= found


def test_the_default_policy_is_the_rules_own_default_and_says_so_of_every_setting() -> None:
    version = catalog.policy("default", date(2025, 1, 1))
    off = {"minor_limit_days", "window_days", "horizon_days", "established_days"}

    assert version.parameters == Policy.default()
    assert set(version.marks) == (set(Policy.default().to_mapping()) - off) | {t.name for t in version.thresholds}
    assert {threshold.action for threshold in version.thresholds} == {FindingAction.INFORM}


@pytest.mark.parametrize("day", [date.min, date(2025, 1, 1), date.max])
def test_the_default_policy_holds_on_every_day(day: date) -> None:
    assert catalog.policy("default", day).code == "default"


def test_medicare_part_d_exempts_sickle_cell_disease_from_2020_on() -> None:
    before, after = catalog.policy("part_d_2019", date(2019, 12, 31)), catalog.policy("part_d_2019", date(2020, 1, 1))

    assert (before.version, after.version) == ("1", "2")
    assert ExemptionCategory.SICKLE_CELL not in before.parameters.exempt_categories
    assert ExemptionCategory.SICKLE_CELL in after.parameters.exempt_categories
    assert after.parameters.mode is Mode.PER_FILL_NAIVE
    assert (after.parameters.gap_anchor, after.parameters.gap_days) == (GapAnchor.FILL_DATE, 60)


@pytest.mark.parametrize("code", ["in_medicaid_2016", "oh_medicaid_2017"])
def test_indiana_and_ohio_count_fourteen_in_forty_five(code: str) -> None:
    settings = catalog.policy(code, date(2025, 1, 1)).parameters

    assert (settings.limit_days, settings.window_days, settings.overlap) == (14, 45, Overlap.SUM)
    assert (settings.established_days, settings.established_window) == (90, 120)


@pytest.mark.parametrize(
    ("code", "limit", "minor_limit", "gap"),
    [
        ("fl_law_2018", 3, None, 60),
        ("az_2018", 5, 5, 60),
        ("al_medicaid_2018", 7, 5, 180),
        ("bcbs_nc_2024", 7, None, 180),
    ],
)
def test_the_laws_and_plans_have_their_limits(code: str, limit: int, minor_limit: int | None, gap: int) -> None:
    settings = catalog.policy(code, date(2025, 1, 1)).parameters

    assert (settings.limit_days, settings.minor_limit_days, settings.gap_days) == (limit, minor_limit, gap)


def test_what_is_not_there_is_refused_in_words() -> None:
    with pytest.raises(UnknownPolicy, match="There is no policy 'martian' in the catalog"):
        catalog.policy("martian", date(2025, 1, 1))
    with pytest.raises(UnknownPolicy, match="No version of 'part_d_2019' is in force on 2018-12-31"):
        catalog.policy("part_d_2019", date(2018, 12, 31))


# -- reading a folder

GOOD = (FOLDER / "part_d_2019-1.toml").read_text(encoding="utf-8")
NEXT = (FOLDER / "part_d_2019-2.toml").read_text(encoding="utf-8")


def folder_of(tmp_path: Path, **files: str) -> Path:
    for stem, text in files.items():
        (tmp_path / f"{stem.replace('__', '-')}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_versions_come_oldest_first_whatever_their_names(tmp_path: Path) -> None:
    later = GOOD.replace('version = "1"', 'version = "0"').replace("2019-12-31", "2024-12-31")
    later = later.replace("in_force_from = 2019-01-01", "in_force_from = 2024-01-01")

    read = catalog.read_folder(folder_of(tmp_path, part_d_2019__1=GOOD, part_d_2019__0=later))

    assert [version.version for version in read["part_d_2019"]] == ["1", "0"]


def test_two_versions_in_force_on_one_day_are_refused(tmp_path: Path) -> None:
    early = NEXT.replace("in_force_from = 2020-01-01", "in_force_from = 2019-12-31")

    with pytest.raises(CatalogError, match="On 2019-12-31 versions '1' and '2' of 'part_d_2019' are both in force"):
        catalog.read_folder(folder_of(tmp_path, part_d_2019__1=GOOD, part_d_2019__2=early))


def test_a_version_without_an_end_leaves_no_room_for_another(tmp_path: Path) -> None:
    endless = GOOD.replace("in_force_until = 2019-12-31\n", "")

    with pytest.raises(CatalogError, match="On 2020-01-01"):
        catalog.read_folder(folder_of(tmp_path, part_d_2019__1=endless, part_d_2019__2=NEXT))


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("limit_days =", "limit_dayz =", "part_d_2019-1.toml: parameters.limit_dayz: There is no such setting."),
        ('source = "cms_2019"', 'sauce = "cms_2019"', "There is no such key."),
        (', source = "cms_2019", confirmed = false }', " }", "parameters.mode.source: It is missing."),
        ('version = "1"', "version = ", "part_d_2019-1.toml is no TOML"),
        ('version = "1"', 'version = "3"', "part_d_2019-1.toml holds version '3' of 'part_d_2019': name it so."),
        ('"1049621", 32', '"1049621", 32.5', r"examples\[0\].fills\[0\]\[3\]: An exact number is needed"),
        ("needs_authorization = false", "needs_authorization = true", "examples: At least one that needs"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_place(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    assert right in GOOD

    with pytest.raises(CatalogError, match=told):
        catalog.read_folder(folder_of(tmp_path, part_d_2019__1=GOOD.replace(right, wrong)))


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Not a policy.", encoding="utf-8")

    assert catalog.read_folder(tmp_path) == {}


def test_an_example_that_a_policy_does_not_agree_with_is_told() -> None:
    document: dict[str, Any] = to_document(catalog.policy("fl_law_2018", date(2025, 1, 1)))
    document["parameters"]["limit_days"]["value"] = 4

    assert list(failures(read_policy(document))) == [
        ("examples[1]", "The fourth day needs authorization: it requires none."),
    ]


# -- the page about policies

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")


def test_the_pages_own_policy_is_right_and_agrees_with_its_examples() -> None:
    document, *parts = re.findall(r"^```toml\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)

    for whole in (document, *(f"{document}\n{part}" for part in parts)):
        assert list(failures(read_policy(tomllib.loads(whole)))) == []


def test_the_page_tells_of_every_policy_parameter_and_threshold() -> None:
    told = set(re.findall(r"`([a-z_0-9]+)`", PAGE))
    there = {*catalog.policies(), *Policy.default().to_mapping(), *FindingKind}

    assert there - told == set()
