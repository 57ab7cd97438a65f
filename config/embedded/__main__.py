"""`python -m config.embedded run|demo`: the embedded stack from the command line."""

import argparse
import os
import signal
import sys

from config.embedded import supervisor
from config.embedded.environment import WrongDeployment
from config.embedded.lock import AlreadyRunning
from config.embedded.ports import WrongPort
from config.embedded.processes import CannotStart

ACTIONS = {"run": supervisor.run, "demo": supervisor.demo}


def main() -> int:
    """Run one action and return the exit status: 0 also for a second start, and for Ctrl-C while serving."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    parser.add_argument("action", choices=sorted(ACTIONS))
    action = ACTIONS[parser.parse_args().action]
    # Logs, mail and log-ins are for the person who started this alone.
    os.umask(0o077)
    # A shell starts background jobs deaf to Ctrl-C; we listen to all three, and treat them alike.
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    try:
        return action()
    except KeyboardInterrupt:
        return 0 if action is supervisor.run else 130
    except AlreadyRunning as news:
        print(news)
        return 0
    except (CannotStart, WrongDeployment, WrongPort) as reason:
        print(f"\nAuthz cannot start. {reason}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
