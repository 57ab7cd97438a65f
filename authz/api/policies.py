"""Payers' policies: the catalog that ships, and what an insurer holds itself, from its draft to its retirement."""

from typing import Any, ClassVar, cast

from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from authz.access.roles import Action, must_be_allowed
from authz.api.etags import etag, expected_version
from authz.api.fields import Day, In
from authz.api.parsers import StrictJSONParser, StrictTOMLParser
from authz.api.policy_out import (
    CatalogRowOut,
    OwnPolicyOut,
    OwnPolicyRowOut,
    PolicyDocument,
    VersionOut,
    version_values,
)
from authz.api.prior_auth_steps import IF_MATCH, header
from authz.api.views import IDEMPOTENCY_KEY, Door, Listing
from authz.ids import PayerPolicyId
from authz.policies import catalog, selectors, services
from authz.policies.models import PayerPolicy, PolicyState

TAG = ["policies"]


class RetirementIn(In):
    """The first day on which the policy no longer holds: today or later, for what held, held."""

    retired_on = Day()


class PolicyFilters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    code = filters.CharFilter(label="The policy's code, exactly.")
    state = filters.ChoiceFilter(choices=[(state.value, state.value) for state in PolicyState])

    class Meta:
        model = PayerPolicy
        fields: list[str] = []


class PolicyDoor(Door):
    """An address of one policy: its answer carries the edition as ETag."""

    def document(self) -> dict[str, Any]:
        """Return the body, which authz.policies.schema reads."""
        return cast(dict[str, Any], self.request.data)

    def whole(self, policy_id: PayerPolicyId, *, status: int = 200) -> Response:
        """Return the answer that tells everything of a policy."""
        row = selectors.payer_policy(self.actor, policy_id)
        values = version_values(selectors.version_of(row))
        return Response({**OwnPolicyRowOut(row).data, "policy": VersionOut(values).data}, status=status)


class PoliciesView(Listing, PolicyDoor):
    queryset = PayerPolicy.objects.none()
    serializer_class = OwnPolicyRowOut
    filterset_class = PolicyFilters
    parser_classes: ClassVar[list[type[BaseParser]]] = [StrictJSONParser, StrictTOMLParser]  # type: ignore[misc]  # narrower is meant

    @extend_schema(operation_id="list_policies", tags=TAG, responses=OwnPolicyRowOut(many=True))
    def get(self, request: Request) -> Response:
        """List the policies that your organization holds itself; those that ship are in the catalog."""
        return self.listed(selectors.payer_policies(self.actor))

    @extend_schema(
        operation_id="draft_policy",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": PolicyDocument, "application/toml": str},
        responses={201: OwnPolicyOut},
    )
    def post(self, request: Request) -> Response:
        """Draft a version of a policy, as JSON or as a TOML file like those of the catalog."""
        must_be_allowed(self.actor, Action.DECIDE_POLICIES)
        return tagged(self.once(self._draft))

    def _draft(self) -> Response:
        row = services.draft_policy(document=self.document(), by=self.actor, now=self.now)
        answer = self.whole(PayerPolicyId(row.public_id), status=201)
        answer["Location"] = reverse("api:policy", args=[row.public_id])
        return answer


class PolicyView(PolicyDoor):
    parser_classes: ClassVar[list[type[BaseParser]]] = [StrictJSONParser, StrictTOMLParser]  # type: ignore[misc]  # narrower is meant
    problem_statuses: ClassVar[tuple[int, ...]] = (409, 412)

    @extend_schema(operation_id="read_policy", tags=TAG, responses=OwnPolicyOut)
    def get(self, request: Request, policy_id: PayerPolicyId) -> Response:
        """Read one policy, every setting with its source. The ETag is what an activation sends back as If-Match."""
        return tagged(self.whole(policy_id))

    @extend_schema(
        operation_id="rewrite_policy",
        tags=TAG,
        parameters=[IF_MATCH],
        request={"application/json": PolicyDocument, "application/toml": str},
        responses=OwnPolicyOut,
    )
    def put(self, request: Request, policy_id: PayerPolicyId) -> Response:
        """Put another document in place of a draft's; you are its author then."""
        must_be_allowed(self.actor, Action.DECIDE_POLICIES)
        services.rewrite_policy(
            policy_id=policy_id,
            document=self.document(),
            by=self.actor,
            now=self.now,
            expected_edition=expected_version(request, is_required=False),
        )
        return tagged(self.whole(policy_id))


class ActivationView(PolicyDoor):
    problem_statuses: ClassVar[tuple[int, ...]] = (409, 412, 428)

    @extend_schema(
        operation_id="activate_policy",
        tags=TAG,
        parameters=[header(IF_MATCH, required=True), IDEMPOTENCY_KEY],
        request=None,
        responses=OwnPolicyOut,
    )
    def post(self, request: Request, policy_id: PayerPolicyId) -> Response:
        """Bring a draft in force, as somebody other than its author. It can never be changed again."""
        must_be_allowed(self.actor, Action.DECIDE_POLICIES)
        self.read(In)
        edition = expected_version(request, is_required=True)
        return tagged(self.once(lambda: self._activate(policy_id, edition)))

    def _activate(self, policy_id: PayerPolicyId, edition: int | None) -> Response:
        services.activate_policy(policy_id=policy_id, by=self.actor, now=self.now, expected_edition=edition)
        return self.whole(policy_id)


class RetirementView(PolicyDoor):
    problem_statuses: ClassVar[tuple[int, ...]] = (409, 412)

    @extend_schema(
        operation_id="retire_policy",
        tags=TAG,
        parameters=[IF_MATCH, IDEMPOTENCY_KEY],
        request=RetirementIn,
        responses=OwnPolicyOut,
    )
    def post(self, request: Request, policy_id: PayerPolicyId) -> Response:
        """End an active policy; the days on which it held stay its own."""
        must_be_allowed(self.actor, Action.DECIDE_POLICIES)
        values = self.read(RetirementIn)
        edition = expected_version(request, is_required=False)
        return tagged(self.once(lambda: self._retire(policy_id, values, edition)))

    def _retire(self, policy_id: PayerPolicyId, values: dict[str, Any], edition: int | None) -> Response:
        services.retire_policy(policy_id=policy_id, **values, by=self.actor, now=self.now, expected_edition=edition)
        return self.whole(policy_id)


class CatalogOut(serializers.Serializer[Any]):
    results = CatalogRowOut(many=True)


class CatalogView(Door):
    @extend_schema(operation_id="list_catalog_policies", tags=TAG, responses=CatalogOut)
    def get(self, request: Request) -> Response:
        """List the versions that ship with the product, whoever asks."""
        shipped = [version for _, versions in sorted(catalog.policies().items()) for version in versions]
        return Response(CatalogOut({"results": shipped}).data)


class CatalogPolicyView(Door):
    @extend_schema(operation_id="read_catalog_policy", tags=TAG, responses=VersionOut)
    def get(self, request: Request, code: str, version: str) -> Response:
        """Read one version that ships. Its `document`, with another version, can be sent as a draft."""
        return Response(VersionOut(version_values(catalog.version_named(code, version))).data)


def tagged(answer: Response) -> Response:
    """Return the answer about a policy with its ETag."""
    answer["ETag"] = etag(answer.data["edition"])
    return answer
