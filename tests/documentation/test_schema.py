"""A questionnaire's document is read strictly: what is unknown, contradictory or circular is refused, all at once."""

from typing import Any

import pytest

from authz.documentation import catalog
from authz.documentation.catalog import BrokenFile, read_file
from authz.documentation.schema import read_questionnaire, read_requirements
from authz.errors import InvalidInput


def document(*questions: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"code": "small", "version": "1", "title": "Small", "question": list(questions), **other}


def asked(link_id: str = "a", kind: str = "choice", **other: Any) -> dict[str, Any]:
    options = {"options": ["x", "y"]} if kind in {"choice", "choices"} else {}
    return {"link_id": link_id, "text": "A question?", "type": kind, **options, **other}


def faults(*questions: dict[str, Any], **other: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidInput) as refusal:
        read_questionnaire(document(*questions, **other))
    return refusal.value.fields


def test_a_right_document_is_read_with_its_questions_in_an_order_they_can_be_decided_in() -> None:
    found = read_questionnaire(document(asked("b", required_when="a = x"), asked("a")))

    assert found.name == "small-1"
    assert [one.link_id for one in found.questions] == ["b", "a"]
    assert [one.link_id for one in found.order] == ["a", "b"]


@pytest.mark.parametrize(
    ("question", "path"),
    [
        (asked(colour="red"), "question[0].colour"),
        (asked(type="riddle"), "question[0].type"),
        (asked(link_id="Not An Id"), "question[0].link_id"),
        (asked(section="nowhere"), "question[0].section"),
        (asked(required_when="b = x"), "question[0].required_when"),
        (asked(required_when="setting colour"), "question[0].required_when"),
        (asked(required_when="known everything"), "question[0].required_when"),
        (asked(required_when="sometimes"), "question[0].required_when"),
        (asked(warnings=[{"when": "a = z", "says": "Never."}]), "question[0].warnings[0].when"),
        (asked(warnings=[{"when": "a >= 1", "says": "Never."}]), "question[0].warnings[0].when"),
        (asked(warnings=[{"when": "a starts {x}", "says": "Never."}]), "question[0].warnings[0].when"),
        (asked(warnings=[{"when": "a empty", "says": "Never."}]), "question[0].warnings[0].when"),
        (asked(kind="text", warnings=[{"when": "a = x", "says": "Never."}]), "question[0].warnings[0].when"),
        (asked(kind="boolean", warnings=[{"when": "a = maybe", "says": "Never."}]), "question[0].warnings[0].when"),
        (asked(kind="text", options=["x"]), "question[0].options"),
        (asked(options=[]), "question[0].options"),
        (asked(least=1), "question[0].least"),
        (asked(kind="integer", least=0.5), "question[0].least"),
        (asked(kind="choices", alone="z"), "question[0].alone"),
        (asked(kind="text", not_after_today=True), "question[0].not_after_today"),
        (asked(kind="text", must_be_true=True), "question[0].must_be_true"),
        (asked(kind="string", shape="round"), "question[0].shape"),
        (asked(kind="decimal", derived="peg"), "question[0].derived"),
        (asked(kind="decimal", derived="magic"), "question[0].derived"),
        (asked(kind="group"), "question[0].columns"),
        (asked(kind="group", columns=[asked(kind="group", columns=[asked()])]), "question[0].columns[0]"),
        (asked(required_when="a = x"), "question"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(question: dict[str, Any], path: str) -> None:
    assert path in faults(question)


def test_questions_that_wait_for_each_other_are_refused_by_name() -> None:
    found = faults(asked("a", required_when="b = x"), asked("b", required_when="a = x"))

    assert found == {"question": ["These wait for each other: a, b."]}


def test_a_question_is_asked_once() -> None:
    assert faults(asked("a"), asked("a")) == {"question": ["a stands there twice."]}


def needed(**other: Any) -> dict[str, Any]:
    return {
        "policy": "small",
        "version": "1",
        "title": "Small",
        "questionnaire": "opioid-2",
        "source": "Somebody",
        "confirmed": True,
        "required": ["dx.code"],
    } | other


def test_a_payers_list_is_read() -> None:
    found = read_requirements(needed(confirmed_within_days={"default": 30, "dx.code": 90}), catalog.questionnaires())

    assert (found.name, found.required) == ("small-1", {"dx.code"})
    assert (found.confirmed_within("dx.code"), found.confirmed_within("pain.type")) == (90, 30)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"questionnaire": "opioid-9"}, "questionnaire"),
        ({"required": ["dx.colour"]}, "required.dx.colour"),
        ({"required": ["dx.code", "dx.code"]}, "required"),
        ({"confirmed_within_days": {"default": 0}}, "confirmed_within_days.default"),
        ({"dated_within_days": {"dx.code": 30}}, "dated_within_days.dx.code"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_list_is_refused_by_path(change: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_requirements(needed(**change), catalog.questionnaires())

    assert path in refusal.value.fields


def test_a_payer_with_a_list_has_one_for_the_current_questionnaire_and_keeps_that_for_the_one_before() -> None:
    lists = catalog.requirement_lists()
    policies = {policy for policy, _ in lists}

    assert catalog.DEFAULT in policies
    assert {(policy, asked) for policy in policies for asked in ("opioid-2", catalog.CURRENT)} == lists.keys()


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("small-1.toml", "code = ", "is no TOML"),
        ("small-1.toml", "code = 'small'", "version: It is missing"),
        ("big-1.toml", 'code="small"\nversion="1"\ntitle="Small"\nquestion=[]', "name it so"),
    ],
)
def test_a_broken_file_is_told_by_its_name(name: str, text: str, says: str) -> None:
    with pytest.raises(BrokenFile, match=says) as refusal:
        read_file(name, text, read_questionnaire)

    assert name in str(refusal.value)
