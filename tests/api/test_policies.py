"""Policies over the API: the catalog everybody reads, and an insurer's own, from the draft to the retirement."""

import json
from datetime import timedelta
from importlib import resources
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authz.access.roles import Role
from authz.api.parsers import MalformedBody, read_table
from authz.errors import InvalidInput
from authz.outbox.models import OutboxMessage
from authz.policies import catalog
from authz.policies.models import PayerPolicy, Plan
from authz.policies.schema import read_policy
from tests import cast as stage
from tests.api.callers import Caller, field_errors, machine, nothing_changes, person, refused, today
from tests.cast import Cast
from tests.policies.documents import limit, strict
from tests.policies.office import an_office

PART_D = "policies/catalog/part_d_2019/2/"


@pytest.fixture
def ada(cast: Cast) -> Caller:
    an_office(cast)
    return person("ada")


@pytest.fixture
def ben(ada: Caller) -> Caller:
    return person("ben")


def drafted(by: Caller, document: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = by.post("policies/", document or strict())
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = answer.json()
    return told


def path_of(told: dict[str, Any]) -> str:
    return f"policies/{told['id']}/"


def activated(author: Caller, activator: Caller, document: dict[str, Any] | None = None) -> dict[str, Any]:
    told = drafted(author, document)
    answer = activator.post(f"{path_of(told)}activate/", if_match='"1"')
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


# -- an insurer's own


def test_a_draft_is_told_with_every_setting_its_source_and_its_examples(ada: Caller) -> None:
    answer = ada.post("policies/", strict())

    told = answer.json()
    assert (answer.status_code, answer["Location"], answer["ETag"]) == (201, f"/api/v1/policies/{told['id']}/", '"1"')
    assert (told["state"], told["author"], told["activated_by"]) == ("draft", "Ada", None)
    parameters = {row["name"]: row for row in told["policy"]["parameters"]}
    assert parameters["limit_days"] == {
        "name": "limit_days",
        "value": 3,
        "source": "Evergreen's handbook of 2025, page 12",
        "confirmed": True,
    }
    assert parameters["gap_days"] == {"name": "gap_days", "value": 60, "source": None, "confirmed": None}
    assert [(row["name"], row["action"], row["confirmed"]) for row in told["policy"]["thresholds"]] == [
        ("mme_per_day_90", "require_authorization", False),
        ("opioid_with_benzodiazepine", "inform", True),
    ]
    assert [row["agrees"] for row in told["policy"]["examples"]] == [True, True]
    assert (told["policy"]["confirmed"], told["policy"]["unconfirmed"]) == (False, ["mme_per_day_90"])
    assert ada.get(path_of(told)).json() == told


def test_a_document_that_was_told_can_be_sent_again(ada: Caller) -> None:
    document = drafted(ada)["policy"]["document"]

    again = drafted(ada, document | {"version": "2"})

    assert again["policy"]["document"] == document | {"version": "2"}


def test_a_file_of_the_catalog_is_taken_as_it_is_but_for_its_name(ada: Caller) -> None:
    file = resources.files(catalog).joinpath("part_d_2019-2.toml").read_text(encoding="utf-8")
    toml = file.replace('version = "2"', 'version = "own-1"', 1)

    answer = ada.send("POST", "policies/", toml, content_type="application/toml")

    shipped = ada.get(PART_D).json()
    assert answer.status_code == 201
    assert answer.json()["policy"]["document"] == shipped["document"] | {"version": "own-1"}


def test_everything_that_is_wrong_is_named_by_its_path(ada: Caller) -> None:
    document = strict(colour="red", in_force_from="2025-02-30")
    document["parameters"]["limit_days"]["source"] = "rumour"

    with nothing_changes():
        errors = field_errors(ada.post("policies/", document))

    assert set(errors) == {"colour", "in_force_from", "parameters.limit_days.source"}


def test_an_example_that_does_not_come_out_is_told_and_keeps_the_draft_from_being_activated(
    ada: Caller, ben: Caller
) -> None:
    document = strict()
    document["parameters"]["limit_days"]["value"] = 4
    told = drafted(ada, document)

    with nothing_changes():
        answer = ben.post(f"{path_of(told)}activate/", if_match='"1"')

    sentence = "The fourth day needs authorization: it requires none."
    assert told["policy"]["examples"][1]["disagreements"] == ["it requires none."]
    assert field_errors(answer) == {"examples[1]": ("invalid", sentence)}


def test_a_draft_is_put_anew_and_its_writer_is_the_author_then(ada: Caller, ben: Caller) -> None:
    told = drafted(ada)

    answer = ben.send("PUT", path_of(told), json.dumps(limit(5)), if_match='"1"')
    with nothing_changes():
        stale = ada.send("PUT", path_of(told), json.dumps(limit(6)), if_match='"1"')

    assert (answer.status_code, answer["ETag"], answer.json()["author"]) == (200, '"2"', "Ben")
    refused(stale, 412, "stale-version")


def test_the_second_person_signs_what_they_have_read(ada: Caller, ben: Caller) -> None:
    here = f"{path_of(drafted(ada))}activate/"

    with nothing_changes():
        refused(ben.post(here), 428, "if-match-required")
        refused(ben.post(here, if_match='"2"'), 412, "stale-version")
        refused(ada.post(here, if_match='"1"'), 403, "forbidden")
    answer = ben.post(here, if_match='"1"', key="k")
    again = ben.post(here, if_match='"1"', key="k")

    assert (answer.status_code, answer["ETag"], answer.json()["activated_by"]) == (200, '"2"', "Ben")
    assert (again.json(), again["ETag"], again["Idempotency-Replayed"]) == (answer.json(), '"2"', "true")
    assert OutboxMessage.objects.filter(topic="policy.activated").count() == 1


def test_an_active_policy_is_closed_and_two_never_hold_on_one_day(ada: Caller, ben: Caller) -> None:
    told = activated(ada, ben)
    second = drafted(ada, strict(version="2"))

    with nothing_changes():
        put = ada.send("PUT", path_of(told), json.dumps(limit(5)))
        again = ben.post(f"{path_of(told)}activate/", if_match='"2"')
        both = ben.post(f"{path_of(second)}activate/", if_match='"1"')

    refused(put, 409, "policy-closed")
    refused(again, 409, "policy-closed")
    assert list(field_errors(both)) == ["in_force_from"]


def test_a_policy_is_retired_from_today_on_or_later(ada: Caller, ben: Caller) -> None:
    here = f"{path_of(activated(ada, ben))}retire/"

    with nothing_changes():
        past = ben.post(here, {"retired_on": (today() - timedelta(days=1)).isoformat()})
        shapeless = ben.post(here, {"on": "today"})
    answer = ben.post(here, {"retired_on": today().isoformat()}, if_match='"2"')

    assert list(field_errors(past)) == ["retired_on"]
    assert set(field_errors(shapeless)) == {"on", "retired_on"}
    assert (answer.status_code, answer["ETag"], answer.json()["state"]) == (200, '"3"', "retired")
    assert answer.json()["policy"]["in_force_until"] == (today() - timedelta(days=1)).isoformat()


def test_the_list_is_filtered_and_in_pages(ada: Caller, ben: Caller) -> None:
    activated(ada, ben)
    drafted(ada, strict(version="2"))
    drafted(ada, strict(code="other"))

    def found(**parameters: str) -> list[tuple[str, str]]:
        return [(row["code"], row["version"]) for row in ada.get("policies/", **parameters).json()["results"]]

    assert found() == [("other", "1"), ("evergreen", "2"), ("evergreen", "1")]
    assert found(code="evergreen", state="draft") == [("evergreen", "2")]
    assert ada.get("policies/", limit="1").json()["next"] is not None
    assert list(field_errors(ada.get("policies/", state="odd"))) == ["state"]


@pytest.mark.parametrize("name", ["stella", "jones", "mallory"])
def test_a_clinic_has_no_policies_and_finds_none(cast: Cast, ada: Caller, name: str) -> None:
    told = drafted(ada)

    refused(person(name).get("policies/"), 403, "forbidden")
    refused(person(name).get(path_of(told)), 403, "forbidden")


@pytest.mark.parametrize("method", ["GET", "PUT", "activate", "retire"])
def test_another_insurer_finds_nothing(ada: Caller, method: str) -> None:
    here, sue = path_of(drafted(ada)), person("sue")
    calls = {
        "GET": lambda: sue.get(here),
        "PUT": lambda: sue.send("PUT", here, json.dumps(limit(5))),
        "activate": lambda: sue.post(f"{here}activate/", if_match='"1"'),
        "retire": lambda: sue.post(f"{here}retire/", {"retired_on": today().isoformat()}),
    }

    with nothing_changes():
        refused(calls[method](), 404, "not-found")
    assert sue.get("policies/").json()["results"] == []


def test_a_reviewer_reads_policies_and_a_machine_decides_on_none(cast: Cast, ada: Caller) -> None:
    told = drafted(ada)
    robot = machine(cast.evergreen, Role.INSURER_ADMIN)

    assert person("rae").get(path_of(told)).json() == told
    with nothing_changes():
        refused(person("rae").post("policies/", strict(version="2")), 403, "forbidden")
        refused(robot.post(f"{path_of(told)}activate/", if_match='"1"'), 403, "forbidden")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.sampled_from(sorted(strict())), value=anything)
