"""What a request's questions are prefilled with. Nothing here counts before a person has confirmed it.

What a question's `prefill_from` says is done here or not at all. Only the clinic's own records and the request itself
are looked at: another tenant's words never become a clinic's answers.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings

from authz.documentation import selectors as documentation
from authz.documentation.conditions import JsonValue
from authz.documentation.models import Answer
from authz.documentation.services.answers import Known
from authz.formulary import selectors as formularies
from authz.pain.models import PainScoreVersion
from authz.pain.sight import score_of, standing_scores
from authz.prescriptions.models import Exemption, PrescriptionVersion
from authz.prior_auths.exempt_reasons import ANSWER_FOR
from authz.prior_auths.known_facts import has_benzodiazepine
from authz.prior_auths.models import Authorization, PriorAuth, RequestedLine
from authz.prior_auths.record_words import sentences_told
from authz.rules.amounts import plain
from authz.rules.formulary import Formulary
from authz.rules.pain_signal import Instrument
from authz.rules.records import ExemptionCategory

_RECENT_DAYS: Final = 30
"""A PEG asks about the past week; one of longer ago is not offered as an answer. The product's choice."""


def prefill_of(prior_auth: PriorAuth, *, on: date) -> dict[str, Known]:
    """Return what is known on a day of the clinic's calendar, by question id. What is not known is not among them."""
    formulary = formularies.that_answered(prior_auth.evaluation.formulary_version)
    computed = {
        **_use(prior_auth, formulary),
        **_first_line(prior_auth.lines.order_by("line").first(), formulary),
        **_exemption(prior_auth),
        "req.type": "continuation" if _has_been_authorized(prior_auth) else "new",
        "req.start": prior_auth.pa_required_from.isoformat(),
        "req.sig": _directions(prior_auth),
        "pr.npi": prior_auth.prescriber.npi if prior_auth.prescriber else None,
        "ortoud.7": _is_of_ort_oud_age(prior_auth),
    }
    filled_in = {name: Known(value=value) for name, value in computed.items() if value not in (None, "")}
    return {**filled_in, **_pain(prior_auth, on)}


def earlier_answers(prior_auth: PriorAuth) -> list[Answer]:
    """Return what this clinic has confirmed for this patient on its other requests, the latest last."""
    others = PriorAuth.objects.filter(patient=prior_auth.patient_id, clinic=prior_auth.clinic_id)
    sheets = others.exclude(pk=prior_auth.pk).exclude(answers=None).values_list("answers", flat=True)
    return list(documentation.confirmed_on(list(sheets)))


def _use(prior_auth: PriorAuth, formulary: Formulary) -> Mapping[str, JsonValue]:
    runs = _mme_asked(prior_auth)
    sentences = " ".join(sentences_told(prior_auth.explanation))
    return {
        "use.days": sentences,  # as the first version of the questionnaire calls it
        "req.days_used": sentences,
        "req.mme_daily": str(max(Decimal(amount) for amount, _ in runs)) if runs else None,
        "req.mme_complete": all(is_complete for _, is_complete in runs) if runs else None,
        # That no record tells of one says nothing: other prescribers' are not always known.
        "benzo.concurrent": True if has_benzodiazepine(prior_auth, formulary) else None,
    }


def _mme_asked(prior_auth: PriorAuth) -> list[tuple[str, bool]]:
    """Return the MME of each stretch of days from the first that needs authorization on, and whether it is complete."""
    series: list[tuple[str, str, str, bool]] = prior_auth.evaluation.verdict["mme"]["series"]
    first = prior_auth.pa_required_from.isoformat()
    # A renewal begins after all that is known of: what is taken last is what is asked for again.
    asked = [run for run in series if run[1] >= first] or series[-1:]
    return [(amount, is_complete) for _, _, amount, is_complete in asked]


def _first_line(line: RequestedLine | None, formulary: Formulary) -> Mapping[str, JsonValue]:
    if line is None:
        return {}
    product = formulary.product(line.rxcui)
    return {
        "req.drug": line.product_name,
        "req.quantity": None if line.quantity is None else plain(line.quantity),
        "req.days_supply": line.days_supply,
        "req.release": product.release.value if product else None,
    }


