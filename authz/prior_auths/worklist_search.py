"""Where the words of a search are found among a clinic's requests.

Patients' names are sealed, and no index tells them: those of the clinic's own requests are opened here and read, once
for all words. That takes microseconds a patient, and keeps nothing in the database by which names could be guessed.
Their numbers are found by blind indexes.
"""

from collections.abc import Iterable, Sequence

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, Func, Q, QuerySet, Value

from authz.access.roles import Actor
from authz.prescriptions.models import Coverage, PatientIdentifier
from authz.prior_auths.models import Authorization, PriorAuth, RequestedLine


def found_in(words: Sequence[str], by: Actor) -> list[Q]:
    """Return for each word where it is: in the clinic's own name or number of the patient, or on the request.

    What another organization calls the patient is never searched, so no search tells of it.
    """
    if not words:
        return []
    own = PriorAuth.objects.filter(clinic=by.organization)
    called = PatientIdentifier.objects.filter(assigner=by.organization, patient__in=own.values("patient"))
    named = list(called.values_list("patient", "family_name", "given_name"))
    insured = Coverage.objects.filter(pk__in=own.values("coverage"))
    return [_named(word, named) | _numbered(word, called, insured) | _on_request(word, own) for word in words]


def _named(word: str, named: Iterable[tuple[int, str, str]]) -> Q:
    said = word.casefold()
    return Q(patient__in=_each([key for key, *names in named if any(said in name.casefold() for name in names)]))


def _numbered(word: str, called: QuerySet[PatientIdentifier], insured: QuerySet[Coverage]) -> Q:
    """Find a patient's number or that of a membership, as it is typed or in capitals or in small letters."""
    spelled = {word, word.upper(), word.lower()}
    of_coverage = insured.filter(member_id_index__in=spelled).values("pk")
    return Q(patient__in=called.filter(value_index__in=spelled).values("patient")) | Q(coverage__in=of_coverage)


def _on_request(word: str, own: QuerySet[PriorAuth]) -> Q:
    # Each list is found once. Asked of each request, PostgreSQL would look through them as often as there are requests.
    asked = RequestedLine.objects.filter(prior_auth__in=own, product_name__icontains=word).values("prior_auth")
    granted = Authorization.objects.filter(prior_auth__in=own, number__iexact=word).values("prior_auth")
    return Q(number__iexact=word) | Q(pk__in=asked) | Q(pk__in=granted)


def _each(keys: list[int]) -> Func:
    """Return the keys as one parameter: half a clinic can have the same letter in its name."""
    listed = Value(keys, output_field=ArrayField(BigIntegerField()))
    select = "(SELECT %(function)s(%(expressions)s))"
    return Func(listed, function="unnest", template=select, output_field=BigIntegerField())
