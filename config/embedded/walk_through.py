"""The main job, told and seen: `python -m config.embedded.walk_through --url http://127.0.0.1:8000 --mail FOLDER`.

A black box: it knows the public API, the mails that arrive, and the demonstration's log-ins. It ends with exit status 0
only when every step was observed, and otherwise names the step that was not. Every run brings a new patient.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from textwrap import fill
from zoneinfo import ZoneInfo

from authz.demonstration import people
from config.embedded.caller import Answer, Caller, Json, Letterbox, NotObserved, await_it, words_of

STELLA, JONES, RAE = "stella@riverside.example", "jones@riverside.example", "rae@evergreen.example"
PLAN = "EVG-PPO"
OXYCODONE = {"rxcui": "1049621", "product_name": "oxycodone hydrochloride 5 MG Oral Tablet"}
DAYS_A_FILL = 4
WIDTH = 90
INDENT = " " * 5


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice that arrived: by which channel, and how many seconds after what it tells of."""

    says: str
    channel: str
    to: str
    seconds: float


@dataclass(slots=True)
class Walk:
    """What the walk-through has seen so far."""

    url: str
    letterbox: Letterbox
    seconds: float
    stella: Caller = field(init=False)
    jones: Caller = field(init=False)
    rae: Caller = field(init=False)
    run: str = field(default_factory=lambda: token_hex(4))
    today: date = field(init=False)
    patient: Json = None
    member: str = ""
    prior_auth: Json = None
    happened_at: float = 0.0
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stella, self.jones, self.rae = (Caller(self.url, seconds=self.seconds) for _ in range(3))

    @property
    def address(self) -> str:
        """Return the request's address in the API."""
        return f"prior-authorizations/{self.prior_auth['id']}/"


# -- 1 to 5: a request opens itself -----------------------------------------------------------------------------------
def log_in(walk: Walk) -> list[str]:
    """Stella, on the clinic's staff, logs in"""
    walk.stella.log_in(STELLA, people.password())
    me = walk.stella.get("organizations/me/")
    _must(me["roles"] == ["staff"], f"the roles are {me['roles']}")
    walk.today = datetime.now(ZoneInfo(me["organization"]["time_zone"])).date()
    return [f"{me['name']} at {me['organization']['name']}, where it is {walk.today}"]


def register(walk: Walk) -> list[str]:
    """She registers a new patient and what covers them"""
    walk.member = f"EV-W{walk.run}"
    told = {
        "identifier": f"WALK-{walk.run}",
        "family_name": f"Thornquist-{walk.run}",
        "given_name": "Wilhelmina",
        "birth_date": "1971-03-29",
    }
    walk.patient = walk.stella.post("patients/", told, expect=201).body
    plan = next((plan for plan in walk.stella.get("plans/?limit=200")["results"] if plan["code"] == PLAN), None)
    if plan is None:
        raise NotObserved(f"there is no plan {PLAN}")
    coverage = {"plan": plan["id"], "member_id": walk.member, "starts_on": f"{walk.today.year - 1}-01-01"}
    walk.stella.post("coverages/", {"patient": walk.patient["id"], **coverage}, expect=201)
    return [f"{told['identifier']}, member {walk.member} of {plan['name']} ({plan['insurer']['name']})"]


def first_fill(walk: Walk) -> list[str]:
    """A fill of four days: no request is needed"""
    answer = walk.stella.post("fills/", _fill(walk, 1), expect=201)
    found = _requests(walk)
    _must(not found, f"there are {len(found)} requests already")
    use = walk.stella.get(f"patients/{walk.patient['id']}/opioid-use/")
    _must(use["is_required"] is False, "the rule says that a request is needed")
    return [f"fill {answer.body['identifier']}: {answer.body['outcome']}", use["explanation"][0]]


def second_fill(walk: Walk) -> list[str]:
    """A second fill takes the patient past seven days: a request opens itself"""
    walk.stella.post("fills/", _fill(walk, 2), expect=201)
    walk.happened_at = time.monotonic()
    found = _requests(walk)
    _must(len(found) == 1, f"there are {len(found)} requests, not one")
    _read(walk, found[0]["id"])
    _must_be(walk, "detected")
    sentence = _rule(walk)
    expected = f"{2 * DAYS_A_FILL} covered days since {walk.today - timedelta(days=DAYS_A_FILL)}; the limit is 7"
    _must(sentence.startswith(expected), f"the rule says: {sentence}")
    return [f"{walk.prior_auth['number']} is {walk.prior_auth['state']}", f"because: {sentence}"]


def same_fill_again(walk: Walk) -> list[str]:
    """The same fill told again changes nothing"""
    answer = walk.stella.post("fills/", _fill(walk, 2), expect=200)
    _must(answer.body["outcome"] == "unchanged", f"the outcome is {answer.body['outcome']}")
    found = _requests(walk)
    _must(len(found) == 1, f"there are {len(found)} requests, not one")
    return [f"fill {answer.body['identifier']}: unchanged; still one request"]


