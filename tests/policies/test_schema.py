"""One schema for files and for payers' own documents: what it takes, and with which words it refuses."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.access.specialties import Specialty
from authz.errors import InvalidInput
from authz.policies.clause import settings_of
from authz.policies.examples import failures
from authz.policies.schema import read_policy, to_document
from authz.policies.version import Mark, PolicyVersion
from authz.rules.policy import Policy
from authz.rules.thresholds import FindingAction, FindingKind, Threshold
from tests.policies.documents import strict


def refusals(document: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidInput) as refused:
        read_policy(document)
    return refused.value.fields


def test_a_document_is_read_with_its_marks() -> None:
    policy = read_policy(strict())

    assert policy.key == ("evergreen", "1")
    assert policy.parameters == Policy(limit_days=3)
    assert policy.marks["limit_days"] == Mark("handbook", confirmed=True)
    assert policy.thresholds[0] == Threshold(
        kind=FindingKind.MME_PER_DAY, at_least=Decimal(90), action=FindingAction.REQUIRE_AUTHORIZATION
    )
    assert policy.source == "Evergreen's handbook of 2025, page 12"
    assert (policy.confirmed, policy.unconfirmed) == (False, ["mme_per_day_90"])
    assert policy.notes == ("Only for members of the PPO.",)
    assert policy.examples[1].required_from == date(2025, 1, 4)


def test_a_document_is_the_same_after_a_journey_through_json() -> None:
    document = strict(in_force_until="2025-12-31")
    document["examples"][0] |= {
        "as_of": "2025-02-01",
        "birth_date": "1970-05-05",
        "exemptions": [["cancer", "2024-01-01"], ["hospice", "2024-01-01", "2024-02-01"]],
        "benzodiazepines": [["596", "2024-01-01", "2024-02-01"]],
    }
    policy = read_policy(document)

    assert read_policy(json.loads(json.dumps(to_document(policy)))) == policy


def test_a_policy_says_which_specialties_may_decide_against_a_request_and_where_that_was_read() -> None:
    said = {"specialties": ["pain_medicine", "neurology"], "source": "handbook", "confirmed": False}
    policy = read_policy(strict(deciders=said))

    assert policy.deciders == (Specialty.PAIN_MEDICINE, Specialty.NEUROLOGY)
    assert policy.unconfirmed == ["deciders", "mme_per_day_90"]
    assert settings_of(policy)[-1].says == "Who may decide against a request: pain medicine, neurology"
    assert read_policy(json.loads(json.dumps(to_document(policy)))) == policy
    assert read_policy(strict()).deciders == ()


@pytest.mark.parametrize(
    ("specialties", "place"),
    [
        ([], "deciders.specialties"),
        (None, "deciders.specialties"),
        ("pain_medicine", "deciders.specialties"),
        (["pain_medicine", "Pain"], "deciders.specialties[1]"),
        ([["pain_medicine"]], "deciders.specialties[0]"),
    ],
)
def test_a_specialty_that_is_not_listed_is_refused_and_so_is_a_list_of_none(specialties: Any, place: str) -> None:
    said = {"specialties": specialties, "source": "handbook", "confirmed": True}

    assert set(refusals(strict(deciders=said))) == {place}


@pytest.mark.parametrize(
    ("on", "holds"), [("2024-12-31", False), ("2025-01-01", True), ("2025-12-31", True), ("2026-01-01", False)]
)
def test_the_first_and_the_last_day_are_in_force(on: str, holds: bool) -> None:
    policy = read_policy(strict(in_force_until="2025-12-31"))

    assert policy.is_in_force(date.fromisoformat(on)) == holds


def test_an_open_end_is_in_force_for_ever() -> None:
    assert read_policy(strict()).is_in_force(date.max)


A_MARK = {"source": "handbook", "confirmed": True}
LIMIT = {"value": 3, **A_MARK}
DOSE = {"kind": "mme_per_day", "at_least": 90, "action": "inform", **A_MARK}
NEEDS = strict()["examples"][1]
NEEDS_NOT = strict()["examples"][0]


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"colour": "red"}, "colour", "There is no such key."),
        ({"code": None}, "code", "It is missing."),
        ({"code": "Ever Green"}, "code", "It must have the form [a-z][a-z0-9_]{0,59}."),
        ({"code": 7}, "code", "A text of one line"),
        ({"version": "1 2"}, "version", "It must have the form"),
        ({"title": " "}, "title", "A text of one line"),
        ({"title": "t" * 201}, "title", "It must have the form"),
        ({"title": "two\nlines"}, "title", "A text of one line"),
        ({"title": "nothing\0"}, "title", "A text of one line"),
        ({"in_force_from": "2025-02-29"}, "in_force_from", "It is no day of the calendar: day is out of range"),
        ({"in_force_from": "20250101"}, "in_force_from", "A calendar date such as 2025-01-31 is needed."),
        ({"in_force_until": "2024-12-31"}, "in_force_until", "It lies before the first day in force."),
        ({"in_force_until": 7}, "in_force_until", "A calendar date"),
        ({"sources": ["handbook"]}, "sources", "A table is needed."),
        ({"sources": {"handbook": ""}}, "sources.handbook", "A text of one line"),
        ({"sources": {"hand\0book": "Page 12"}}, "sources", "The key of a source must have the form"),
        ({"notes": "one"}, "notes", "A list is needed."),
        ({"notes": [1]}, "notes[0]", "A text of one line"),
        ({"parameters": []}, "parameters", "A table is needed."),
        ({"parameters": {"limit_dayz": LIMIT}}, "parameters.limit_dayz", "There is no such setting."),
        ({"parameters": {"limit_days": 3}}, "parameters.limit_days", "A table is needed."),
        ({"parameters": {"limit_days": A_MARK}}, "parameters.limit_days.value", "It is missing."),
        ({"parameters": {"limit_days": LIMIT | {"source": None}}}, "parameters.limit_days.source", "It is missing."),
        (
            {"parameters": {"limit_days": LIMIT | {"source": "rumour"}}},
            "parameters.limit_days.source",
            "It names none of the sources.",
        ),
        (
            {"parameters": {"limit_days": LIMIT | {"source": ["handbook"]}}},
            "parameters.limit_days.source",
            "It names none of the sources.",
        ),
        (
            {"parameters": {"limit_days": LIMIT | {"confirmed": None}}},
            "parameters.limit_days.confirmed",
            "It is missing.",
        ),
        ({"parameters": {"limit_days": LIMIT | {"confirmed": 1}}}, "parameters.limit_days.confirmed", "True or false"),
        (
            {"parameters": {"limit_days": LIMIT | {"value": "3"}}},
            "parameters.limit_days",
            "A whole number of at least 0",
        ),
        ({"parameters": {"limit_days": LIMIT | {"why": "x"}}}, "parameters.limit_days.why", "There is no such key."),
        ({"thresholds": {}}, "thresholds", "A list is needed."),
        ({"thresholds": [7]}, "thresholds[0]", "A table is needed."),
        ({"thresholds": [DOSE | {"kind": None}]}, "thresholds[0].kind", "It is missing."),
        ({"thresholds": [DOSE | {"kind": "pills"}]}, "thresholds[0].kind", "Use one of: mme_per_day"),
        ({"thresholds": [DOSE | {"action": "shout"}]}, "thresholds[0].action", "Use one of: inform"),
        ({"thresholds": [DOSE | {"at_least": None}]}, "thresholds[0].at_least", "An exact number of MME a day"),
        ({"thresholds": [DOSE | {"at_least": 90.5}]}, "thresholds[0].at_least", "An exact number is needed"),
        ({"thresholds": [DOSE | {"at_least": "many"}]}, "thresholds[0].at_least", "An exact number is needed"),
        ({"thresholds": [DOSE | {"at_least": "-1"}]}, "thresholds[0].at_least", "above 0"),
        ({"thresholds": [DOSE | {"at_least": "1e999999999"}]}, "thresholds[0].at_least", "An exact number is needed"),
        ({"thresholds": [DOSE | {"source": None}]}, "thresholds[0].source", "It is missing."),
        ({"thresholds": [DOSE, DOSE | {"at_least": "90.0"}]}, "thresholds[1]", "There is mme_per_day_90 already."),
        ({"thresholds": [DOSE | {"spares_established": True}]}, "thresholds", "established_days is not set"),
        ({"examples": [NEEDS]}, "examples", "At least one that needs authorization and one that does not"),
        ({"examples": [NEEDS_NOT]}, "examples", "At least one that needs authorization and one that does not"),
        ({"examples": "none"}, "examples", "A list is needed."),
        ({"examples": [NEEDS, NEEDS_NOT, 7]}, "examples[2]", "A table is needed."),
        ({"examples": [NEEDS, NEEDS_NOT | {"name": None}]}, "examples[1].name", "It is missing."),
        ({"examples": [NEEDS, NEEDS_NOT | {"fills": []}]}, "examples[1].fills", "At least one fill is needed."),
        ({"examples": [NEEDS, NEEDS_NOT] * 101}, "examples", "At most 200 are taken; there are 202."),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"fills": [["2025-01-01", 1, "1049621", 4]] * 101}]},
            "examples[1].fills",
            "At most 100 are taken; there are 101.",
        ),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"fills": [["9999-12-31", 3, "1049621", 12]]}]},
            "examples[1].fills[0][0]",
            "A day from 1900 to 2200 is needed.",
        ),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"fills": [["2025-01-01", 3]]}]},
            "examples[1].fills[0]",
            "A list of start, days",
        ),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"fills": [["2025-01-01", 3, "999", 12]]}]},
            "examples[1].fills[0][2]",
            "The packaged formulary, on which examples run, has no such product.",
        ),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"fills": [["2025-01-01", True, "1049621", 12]]}]},
            "examples[1].fills[0][1]",
            "A whole number is needed.",
        ),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"fills": [["2025-01-01", 3, "1049621", 12.5]]}]},
            "examples[1].fills[0][3]",
            "An exact number is needed",
        ),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"required_from": "2025-01-04"}]},
            "examples[1].required_from",
            "no such day",
        ),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"findings": ["mme_per_day_50"]}]},
            "examples[1].findings[0]",
            "It names none",
        ),
        ({"examples": [NEEDS, NEEDS_NOT | {"findings": [["a"]]}]}, "examples[1].findings[0]", "It names none"),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"exemptions": [["surgery", "2025-01-01"]]}]},
            "examples[1].exemptions[0][0]",
            "Use one of: cancer",
        ),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"exemptions": [["cancer"]]}]},
            "examples[1].exemptions[0]",
            "A list of category",
        ),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"benzodiazepines": [["596", "2025-01-02", "2025-01-01"]]}]},
            "examples[1].benzodiazepines[0].last",
            "It lies before the first day.",
        ),
        (
            {"examples": [NEEDS, NEEDS_NOT | {"benzodiazepines": [["596", "2025-01-02"]]}]},
            "examples[1].benzodiazepines[0]",
            "A list of ingredient",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path_in_words(changes: dict[str, Any], path: str, words: str) -> None:
    told = refusals(strict(**changes))

    assert words in " ".join(told[path])


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = refusals(strict(code="?", in_force_from="soon", notes=7))

    assert sorted(told) == ["code", "in_force_from", "notes"]


def test_an_empty_document_lacks_everything_and_breaks_nothing() -> None:
    told = refusals({})

    assert set(told) == {"code", "version", "title", "in_force_from", "sources", "parameters", "examples"}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def read_or_refused(document: dict[str, Any]) -> PolicyVersion | None:
    try:
        return read_policy(document)
    except InvalidInput:
        return None


@given(st.sampled_from(sorted(strict())), anything)
def test_whatever_stands_in_a_place_is_read_or_refused(part: str, value: Any) -> None:
    policy = read_or_refused(strict(**{part: value}))

    assert policy is None or read_policy(to_document(policy)) == policy


@given(st.sampled_from(["parameters", "thresholds", "examples"]), anything, st.randoms())
def test_whatever_stands_inside_a_part_is_read_or_refused(part: str, value: Any, random: Any) -> None:
    document = strict()
    within = random.choice(list(document[part])) if isinstance(document[part], list) else document[part]["limit_days"]
    within[random.choice([*within, "odd"])] = value

    policy = read_or_refused(document)

    assert policy is None or read_policy(to_document(policy)) == policy


# -- examples


def told_by(**example: Any) -> list[str]:
    examples = [{"name": "It", "fills": [["2025-01-01", 4, "1049621", 16]], **example}, NEEDS, NEEDS_NOT]
    return [sentence for path, sentence in failures(read_policy(strict(examples=examples))) if path == "examples[0]"]


@pytest.mark.parametrize(
    ("example", "told"),
    [
        ({"needs_authorization": True}, []),
        ({"needs_authorization": True, "required_from": "2025-01-04", "findings": []}, []),
        ({"needs_authorization": False}, ["It: the policy requires authorization from 2025-01-04 on."]),
        (
            {"needs_authorization": True, "required_from": "2025-01-05"},
            ["It: authorization is required from 2025-01-04 on, not from 2025-01-05."],
        ),
        ({"needs_authorization": True, "findings": ["mme_per_day_90"]}, ["It: what is found is nothing."]),
        ({"needs_authorization": True, "exemptions": [["cancer", "2024-01-01"]]}, ["It: it requires none."]),
        ({"needs_authorization": False, "exemptions": [["cancer", "2024-01-01", "2025-01-04"]]}, []),
        ({"needs_authorization": False, "as_of": "2024-12-31"}, []),
        (
            {"needs_authorization": True, "benzodiazepines": [["596", "2025-01-01", "2025-01-02"]], "findings": []},
            ["It: what is found is opioid_with_benzodiazepine."],
        ),
        (
            {
                "needs_authorization": True,
                "required_from": "2025-01-01",
                "fills": [["2025-01-01", 1, "1049621", 12]],
                "findings": ["mme_per_day_90"],
            },
            [],
        ),
    ],
)
def test_an_example_agrees_or_tells_in_what_it_does_not(example: dict[str, Any], told: list[str]) -> None:
    assert told_by(**example) == told


def test_an_example_knows_how_old_its_patient_is() -> None:
    minors = strict()["parameters"] | {"minor_limit_days": {"value": 1, **A_MARK}}
    child = {"name": "Child", "needs_authorization": True, "fills": [["2025-01-01", 2, "1049621", 8]]}
    born = child | {"birth_date": "2015-01-01"}

    policy = read_policy(strict(parameters=minors, examples=[born, child, NEEDS_NOT]))

    assert list(failures(policy)) == [("examples[1]", "Child: it requires none.")]