def _pain(prior_auth: PriorAuth, on: date) -> Mapping[str, Known]:
    """Suggest what the clinic's own chart has on pain, each with its day; sent only once a person confirms it."""
    scores = [one for one in standing_scores(prior_auth.patient, prior_auth.clinic) if one.scored_on <= on]
    oldest = on - timedelta(days=_RECENT_DAYS)
    pegs = [one for one in scores if one.instrument == Instrument.PEG.value]
    ratings = [one for one in scores if one.instrument == Instrument.PAIN_NOW.value]
    known: dict[str, Known] = {}
    for latest in (one for one in ratings[-1:] if one.scored_on >= oldest):
        known["pain.nrs"] = _charted(prior_auth, latest, latest.pain)
    for latest in (one for one in pegs[-1:] if one.scored_on >= oldest):
        answers = {"peg.1": latest.pain, "peg.2": latest.enjoyment, "peg.3": latest.activity}
        known |= {name: _charted(prior_auth, latest, answer) for name, answer in answers.items()}
    for baseline in _baseline(pegs[:-1], start=_episode_start(prior_auth)):
        known["peg.baseline"] = _charted(prior_auth, baseline, _written_number(score_of(baseline).score))
        known["peg.baseline.on"] = _charted(prior_auth, baseline, baseline.scored_on.isoformat())
    return known


def _baseline(earlier: Sequence[PainScoreVersion], *, start: date) -> Sequence[PainScoreVersion]:
    """Return, as one or none, the last PEG from before the use began; where there is none, the first one of the use."""
    before = [one for one in earlier if one.scored_on <= start]
    return before[-1:] or earlier[:1]


def _charted(prior_auth: PriorAuth, score: PainScoreVersion, value: JsonValue) -> Known:
    noon = datetime.combine(score.scored_on, time(12), ZoneInfo(prior_auth.clinic.time_zone))
    return Known(value=value, charted_at=noon)


def _written_number(number: Fraction) -> str:
    """Return a number with four decimals at most, as exact as an answer is kept."""
    return plain(Decimal(round(number * 10_000)).scaleb(-4))


def _episode_start(prior_auth: PriorAuth) -> date:
    """Return the first day of the use; requests opened before traces were kept know the first that needs approval."""
    episodes = prior_auth.explanation.get("trace", {}).get("episodes", [])
    return date.fromisoformat(episodes[0]["start"]) if episodes else prior_auth.pa_required_from


def _exemption(prior_auth: PriorAuth) -> Mapping[str, JsonValue]:
    """Suggest the clinic's latest exemption that touches the days asked for, or none; it decides nothing."""
    own = Exemption.objects.filter(
        patient=prior_auth.patient_id, organization=prior_auth.clinic_id, withdrawn_at=None
    ).order_by("-pk")
    found = next((one for one in own if one.ends_on is None or one.ends_on >= prior_auth.pa_required_from), None)
    if found is None:
        return {"ex.reason": "none"}
    return {
        "ex.reason": ANSWER_FOR[ExemptionCategory(found.category)],
        "ex.evidence": found.evidence,
        "ex.start": _written(found.starts_on),
        "ex.end": _written(found.ends_on),
    }


def _written(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _is_of_ort_oud_age(prior_auth: PriorAuth) -> bool | None:
    """Say whether the patient is 16 to 45 years old on the first day asked for; None where it is nobody's question."""
    born, on = prior_auth.patient.birth_date, prior_auth.pa_required_from
    if born is None or not settings.ORT_OUD:
        return None
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return 16 <= years <= 45


def _has_been_authorized(prior_auth: PriorAuth) -> bool:
    return Authorization.objects.filter(
        prior_auth__patient=prior_auth.patient_id,
        prior_auth__clinic=prior_auth.clinic_id,
        starts_on__lt=prior_auth.pa_required_from,
        revoked_at=None,
    ).exists()


def _directions(prior_auth: PriorAuth) -> str | None:
    """Return the directions of the latest order that the clinic itself recorded for the episode."""
    version = (
        PrescriptionVersion.objects.filter(
            prescription__public_id__in=prior_auth.record_ids, prescription__organization=prior_auth.clinic_id
        )
        .exclude(directions="")
        .order_by("-starts_on", "-pk")
        .first()
    )
    return version.directions if version else None
