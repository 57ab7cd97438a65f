"""The OpenAPI document is whole, valid, served, and the one that is kept in docs/."""

from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from authz.api import urls
from authz.audit.circumstances import PURPOSES

pytestmark = pytest.mark.thorough

KEPT = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
OPEN = {"/api/v1/tokens/", "/api/v1/meta/lifecycle/", "/api/v1/meta/regimes/"}


@pytest.fixture(scope="module")
def document() -> str:
    told = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=told)
    return told.getvalue()


@pytest.fixture(scope="module")
def api(document: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(document)
    return read


def operations(api: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, told) for path, methods in api["paths"].items() for method, told in methods.items()]


def test_the_document_that_is_kept_is_the_one_the_code_makes(document: str) -> None:
    assert KEPT.read_text(encoding="utf-8").strip() == document.strip(), (
        "Make it anew: python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"
    )


def test_it_is_openapi_3_1_and_holds_every_address(api: dict[str, Any]) -> None:
    addresses = [pattern for pattern in urls.urlpatterns if str(pattern.pattern).startswith("v1/")]

    assert api["openapi"].startswith("3.1.")
    assert len(api["paths"]) == len(addresses)


def test_every_operation_says_what_it_does_and_what_problems_it_answers(api: dict[str, Any]) -> None:
    for path, method, told in operations(api):
        assert told["description"].endswith("."), (path, method)
        problems = {status for status, answer in told["responses"].items() if "application/problem+json" in str(answer)}
        expected = {"406", "422"} if path in OPEN else {"401", "403", "406", "422"}
        assert expected <= problems, (path, method)
        # To open a request by hand names a patient, who may be none of the caller's.
        names_somebody = "{" in path or (path, method) == ("/api/v1/prior-authorizations/", "post")
        assert ("404" in problems) == names_somebody, (path, method)


def test_every_post_but_the_log_in_takes_an_idempotency_key(api: dict[str, Any]) -> None:
    without = [
        path
        for path, method, told in operations(api)
        if method == "post" and "Idempotency-Key" not in {header.get("name") for header in told.get("parameters", [])}
    ]

    assert without == ["/api/v1/tokens/"]


def test_every_operation_takes_a_purpose_of_use_that_is_said_once(api: dict[str, Any]) -> None:
    said = {"$ref": "#/components/parameters/PurposeOfUse"}

    assert [path for path, _, told in operations(api) if said not in told["parameters"]] == []
    assert set(api["components"]["parameters"]["PurposeOfUse"]["schema"]["enum"]) == PURPOSES


def test_decisions_require_if_match(api: dict[str, Any]) -> None:
    required = {
        path.rsplit("/", 2)[1]
        for path, _, told in operations(api)
        for header in told.get("parameters", [])
        if header.get("name") == "If-Match" and header.get("required")
    }

    assert required == {
        "approve", "approve-in-part", "deny", "activate", "reopen", "uphold", "overturn", "overturn-in-part",
        "record-independent-review",
    }  # fmt: skip


def test_the_document_and_its_explorer_are_served_from_here_alone(client: Client, db: None) -> None:
    told, explorer = client.get("/api/openapi.json"), client.get("/api/docs/")

    assert (told.status_code, told.json()["info"]["title"]) == (200, "Authz")
    page = explorer.content.decode()
    assert explorer.status_code == 200
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page
    assert "//cdn" not in page
    with closing(client.get("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js")) as script:
        assert script.status_code == 200
