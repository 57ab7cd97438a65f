"""An insurer's plans, each naming the policy and the regime that apply to its members."""

from typing import ClassVar

from django.db import models

from authz.ids import new_id


class Plan(models.Model):
    """`policy` and `regime` are codes of entries in the catalog; `time_zone` is the calendar its legal days run in."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "insurer", "code", "name", "policy", "regime", "time_zone"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    insurer = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="plans")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    policy = models.CharField(max_length=60, default="default")
    regime = models.CharField(max_length=60, default="generic")
    time_zone = models.CharField(max_length=64, default="America/New_York")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["insurer", "code"], name="plan_code_once_per_insurer")]

    def __str__(self) -> str:
        return self.name
