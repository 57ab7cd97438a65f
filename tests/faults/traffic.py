"""Clinics, prescribers and reviewers at work through the API, who repeat a call until it is answered, with one key."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event, Lock, Thread
from typing import Any
from uuid import uuid4

from config.embedded.caller import Answer, Caller, NotObserved
from tests import cast as stage

SECONDS_FOR_AN_ANSWER = 8.0
SECONDS_OF_PATIENCE = 90.0
ANSWERS_LOST = 0.1
"""How many answers are lost on their way to the client, who cannot know that what it asked for was done."""
ROUNDS = 8
"""How often a clinic asks its prescriber before it submits: each is two facts to tell for two calls."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A step that was answered with 2xx: which version of which request it made."""

    request: str
    step: str
    version: int


@dataclass(slots=True)
class Ledger:
    """What the clients were told. `refused` is what nobody should have been told."""

    accepted: list[Accepted] = field(default_factory=list)
    fills: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    lives: int = 0
    lock: Lock = field(default_factory=Lock)


class Refused(Exception):
    """The service refused what it should have done."""


class _Enough(Exception):
    """The time is over."""


class Person:
    """Somebody who calls one of the web processes, and another one when it does not answer."""

    def __init__(self, token: str, ports: list[int], ledger: Ledger, random: Random, *, has_keys: bool) -> None:
        self._callers = [Caller(f"http://127.0.0.1:{port}", token, SECONDS_FOR_AN_ANSWER) for port in ports]
        self._ledger, self._random, self._has_keys = ledger, random, has_keys

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call until there is an answer that is no failure of the service.

        :raises Refused: for 4xx, and when there is none for a minute and a half.
        """
        key, began = str(uuid4()), time.monotonic()
        while time.monotonic() - began < SECONDS_OF_PATIENCE:
            keys = {"Idempotency_Key": key if self._has_keys else str(uuid4())} if method == "POST" else {}
            try:
                answer = self._random.choice(self._callers)._exchange(method, path, body, {**headers, **keys})
            except NotObserved:
                self._again("no answer")
                continue
            if answer.status < 400 and self._random.random() < ANSWERS_LOST:
                self._again("the answer was lost on the way")
                continue
            if answer.status < 400:
                return answer
            if answer.status < 500:
                raise self._refusal(f"{method} {path}: {answer.status} {answer.body}")
            self._again(str(answer.status))
        raise self._refusal(f"{method} {path}: nobody answered for {SECONDS_OF_PATIENCE:.0f} s")

    def _refusal(self, said: str) -> Refused:
        with self._ledger.lock:
            self._ledger.refused.append(said)
        return Refused(said)

    def _again(self, why: str) -> None:
        with self._ledger.lock:
            self._ledger.repeats[why] += 1
        time.sleep(self._random.uniform(0.1, 0.5))


class Clinic:
    """One client: takes patient after patient from a first fill to a decision, until it is told to stop."""

    def __init__(
        self,
        number: int,
        *,
        tokens: Mapping[str, str],
        patients: list[str],
        ports: list[int],
        ledger: Ledger,
        enough: Event,
        has_keys: bool,
    ) -> None:
        random = Random(number)
        self._people = {name: Person(token, ports, ledger, random, has_keys=has_keys) for name, token in tokens.items()}
        self._patients, self._ledger, self._enough = patients, ledger, enough
        self._today = datetime.now(UTC).date() - timedelta(days=1)

    def work(self) -> None:
        """Take patients until there are none left or it is enough."""
        while self._patients:
            try:
                self._a_life(self._patients.pop())
            except Refused:
                continue
            except _Enough:
                return

    def _a_life(self, patient: str) -> None:
        identifier = f"F-{patient}"
        fill = {
            "patient": patient, "identifier": identifier, "dispensed_on": str(self._today), "quantity": "40",
            "rxcui": stage.OXYCODONE_5, "days_supply": 10, "fill_number": 0, "prescriber_npi": stage.JONES_NPI,
        }  # fmt: skip
        stella = self._people["stella"]
        stella.call("POST", "fills/", fill)
        found = stella.call("GET", f"prior-authorizations/?patient={patient}").body["results"]
        with self._ledger.lock:
            self._ledger.fills.append(identifier)
        (request,) = [row["id"] for row in found]
        self._step("stella", request, "take-up")
        asked = stella.call("GET", f"prior-authorizations/{request}/answers/").body["answers"]
        known = {row["question"]: row["value"] for row in asked if row["source"] == "computed"}
        followup = str(self._today + timedelta(days=8))
        answers = {**known, **stage.ANSWERS, "plan.followup": followup}
        for number in range(ROUNDS):
            # An answer that changed is to be attested anew.
            answers["pain.why_longer"] = f"{stage.ANSWERS['pain.why_longer']} {number + 1}"
            stella.call("PATCH", f"prior-authorizations/{request}/answers/", {"answers": answers})
            self._step("stella", request, "ask-prescriber", {"question": "Please attest."})
            self._step("jones", request, "answer-prescriber", {"answers": {"pr.attest": True}})
        self._step("stella", request, "submit", {})
        version = self._step("rae", request, "claim")
        self._step("rae", request, "approve", If_Match=f'"{version}"')
        with self._ledger.lock:
            self._ledger.lives += 1

    def _step(self, name: str, request: str, step: str, body: Any = None, **headers: str) -> int:
        if self._enough.is_set():
            raise _Enough
        answer = self._people[name].call("POST", f"prior-authorizations/{request}/{step}/", body, **headers)
        version = int(answer.body["version"])
        with self._ledger.lock:
            self._ledger.accepted.append(Accepted(request, step.replace("-", "_"), version))
        return version


def at_work(
    clients: int,
    *,
    tokens: Mapping[str, str],
    patients: list[str],
    ports: list[int],
    ledger: Ledger,
    enough: Event,
    has_keys: bool = True,
) -> list[Thread]:
    """Start so many clients; they share the patients. `tokens` are those of Stella, Dr Jones and Rae, by name."""
    clinics = [
        Clinic(number, tokens=tokens, patients=patients, ports=ports, ledger=ledger, enough=enough, has_keys=has_keys)
        for number in range(clients)
    ]
    threads = [Thread(target=clinic.work, daemon=True) for clinic in clinics]
    for thread in threads:
        thread.start()
    return threads