# -- 6 to 9: the clinic completes it ----------------------------------------------------------------------------------
def told_of_opening(walk: Walk) -> list[str]:
    """Dr Jones, who prescribed, is told, without a word about the patient"""
    walk.jones.log_in(JONES, people.password())
    return _told(walk, "prior-auth.opened", "was opened")


def complete(walk: Walk) -> list[str]:
    """Stella takes the request up and answers its questions"""
    walk.stella.post(f"{walk.address}take-up/")
    asked = walk.stella.get(f"{walk.address}answers/")["answers"]
    prefilled = {row["question"]: row["value"] for row in asked if row["source"] == "computed"}
    _must("req.days_used" in prefilled, "the use so far is not prefilled")
    answers = {
        **prefilled,
        "ex.reason": "none",
        "dx.code": "S82.201A",
        "pain.type": "post-surgical",
        "pain.why_longer": "Second operation on the same bone; walking starts next week.",
        "pdmp.checked": True,
        "benzo.concurrent": False,
        "plan.followup": str(walk.today + timedelta(days=7)),
    }
    walk.stella.call("PATCH", f"{walk.address}answers/", {"answers": answers}, expect=200)
    _read(walk)
    _must_be(walk, "draft")
    missing = walk.stella.get(f"{walk.address}questionnaire/")["missing"]
    _must(missing == ["pr.attest"], f"still missing: {missing}")
    return [f"{len(answers)} questions answered, {len(prefilled)} of them from what is known; the attestation is open"]


def attest(walk: Walk) -> list[str]:
    """She asks Dr Jones, who is told, and attests"""
    walk.stella.post(f"{walk.address}ask-prescriber/", {"question": "Please attest that this is right."})
    walk.happened_at = time.monotonic()
    _read(walk)
    _must_be(walk, "awaiting_prescriber")
    told = _told(walk, "prior-auth.prescriber-asked", "only you can answer")
    walk.jones.post(f"{walk.address}answer-prescriber/", {"answers": {"pr.attest": True}})
    _read(walk)
    _must_be(walk, "draft")
    return [*told, "attested"]


def submit(walk: Walk) -> list[str]:
    """She submits it; sending it twice submits it once"""
    key = f"walk-{walk.run}"
    first = walk.stella.post(f"{walk.address}submit/", {}, Idempotency_Key=key)
    again = walk.stella.post(f"{walk.address}submit/", {}, Idempotency_Key=key)
    _must(again.headers.get("Idempotency-Replayed") == "true", "the second answer is not the first one again")
    _must(again.body["version"] == first.body["version"], "it was submitted twice")
    _read(walk)
    _must_be(walk, "queued")
    due = walk.prior_auth["due"]
    _must(bool(due and due["at"] and due["why"]), "no due time is given")
    at = datetime.fromisoformat(due["at"]).astimezone(UTC)
    return [f"with {walk.prior_auth['insurer']['name']}, due {at:%Y-%m-%d %H:%M} UTC", f"why: {due['why']}"]


# -- 10 to 12: the insurer decides ------------------------------------------------------------------------------------
def claim(walk: Walk) -> list[str]:
    """Rae, at the insurer, finds it in her queue and claims it"""
    walk.rae.log_in(RAE, people.password())
    queue = walk.rae.get(f"prior-authorizations/?state=queued&number={walk.prior_auth['number']}")["results"]
    _must([row["id"] for row in queue] == [walk.prior_auth["id"]], "it is not in the insurer's queue")
    answer = walk.rae.post(f"{walk.address}claim/")
    _must(answer.body["state"] == "in_review", f"it is {answer.body['state']}")
    return [f"in review by {answer.body['reviewer']}"]


def approve(walk: Walk) -> list[str]:
    """She approves it, on the version that she has read"""
    version = walk.rae.call("GET", walk.address, expect=200).headers["ETag"]
    decided: Answer = walk.rae.post(f"{walk.address}approve/", If_Match=version)
    walk.happened_at = time.monotonic()
    _read(walk)
    _must_be(walk, "decided")
    _must(decided.body["determinations"][0]["outcome"] == "approved", "it is decided, but not approved")
    _must(bool(walk.prior_auth["authorizations"]), "there is no authorization")
    return [
        f"{one['number']}: {one['days_granted']} days, {one['quantity_granted']} units, "
        f"from {one['starts_on']} to {one['ends_on']}"
        for one in walk.prior_auth["authorizations"]
    ]


def told_of_decision(walk: Walk) -> list[str]:
    """Dr Jones is told of the decision"""
    return _told(walk, "prior-auth.approved", "was approved")


STEPS: tuple[Callable[[Walk], list[str]], ...] = (
    log_in,
    register,
    first_fill,
    second_fill,
    same_fill_again,
    told_of_opening,
    complete,
    attest,
    submit,
    claim,
    approve,
    told_of_decision,
)


