"""The language in which a questionnaire says when a question applies."""

import pytest

from authz.documentation.conditions import JsonValue, NotACondition, Situation, condition, questions_of

ANSWERS: dict[str, JsonValue] = {
    "pain.type": "chronic",
    "ex.reason": "none",
    "benzo.concurrent": True,
    "req.mme_daily": "90.00",
    "dx.code": "G89.29",
    "tx.nonpharm": ["exercise", "tens"],
    "tx.nonopioid": [],
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("always", True),
        ("never", False),
        ("payer asks", False),
        ("pain.type = chronic", True),
        ("pain.type != chronic", False),
        ("pain.type in {acute, post-surgical}", False),
        ("pain.type in {subacute, chronic} and ex.reason = none", True),
        ("benzo.concurrent = yes", True),
        ("benzo.concurrent = no", False),
        ("req.mme_daily >= 90", True),
        ("req.mme_daily > 90", False),
        ("req.mme_daily < 90.01", True),
        ("dx.code starts {R52, G89.2}", True),
        ("dx.code starts {R52, G89.4}", False),
        ("tx.nonpharm = tens", True),
        ("tx.nonpharm in {cbt, exercise}", True),
        ("tx.nonpharm empty", False),
        ("tx.nonopioid empty", True),
        ("tx.nonopioid answered", True),
        ("setting ort-oud", True),
        ("not setting ort-oud", False),
        ("known overlapping-opioids", False),
        ("never and never or always", True),
        ("never and (never or always)", False),
    ],
)
def test_a_condition_holds_or_does_not(text: str, holds: bool) -> None:
    situation = Situation(answers=ANSWERS, settings={"ort-oud"})

    assert condition(text).holds(situation) is holds


@pytest.mark.parametrize(
    "text", ["x = a", "x != a", "x in {a}", "x >= 1", "x starts {a}", "x answered", "x empty", "payer asks"]
)
def test_nothing_holds_of_what_nobody_has_answered(text: str) -> None:
    assert condition(text).holds(Situation()) is False


def test_the_payers_asking_is_the_questions_own() -> None:
    assert condition("pain.type = acute or payer asks").holds(Situation(is_asked=True))


def test_a_condition_names_the_questions_it_looks_at() -> None:
    assert questions_of(condition("not (a = x or b in {y}) and c answered or setting d")) == {"a", "b", "c"}


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "x is a", "x = ", "x in a", "x in {a", "x in {}", "(x = a", "x = a)", "x = a b = c", "and", "payer",
        "x = }", "X = a", "x ~ a", "always always", "in = a",
    ],
)  # fmt: skip
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(NotACondition):
        condition(text)
