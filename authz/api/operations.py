"""Figures for whoever operates the service, as Prometheus reads them: what waits, for how long, what was given up.

Counted in the database at each scrape, so they are those of all processes. Labels are channels and states: nothing of
any patient, person or organization.
"""

from collections.abc import Iterator
from datetime import datetime
from hmac import compare_digest

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from authz import clock
from authz.access.tenancy import across_tenants
from authz.audit import selectors as audit
from authz.notifications import selectors as notifications
from authz.notifications.matrix import ChannelName
from authz.outbox import selectors as outbox
from authz.prior_auths import selectors as prior_auths
from authz.prior_auths.lifecycle import ACTIVE
from authz.prior_auths.services import rechecking


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the figures to whoever has the operator's token; without one set, there is nothing here."""
    token = settings.METRICS_TOKEN
    if not token:
        raise Http404
    given = request.headers.get("Authorization", "").encode()
    if not compare_digest(given, f"Bearer {token}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    with across_tenants("the operator's figures count all organizations' work"):
        registry.register(_Figures(clock.now()))
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        yield from self._outbox()
        yield from self._deliveries()
        open_ones = GaugeMetricFamily("authz_requests_open", "Open requests.", labels=["state"])
        by_state = prior_auths.open_by_state()
        for state in ACTIVE:
            open_ones.add_metric([state.value], by_state.get(state.value, 0))
        yield open_ones
        overdue = prior_auths.overdue(now=self._now).count()
        yield GaugeMetricFamily("authz_requests_overdue", "Undecided requests past their legal time.", overdue)
        waiting = rechecking.waiting().count()
        yield GaugeMetricFamily("authz_rechecks_waiting", "Patients to be evaluated again.", waiting)
        unsealed = self._age(audit.waiting_since())
        yield GaugeMetricFamily(
            "authz_audit_unsealed_seconds", "Age of the oldest audit entry that is not sealed; 0 without any.", unsealed
        )

    def _outbox(self) -> Iterator[Metric]:
        oldest = outbox.waiting_since()
        yield GaugeMetricFamily("authz_outbox_waiting", "Facts not told yet.", outbox.unsettled().count())
        yield GaugeMetricFamily(
            "authz_outbox_oldest_seconds", "Age of the oldest fact not told yet; 0 without any.", self._age(oldest)
        )
        yield GaugeMetricFamily("authz_outbox_dead", "Facts given up, to be replayed.", outbox.dead().count())

    def _deliveries(self) -> Iterator[Metric]:
        due = GaugeMetricFamily("authz_deliveries_due", "Notices that should be on their way.", labels=["channel"])
        oldest = GaugeMetricFamily(
            "authz_deliveries_oldest_seconds", "How long the oldest of them has been due.", labels=["channel"]
        )
        made = GaugeMetricFamily(
            "authz_deliveries_made_in_an_hour",
            "Notices settled in the last hour: sent, or needless by then.",
            labels=["channel"],
        )
        dead = GaugeMetricFamily("authz_deliveries_dead", "Notices given up, to be replayed.", labels=["channel"])
        figures = notifications.by_channel(now=self._now)
        for channel in ChannelName:
            of_channel = figures[channel]
            due.add_metric([channel.value], of_channel.due)
            oldest.add_metric([channel.value], self._age(of_channel.oldest))
            made.add_metric([channel.value], of_channel.made)
            dead.add_metric([channel.value], of_channel.dead)
        yield from (due, oldest, made, dead)

    def _age(self, since: datetime | None) -> float:
        return max((self._now - since).total_seconds(), 0.0) if since else 0.0
