"""Where the words of a search are found among a clinic's requests.

Names and numbers of patients are sealed, and no index tells them: those of the clinic's own requests are opened here
and read, in two statements for all words. That takes microseconds a patient, and keeps nothing in the database by which
names could be guessed.
"""

from collections.abc import Iterable, Sequence

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, Exists, Func, OuterRef, Q, Value

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
    named = list(called.values_list("patient", "value", "family_name", "given_name"))
    insured = list(Coverage.objects.filter(pk__in=own.values("coverage")).values_list("pk", "member_id"))
    return [_found(word, named, insured) for word in words]


def _found(word: str, named: Iterable[tuple[int, str, str, str]], insured: Iterable[tuple[int, str]]) -> Q:
    said = word.casefold()
    patients = [
        key
        for key, number, family, given in named
        if said in family.casefold() or said in given.casefold() or said == number.casefold()
    ]
    coverages = [key for key, member_id in insured if said == member_id.casefold()]
    asked = RequestedLine.objects.filter(prior_auth=OuterRef("pk"), product_name__icontains=word)
    granted = Authorization.objects.filter(prior_auth=OuterRef("pk"), number__iexact=word)
    of_patient = Q(patient__in=_each(patients)) | Q(coverage__in=_each(coverages))
    return Q(number__iexact=word) | of_patient | Q(Exists(asked)) | Q(Exists(granted))


def _each(keys: list[int]) -> Func:
    """Return the keys as one parameter: half a clinic can have the same letter in its name."""
    listed = Value(keys, output_field=ArrayField(BigIntegerField()))
    select = "(SELECT %(function)s(%(expressions)s))"
    return Func(listed, function="unnest", template=select, output_field=BigIntegerField())
