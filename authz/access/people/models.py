"""Log-ins that failed: how often one source guesses, at one account and at all. Nobody's account is ever locked."""

from typing import ClassVar

from django.db import models


class FailedLogIn(models.Model):
    """One failure, from one source, at one account, whether there is such an account or not."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "source", "account_sha256", "failed_at"}

    source = models.CharField(max_length=45, help_text="An address; of IPv6 its /64 network. Empty when not known.")
    account_sha256 = models.CharField(max_length=64)
    failed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["source", "failed_at"], name="failures_of_a_source")]