# -- looking ----------------------------------------------------------------------------------------------------------
def _must(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise NotObserved(otherwise)


def _must_be(walk: Walk, state: str) -> None:
    _must(walk.prior_auth["state"] == state, f"{walk.prior_auth['number']} is {walk.prior_auth['state']}, not {state}")


def _fill(walk: Walk, count: int) -> Json:
    """Return the first or the second fill of four days, the second on the day after the first one's last."""
    return {
        "patient": walk.patient["id"],
        "identifier": f"WALK-{walk.run}-{count}",
        "dispensed_on": str(walk.today - timedelta(days=DAYS_A_FILL * (2 - count))),
        "quantity": str(4 * DAYS_A_FILL),
        "days_supply": DAYS_A_FILL,
        "fill_number": count - 1,
        "prescriber_npi": next(one.npi for one in people.log_ins() if one.email == JONES),
        **OXYCODONE,
    }


def _requests(walk: Walk) -> list[Json]:
    return list(walk.stella.get(f"prior-authorizations/?patient={walk.patient['id']}")["results"])


def _read(walk: Walk, request_id: str = "") -> None:
    """Read the request as it is now, as the clinic sees it."""
    walk.prior_auth = walk.stella.get(f"prior-authorizations/{request_id or walk.prior_auth['id']}/")


def _rule(walk: Walk) -> str:
    return str(walk.prior_auth["explanation"]["sentences"][0])


def _told(walk: Walk, topic: str, words: str) -> list[str]:
    """Wait for both notices to Dr Jones: the inbox entry of that topic, and the mail with these words."""
    number = walk.prior_auth["number"]
    entry = await_it(lambda: _entry(walk, topic), what=f"no {topic} for {number} in the inbox", seconds=walk.seconds)
    _note(walk, entry["text"], "inbox")
    letter = await_it(lambda: _letter(walk, words), what=f"no mail that {number} {words}", seconds=walk.seconds)
    _note(walk, entry["text"], "e-mail")
    return [f"inbox: {entry['text']}", f"e-mail: {letter}"]


def _entry(walk: Walk, topic: str) -> Json | None:
    entries = walk.jones.get(f"inbox/?prior_authorization={walk.prior_auth['id']}")["results"]
    return next((entry for entry in entries if entry["topic"] == topic), None)


def _letter(walk: Walk, words: str) -> str | None:
    """Return the subject of the mail to Dr Jones about the request, which must say nothing about the patient."""
    for letter, raw in walk.letterbox.letters_to(JONES):
        subject = str(letter["Subject"])
        if walk.prior_auth["number"] in subject and words in subject:
            _must_keep_silent(walk, words_of(letter, raw))
            return subject
    return None


def _must_keep_silent(walk: Walk, words: str) -> None:
    patient = walk.patient
    known = [patient["identifier"], patient["family_name"], patient["given_name"], patient["birth_date"], walk.member]
    drug = ["oxycodone", OXYCODONE["rxcui"]]
    leaked = [word for word in [*known, *drug, patient["id"]] if word.lower() in words.lower()]
    _must(not leaked, f"a mail gives away {len(leaked)} facts about the patient")


def _note(walk: Walk, says: str, channel: str) -> None:
    walk.deliveries.append(Delivery(says, channel, JONES, time.monotonic() - walk.happened_at))


# -- telling ----------------------------------------------------------------------------------------------------------
def tell(walk: Walk) -> bool:
    """Take every step and tell what was seen; return whether all of them were."""
    print(f"The main job, step by step, at {walk.url}\n", flush=True)
    for number, step in enumerate(STEPS, start=1):
        name = (step.__doc__ or "").strip()
        begun = time.monotonic()
        try:
            seen = step(walk)
        except NotObserved as otherwise:
            print(f"\nstep {number} ({name}) was not observed: {otherwise}", flush=True)
            return False
        print(f"{number:>3}  {name:<{WIDTH - 4}} {time.monotonic() - begun:6.2f} s")
        for line in seen:
            print(fill(line, initial_indent=INDENT, subsequent_indent=f"{INDENT}  ", width=WIDTH + 10), flush=True)
    _sum_up(walk)
    return True


def _sum_up(walk: Walk) -> None:
    request = walk.prior_auth
    decision = request["determinations"][0]
    rows = {
        "request": request["number"],
        "rule": f"{request['policy']}-{request['policy_version']}: {_rule(walk)}",
        "decision": f"{decision['outcome']} by {decision['decided_by']} ({request['insurer']['name']})",
        "authorization": ", ".join(one["number"] for one in request["authorizations"]),
    }
    print("\nEvery step was observed.\n")
    for name, text in rows.items():
        print(f"  {name:<14} {text}")
    print("  deliveries")
    for one in walk.deliveries:
        print(f"    {one.seconds:5.2f} s  {one.channel:<7} {one.to:<24} {one.says}")
    print(flush=True)


def main() -> None:
    """Read the command line, and take the walk."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded.walk_through", description=__doc__)
    parser.add_argument("--url", required=True, help="where the product serves, such as http://127.0.0.1:8000")
    parser.add_argument("--mail", required=True, type=Path, help="the folder of the mail catcher")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to wait for anything (%(default)s)")
    chosen = parser.parse_args()
    walk = Walk(chosen.url.rstrip("/"), Letterbox(chosen.mail), chosen.seconds)
    sys.exit(0 if tell(walk) else 1)


if __name__ == "__main__":
    main()