def test_whatever_is_sent_is_drafted_or_refused(ada: Caller, part: str, value: Any) -> None:
    PayerPolicy.objects.all().delete()

    answer = ada.post("policies/", strict(**{part: value}))

    assert answer.status_code in {201, 400, 422}, answer.content


# -- TOML


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"code = ", "The body is not TOML: end of document."),
        (b'a = "secret"\na = "secret"\n', "The body is not TOML: line 2, column 13."),
        (b"\xff", "The body is not UTF-8"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "The body is n"),
        (b"a = " + b"[" * 40 + b"]" * 40, "nested deeper than 32 levels"),
        (b"a = 1979-02-30", "The body is not TOML"),
        (b"a = " + b"9" * 5000, "The body is not TOML that can be read."),
    ],
)
def test_what_is_no_toml_is_refused_with_its_place_and_not_quoted(body: bytes, words: str) -> None:
    with pytest.raises(MalformedBody) as refusal:
        read_table(body)

    assert words in refusal.value.detail
    assert "secret" not in refusal.value.detail


def test_toml_that_means_nothing_in_a_policy_is_refused_by_its_path() -> None:
    table = read_table(b"in_force_from = 2025-01-01T10:00:00\nin_force_until = 10:00:00\nversion = inf")

    with pytest.raises(InvalidInput) as refusal:
        read_policy(table)

    assert {"in_force_from", "in_force_until", "version"} <= set(refusal.value.fields)


