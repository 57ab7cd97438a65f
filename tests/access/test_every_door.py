"""Every address of the service, walked by strangers who hold every role in another clinic and in another insurer.

The addresses are those of the URL configuration, so a new one is walked without a line here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from authz.access import services as access
from authz.access.models import Organization, Person
from authz.access.ownership import UNDER_POLICY
from authz.access.roles import CLINIC_ROLES, INSURER_ROLES
from authz.prescriptions.models import Coverage, Fill, PatientIdentifier, Prescription
from authz.prior_auths.models import Authorization, PriorAuth
from tests import cast as stage
from tests.access.full_house import fill_the_house, owned
from tests.api.callers import person
from tests.cast import Cast

pytestmark = pytest.mark.thorough

NAMED_OTHERWISE = {
    "client_id": "ApiClient",
    "notice_id": "InboxEntry",
    "endpoint_id": "WebhookEndpoint",
    "score_id": "PainScore",
    "policy_id": "PayerPolicy",
    "question_id": "IdentityQuestion",
}
WORDS = {"code": "default", "version": "1", "step": "submit", "name": "mail"}
OPEN_TO_NOBODY = {"healthz", "readyz", "metrics"}
LEADING_OUT = {"current-token", "log-out", "account_logout", "account_signup", "account_login"}


@dataclass(frozen=True)
class Door:
    """An address with the ids of rows that are strangers' to whoever walks by."""

    path: str
    methods: tuple[str, ...]
    parameters: tuple[str, ...]
    has_ids: bool
    has_file: bool


def patterns(within: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in within.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, route)
        elif pattern.name not in OPEN_TO_NOBODY:
            yield route, pattern


def doors(known: Mapping[str, str]) -> Iterator[Door]:
    """Yield every address of the service."""
    for route, pattern in sorted(patterns(get_resolver()), key=lambda one: one[1].name in LEADING_OUT):
        path, converters = f"/{route}", pattern.pattern.converters
        for name, converter in converters.items():
            kind = "uuid" if type(converter).__name__ == "UUIDConverter" else "str"
            value = known[name] if kind == "uuid" else WORDS.get(name, "1")
            path = re.sub(rf"<(\w+:)?{name}>", value, path)
        view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
        methods = tuple(one for one in ("get", "post", "put", "patch", "delete") if hasattr(view, one))
        filters = getattr(getattr(view, "filterset_class", None), "base_filters", {})
        parameters = (*getattr(view, "parameters", ()), *filters)
        has_file = any(one.media_type == "text/csv" for one in getattr(view, "renderer_classes", ()))
        has_ids = any(one in known for one in converters)
        yield Door(path, methods or ("get",), parameters, has_ids=has_ids, has_file=has_file)


def ids_of_everything() -> dict[str, str]:
    """Return, by the name that an address gives it, the id of one row of each model that has one."""
    named = {model.__name__: model for model in apps.get_app_config("authz").get_models()}
    found: dict[str, Model | None] = {name: model._base_manager.order_by("pk").first() for name, model in named.items()}
    public = {name: str(row.public_id) for name, row in found.items() if hasattr(row, "public_id")}
    by_parameter = {f"{snake(name)}_id": value for name, value in public.items()}
    return by_parameter | {parameter: public[name] for parameter, name in NAMED_OTHERWISE.items()}


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")


def markers(allowed: set[str]) -> set[str]:
    """Return what would give a stranger's rows away: their public ids, numbers and names."""
    public = {
        str(value)
        for model in owned()
        if model.__name__ in UNDER_POLICY and "public_id" in {field.name for field in model._meta.fields}
        for value in model._base_manager.values_list("public_id", flat=True)
    }
    numbers = {
        *PatientIdentifier.objects.values_list("value", flat=True),
        *Coverage.objects.values_list("member_id", flat=True),
        *Fill.objects.values_list("identifier", flat=True),
        *Prescription.objects.values_list("identifier", flat=True),
        *PriorAuth.objects.values_list("number", flat=True),
        *Authorization.objects.values_list("number", flat=True),
    }
    return (public | numbers | {"Riverside", "Evergreen", "EV-PPO", "ev_ppo", "Stella Marsh", "hook.example"}) - allowed


