"""Who somebody is, by password and second factor; and the ends of their sessions.

Guesses are counted for each source, and for each source at one account, never for an account alone: whoever guesses at
somebody's password keeps themselves out, and not the person.
"""

from datetime import datetime, timedelta
from typing import Final

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from authz.access.models import AccessToken, Person
from authz.access.people.models import FailedLogIn
from authz.access.people.selectors import SEALED, has_second_factor, lacks_second_factor, sealed_factors
from authz.access.tenancy import across_tenants
from authz.access.tokens import sha256_of
from authz.errors import AuthzError
from authz.sealing import resealed

WINDOW: Final = timedelta(minutes=5)
MOST_AT_ONE_ACCOUNT: Final = 5
MOST_OF_ONE_SOURCE: Final = 50

# Checked when nobody has that e-mail address, so that the answer takes as long as for someone who exists.
_NOBODY = make_password("nobody has this password")


class LogInRefused(AuthzError):
    """The e-mail address, the password or the code is wrong. Which one is not said."""

    code = "log-in-refused"


class TooManyLogIns(AuthzError):
    """Too many log-ins failed from where the request comes from. From elsewhere the person can log in."""

    code = "too-many-log-ins"


class SecondFactorNeeded(AuthzError):
    """The person has a second factor, and no code was sent."""

    code = "second-factor-needed"


class SecondFactorMissing(AuthzError):
    """One of the person's roles needs a second factor, and they have none yet."""

    code = "second-factor-missing"


def authenticate(*, email: str, password: str, source: str, now: datetime) -> Person:
    """Return whom an e-mail address and a password belong to. Not inside a transaction: a failure is kept.

    :raises LogInRefused: when either is wrong.
    :raises TooManyLogIns: when that source failed too often in the last five minutes.
    """
    account = sha256_of(email.lower())
    _must_be_patient(account, source=source, now=now)
    person = Person.objects.filter(email=email.lower(), is_active=True).first()
    if not check_password(password, person.password if person else _NOBODY) or person is None:
        raise _failed("The e-mail address or the password is wrong.", account, source=source, now=now)
    FailedLogIn.objects.filter(account_sha256=account, source=source).delete()
    return person


def check_second_factor(*, person: Person, code: str, source: str, now: datetime) -> None:
    """Check the code of an authenticator app, or a recovery code, of whoever has a second factor or must have one.

    :raises SecondFactorNeeded: when there is one, and no code.
    :raises SecondFactorMissing: when there is none, and one of the person's roles needs one.
    :raises LogInRefused: when the code is wrong.
    :raises TooManyLogIns: when that source failed too often in the last five minutes.
    """
    if lacks_second_factor(person):
        raise SecondFactorMissing("Your role needs a second factor. Log in to the pages first, and set one up.")
    if not has_second_factor(person):
        return
    if not code:
        raise SecondFactorNeeded("Send the code of your authenticator app, or a recovery code, too.")
    account = sha256_of(f"code of {person.pk}")
    _must_be_patient(account, source=source, now=now)
    known = Authenticator.objects.filter(user=person).exclude(type=Authenticator.Type.WEBAUTHN)
    if not any(one.wrap().validate_code(code) for one in known):
        raise _failed("The code is wrong.", account, source=source, now=now)


@transaction.atomic
def end_session(*, person: Person, session_id: int) -> None:
    """End one of a person's own sessions. One that is not theirs, or has ended, stays as it is."""
    for session in UserSession.objects.filter(user=person, pk=session_id):
        session.end()


@transaction.atomic
@across_tenants("a person's tokens are their own, for whichever organization")
def end_others(*, person: Person, but: str, now: datetime) -> None:
    """End all of a person's sessions but the one of that key, and every token of theirs."""
    for session in UserSession.objects.filter(user=person).exclude(session_key=but):
        session.end()
    AccessToken.objects.filter(person=person, revoked_at=None).update(revoked_at=now)


@across_tenants("a person's tokens are their own, for whichever organization")
def end_token(*, person: Person, token_id: int, now: datetime) -> None:
    """End one of a person's own tokens. One that is not theirs, or has ended, stays as it is."""
    AccessToken.objects.filter(person=person, pk=token_id, revoked_at=None).update(revoked_at=now)


def prune_failures(*, now: datetime) -> int:
    """Forget failures that count no more; return how many there were."""
    return FailedLogIn.objects.filter(failed_at__lte=now - WINDOW).delete()[0]


@transaction.atomic
def reseal() -> int:
    """Seal every second factor's secret with the first key; return how many there are.

    :raises CannotOpen: when one was sealed with a key that is no longer there.
    """
    sealed = list(sealed_factors().select_for_update())
    for one in sealed:
        one.data = {name: resealed(kept) if name in SEALED else kept for name, kept in one.data.items()}
        one.save(update_fields=["data"])
    return len(sealed)


def _must_be_patient(account: str, *, source: str, now: datetime) -> None:
    recent = FailedLogIn.objects.filter(source=source, failed_at__gt=now - WINDOW)
    here = recent.filter(account_sha256=account).count()
    if here >= MOST_AT_ONE_ACCOUNT or recent.count() >= MOST_OF_ONE_SOURCE:
        raise TooManyLogIns("Too many log-ins failed from here. Try again in five minutes.")


def _failed(sentence: str, account: str, *, source: str, now: datetime) -> LogInRefused:
    FailedLogIn.objects.create(source=source, account_sha256=account, failed_at=now)
    return LogInRefused(sentence)
