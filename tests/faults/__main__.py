"""`make faults`: see tests/faults/__init__.py. Exit status 1 when a promise was broken."""

import argparse
import logging
import os
import sys
import time

import django
from django.core.management import call_command

from config.embedded.postgres import FOR_ALL
from tests.faults.stack import Stack
from tests.post_office import PostOffice
from tests.receiver import Receiver

SAFEGUARDS = ("outbox", "lease-expiry", "idempotency-keys")


def main() -> bool:
    """Do what the command line says; return whether every promise was kept."""
    asked = _arguments()
    office, receiver = PostOffice(), Receiver()
    began = time.monotonic()
    with (
        office.opened(),
        receiver.opened(),
        Stack(smtp_port=office.port, hook_port=receiver.port, safeguard_off=asked.without or "") as stack,
    ):
        os.environ |= stack.environment() | {
            "DATABASE_URL": stack.postgres.url("authz", options=FOR_ALL),
            "REDIS_URL": stack.valkey.url(),
        }
        django.setup()
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        call_command("migrate", verbosity=0)
        from tests.faults.run import run  # noqa: PLC0415  # its models need the database

        print(f"seed {asked.seed}; everything is up after {time.monotonic() - began:.0f} s", flush=True)
        outcome = run(
            stack,
            office,
            receiver,
            seed=asked.seed,
            seconds=asked.seconds,
            faults=asked.faults,
            clients=asked.clients,
            patients=asked.patients,
            patience=asked.patience,
            kinds=asked.only,
            has_keys=asked.without != "idempotency-keys",
        )
    print(f"\n{outcome}; {time.monotonic() - began:.0f} s in all")
    for sentence in outcome.broken[:40]:
        print(f"BROKEN: {sentence}")
    print(f"{len(outcome.broken)} promises broken." if outcome.broken else "Every promise was kept.")
    return not outcome.broken


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description="Kill, freeze and cut off; see what is lost.")
    parser.add_argument("--seed", type=int, default=1, help="decides the faults and their order")
    parser.add_argument("--seconds", type=float, default=480, help="how long people work")
    parser.add_argument("--faults", type=int, default=120)
    parser.add_argument("--only", action="append", metavar="FAULT", help="a kind of fault; may be said again")
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--patients", type=int, default=700, help="how many there are to be served at the most")
    parser.add_argument("--patience", type=float, default=240, help="for how many seconds everything may be told late")
    parser.add_argument("--without", choices=SAFEGUARDS, help="take a safeguard away: promises must be broken")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