def somebody_with_every_role(organization: Organization) -> Person:
    email = f"everything-{organization.pk}@example.org"
    somebody = access.create_person(email=email, full_name="Max Power", password=stage.PASSWORD)
    for role in CLINIC_ROLES if organization.kind == "clinic" else INSURER_ROLES:
        access.add_membership(person=somebody, organization=organization, role=role)
    return somebody


def known_to(organization: Organization) -> set[str]:
    """Return what is no stranger's: the organization itself, and to a clinic the payers and their plans."""
    mine = {str(organization.public_id), organization.name}
    if organization.kind != "clinic":
        return mine
    payers = Organization.objects.filter(kind="insurer")
    plans = [plan for payer in payers for plan in payer.plans.all()]
    return mine | {str(one.public_id) for one in [*payers, *plans]} | {"Evergreen", "EV-PPO", "ev_ppo"}


def snapshot() -> dict[str, dict[int, Any]]:
    return {
        model.__name__: {row["id"]: row for row in model._base_manager.values()}
        for model in owned()
        if model.__name__ in UNDER_POLICY
    }


def said(answer: HttpResponse, path: str) -> str:
    """Return all that an answer says, but for the ids that were asked for."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return re.sub("|".join(path.strip("/").split("/")) or "^$", "", f"{headers}\n{body.decode(errors='replace')}")


def walk(
    stranger: Person, organization: Organization, known: Mapping[str, str]
) -> Iterator[tuple[str, HttpResponse, Door]]:
    """Go through every door, by every method, with every parameter that it takes, as a page and as a file."""
    token = person(stranger.email.partition("@")[0], organization).token
    browser = Client(raise_request_exception=False)
    browser.force_login(stranger)
    session = browser.session
    session["organization"] = str(organization.public_id)
    session.save()
    values = {name.removesuffix("_id"): value for name, value in known.items()}
    for door in doors(known):
        is_api = door.path.startswith("/api/")
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k", "If-Match": '"1"'} if is_api else {}
        for method in door.methods:
            tell = getattr(browser, method)
            body = {} if method == "get" or not is_api else {"data": "{}", "content_type": "application/json"}
            yield method, tell(door.path, **body, headers=headers), door
        if door.has_file:
            span = {"since": "2025-03-01", "until": "2025-03-31"}
            yield "get file", browser.get(door.path, span, headers={**headers, "Accept": "text/csv"}), door
        for name in door.parameters:
            asked = values.get(name, "MRN")
            yield f"get {name}", browser.get(door.path, {name: asked}, headers=headers), door


def test_strangers_find_nothing_behind_any_door(cast: Cast) -> None:
    fill_the_house(cast)
    known, before = ids_of_everything(), snapshot()
    strangers = {one: somebody_with_every_role(one) for one in (cast.hillside, cast.summit)}

    walked, leaks = 0, list[str]()
    for organization, stranger in strangers.items():
        secrets = markers(allowed=known_to(organization))
        for method, answer, door in walk(stranger, organization, known):
            walked += 1
            assert answer.status_code == 200 or (method, door.path) != ("get", "/inbox/"), "logged out"
            text = said(answer, door.path)
            found = sorted(secret for secret in secrets if secret in text)
            is_shut = answer.status_code in {302, 400, 403, 404, 405, 406, 409, 412, 415, 422, 428} or not door.has_ids
            if found or answer.status_code >= 500 or not is_shut:
                leaks.append(f"{organization} {method} {door.path} {answer.status_code} {found[:3]}")

    assert leaks == [], "\n".join(leaks)
    assert walked > 400
    after = snapshot()
    assert {name: {key: after[name].get(key) for key in rows} for name, rows in before.items()} == before