# -- the catalog


@pytest.mark.parametrize("name", ["stella", "rae", "mallory"])
def test_everybody_reads_the_catalog(cast: Cast, name: str) -> None:
    caller = person(name)

    rows = caller.get("policies/catalog/").json()["results"]
    told = caller.get(PART_D).json()

    assert [(row["code"], row["version"]) for row in rows] == sorted(
        version.key for versions in catalog.policies().values() for version in versions
    )
    assert (told["code"], told["version"], told["confirmed"]) == ("part_d_2019", "2", False)
    assert all(example["agrees"] for example in told["examples"])


@pytest.mark.parametrize("path", ["nothing/1/", "default/9/", "DEFAULT/1/"])
def test_what_does_not_ship_is_not_there(cast: Cast, path: str) -> None:
    refused(person("stella").get(f"policies/catalog/{path}"), 404, "unknown-policy")


def test_the_catalog_is_not_written_to(cast: Cast, ada: Caller) -> None:
    refused(ada.send("PUT", PART_D, json.dumps(strict())), 405, "method-not-allowed")


# -- which policy holds for a plan


def policies_of(plan: Plan) -> str:
    return f"plans/{plan.public_id}/policies/"


def test_a_clinic_checks_the_policy_of_a_plan_that_covers_its_patient(cast: Cast, ada: Caller, ben: Caller) -> None:
    activated(ada, ben, limit(3, code="default", version="own"))
    stella, here = person("stella"), policies_of(cast.plan)
    refused(stella.get(here), 404, "not-found")
    stage.register(cast)

    own, before = stella.get(here).json(), stella.get(here, on="2024-12-31").json()

    assert (own["on"], own["policy"]["version"], own["is_payer_rule_unknown"]) == (today().isoformat(), "own", False)
    assert (before["policy"]["version"], before["plan"]["code"]) == ("1", "EV-PPO")
    refused(person("mallory").get(here), 404, "not-found")


def test_a_day_on_which_no_version_holds_is_marked(cast: Cast, ada: Caller) -> None:
    plan = ada.post("plans/", {"code": "D", "name": "Part D", "policy": "part_d_2019", "regime": "generic"}).json()

    told = ada.get(f"plans/{plan['id']}/policies/", on="2018-12-31").json()

    assert (told["policy"]["code"], told["is_payer_rule_unknown"]) == ("default", True)


def test_an_insurer_sees_its_own_plans_policy_and_no_other_insurers(cast: Cast, ada: Caller) -> None:
    stage.register(cast, by=stage.machine_of(cast.oscar), insured=False)
    stage.insure(cast, stage.register(cast, by=cast.oscar, insured=False), by=cast.oscar)

    assert ada.get(policies_of(cast.plan)).status_code == 200
    refused(person("oscar").get(policies_of(cast.plan)), 404, "not-found")
    assert list(field_errors(ada.get(policies_of(cast.plan), on="soon"))) == ["on"]


def test_an_administrator_opens_a_plan(cast: Cast, ada: Caller) -> None:
    body = {"code": "D", "name": "Part D", "policy": "part_d_2019", "regime": "generic"}

    answer = ada.post("plans/", body, key="k")

    assert (answer.status_code, answer.json()["time_zone"]) == (201, "America/New_York")
    assert ada.post("plans/", body, key="k").json() == answer.json()
    with nothing_changes():
        twice = field_errors(ada.post("plans/", body | {"policy": "gone", "regime": "gone", "time_zone": "Mars"}))
        shapeless = field_errors(ada.post("plans/", body | {"code": "E", "regime": "../catalog/default-1"}))
        refused(person("rae").post("plans/", body | {"code": "E"}), 403, "forbidden")
    assert set(twice) == {"code", "policy", "regime", "time_zone"}
    assert shapeless == {"regime": ("invalid-code", "A code is needed: lower case letters, digits and _.")}
