"""One run: people at work, faults, then peace, and the verdict."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from threading import Event

from django.db import connection, connections

from authz import clock
from authz.access import services as access
from authz.access.roles import Role
from authz.notifications.models import Delivery
from authz.outbox.models import OutboxMessage
from tests import cast as stage
from tests.faults.plan import FAULTS, Plan
from tests.faults.stack import Stack, wait_for
from tests.faults.traffic import Ledger, at_work
from tests.faults.verdict import broken_promises, mails, wait_until_drained
from tests.notifications.hooks import registered
from tests.post_office import PostOffice
from tests.receiver import Receiver

MORE_STAFF = 6
"""So many more hear what the clinic's staff hear."""


@dataclass(slots=True)
class Outcome:
    """What came of a run; `broken` is a sentence for each broken promise."""

    facts: int
    notices: int
    lives: int
    calls: int
    repeats: int
    faults: int
    mails_twice: int
    hooks_tried: int
    drained_in: float | None
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        drained = "never" if self.drained_in is None else f"in {self.drained_in:.1f} s"
        return (
            f"{self.lives} requests decided, {self.calls} calls accepted and {self.repeats} repeated; {self.facts} "
            f"facts, {self.notices} notices; {self.faults} faults; drained {drained}; {self.mails_twice} mails came "
            f"twice with one id; {self.hooks_tried} webhooks tried"
        )


def run(
    stack: Stack,
    office: PostOffice,
    receiver: Receiver,
    *,
    seed: int,
    seconds: float,
    faults: int,
    clients: int,
    patients: int,
    patience: float,
    kinds: Collection[str] | None = None,
    has_keys: bool = True,
) -> Outcome:
    """Let clients work for so many seconds, or until all patients are served and all faults are done."""
    cast = stage.assemble()
    for number in range(MORE_STAFF):
        person = access.create_person(email=f"staff-{number}@example.org", full_name="Staff", password=stage.PASSWORD)
        access.add_membership(person=person, organization=cast.riverside, role=Role.STAFF)
    for organization in (cast.riverside, cast.evergreen):
        registered(organization, receiver)
    tokens = {
        name: access.log_in(email=f"{name}@example.org", password=stage.PASSWORD, now=clock.now())[0]
        for name in ("stella", "jones", "rae")
    }
    waiting = [str(stage.register(cast).public_id) for _ in range(patients)]
    connections.close_all()
    stack.serve()
    for port in stack.web_ports:
        wait_for(port)
    ledger, enough = Ledger(), Event()
    threads = at_work(
        clients,
        tokens=tokens,
        patients=waiting,
        ports=stack.web_ports,
        ledger=ledger,
        enough=enough,
        has_keys=has_keys,
    )
    plan = Plan(stack, office, receiver, seed=seed, faults=faults, seconds=seconds * 0.9, kinds=kinds or FAULTS)
    plan.start()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and any(thread.is_alive() for thread in threads):
        time.sleep(10)
        print(f"{' ' * 9}{len(ledger.accepted)} steps accepted, {ledger.repeats.total()} calls repeated", flush=True)
    plan.stop()
    enough.set()
    for thread in threads:
        thread.join(120)
    print("All is mended; waiting until everything is told.", flush=True)
    drained = wait_until_drained(patience=patience)
    outcome = Outcome(
        facts=OutboxMessage.objects.count(),
        notices=Delivery.objects.count(),
        lives=ledger.lives,
        calls=len(ledger.accepted) + len(ledger.fills),
        repeats=ledger.repeats.total(),
        faults=plan.done.total(),
        mails_twice=sum(number - 1 for number in mails(office).values() if number > 1),
        hooks_tried=len(receiver.ids),
        drained_in=drained,
        broken=list(broken_promises(ledger, office, receiver)),
    )
    if any(thread.is_alive() for thread in threads):
        outcome.broken.append("a client was never answered")
    connection.close()
    return outcome
