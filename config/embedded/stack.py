"""What runs in one data folder: the servers, then the product's programs, started and stopped in order."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.embedded import environment, leftovers, ports, preparation
from config.embedded.folders import ROOT
from config.embedded.paths import socket_folder
from config.embedded.postgres import PRODUCT, Postgres
from config.embedded.processes import CannotStart, await_end, ending, server_account, spawn, tail
from config.embedded.programs import product_programs
from config.embedded.services import Program, Service, Watched, must_live, put_old_log_aside, stop_together
from config.embedded.valkey import Valkey
from config.env import text

_HOOKS_BESIDE = 60
_LAST_START = 65000

DATABASE = "authz"
SECONDS_TO_SERVE = 60.0
TICK = 0.1


def say(line: str) -> None:
    """Tell the person in front of the terminal, or reading a CI log, at once."""
    print(line, flush=True)


class Stack:
    """Everything of one start. Use start(), then keep_watch() or run_to_its_end(); always end with stop()."""

    def __init__(self, data: Path, port: int) -> None:
        """Plan a start in `data`, which must exist and be ours alone (see lock.held); nothing runs yet."""
        self.data = data
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.mail = data / "mail"
        self.servers: list[Postgres | Valkey] = []
        self.programs: list[Program] = []
        self.watched: list[Watched] = []
        self.env: dict[str, str] = {}
        # Whoever owns the tables migrates them, and nobody else can; with a database of yours, say who.
        self.owner = text("DATABASE_OWNER_URL", "")

    # -- start ----------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the servers, prepare the database, start the programs, and wait until the product serves.

        :raises CannotStart: when any of it fails; the message shows the end of the log.
        """
        leftovers.stop_noted(self.data / "processes.json")
        for log in self.data.glob("*.log"):
            put_old_log_aside(log)
        self.start_servers()
        self._prepare()
        self._start_programs()

    def start_servers(self) -> None:
        """Start PostgreSQL and Valkey beside each other, each unless there is one of yours.

        :raises CannotStart: when one of them dies, or takes too long.
        """
        addresses = {}
        if any(not environment.is_yours(name) for name in environment.MIGHT_BE_YOURS):
            sockets = socket_folder(self.data / "run", server_account())
        if not environment.is_yours("REDIS_URL"):
            valkey = Valkey(self.data / "valkey", sockets)
            addresses["REDIS_URL"] = valkey.url()
            self._begin(valkey)
        if not environment.is_yours("DATABASE_URL"):
            postgres = Postgres(self.data / "postgres", sockets, durable=True)
            addresses["DATABASE_URL"] = postgres.url(DATABASE, user=PRODUCT)
            self.owner = postgres.url(DATABASE)
            self._begin(postgres)
        for server in self.servers:
            self._await_server(server)
        # One that stays the same where it can: endpoints are registered with it.
        hook_port = ports.next_free(min(self.port + _HOOKS_BESIDE, _LAST_START))
        self.env = environment.for_programs(
            data=self.data, port=self.port, mail_port=ports.any_free(), hook_port=hook_port, addresses=addresses
        )
        environment.write_note(self.data, self.env)

    def _begin(self, server: Postgres | Valkey) -> None:
        self.servers.append(server)
        server.begin()

    def _await_server(self, server: Postgres | Valkey) -> None:
        server.wait()
        if isinstance(server, Postgres):
            server.create_database(DATABASE)
        self.watched.append(Watched(server))

    def _prepare(self) -> None:
        """Migrate, and load the demonstration, unless our own database has seen exactly this code do both.

        What the demonstration writes to its standard output is kept, to be shown when all is ready.
        """
        code = preparation.digest(ROOT)
        if preparation.is_done(self.data, code) and not environment.is_yours("DATABASE_URL"):
            return
        preparation.begin(self.data)
        self.log_ins.unlink(missing_ok=True)
        self._manage("migrate", "--no-input", shown=self.data / "setup.log", env=self._as_owner())
        self._manage("load_demonstration", shown=self.log_ins)
        preparation.finish(self.data, code)

    @property
    def log_ins(self) -> Path:
        """Where the demonstration wrote whom one can log in as."""
        return self.data / "log-ins.txt"

    def _as_owner(self) -> dict[str, str]:
        if not self.owner:
            return self.env
        # A file would go before the address.
        return {name: value for name, value in self.env.items() if name != "DATABASE_URL_FILE"} | {
            "DATABASE_URL": self.owner
        }

    def _manage(self, *words: str, shown: Path, env: Mapping[str, str] | None = None) -> None:
        errors = self.data / "setup.log"
        status = self.run_to_its_end("manage.py", *words, output=shown, errors=errors, env=env)
        if status != 0:
            raise CannotStart(
                f"`manage.py {words[0]}` failed ({ending(status)}). The end of {errors}:\n{tail(errors, lines=30)}"
            )

    def _start_programs(self) -> None:
        self.programs = product_programs(data=self.data, env=self.env, port=self.port)
        for program in self.programs:
            program.begin()
        self._await_service()
        self.watched += [Watched(program) for program in self.programs]
        self._note_processes()

    def _await_service(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_SERVE
        while not ports.is_ready(self.port):
            for service in self._services():
                must_live(service)
            if time.monotonic() > deadline:
                log = self.data / "web.log"
                raise CannotStart(f"{self.url}/readyz is still not ready. The end of {log}:\n{tail(log)}")
            time.sleep(TICK / 2)

    def _services(self) -> Sequence[Service]:
        return [*self.programs, *self.servers]

    # -- run ------------------------------------------------------------------------------------------------------
    def keep_watch(self) -> None:
        """Start again what ends by itself, until an exception (Ctrl-C, SIGTERM) ends the watch."""
        while True:
            self._look()
            time.sleep(TICK)

    def run_to_its_end(
        self,
        *words: str,
        output: Path | None = None,
        errors: Path | None = None,
        seconds: float = 600.0,
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Run one Python program of this checkout beside the rest, and return its exit status.

        It is told `env`, or what all programs are told. After `seconds` it is killed, and
        the status is that of a process ended by SIGKILL.
        """
        process = spawn([sys.executable, *words], log=output, errors=errors, env=env or self.env, cwd=ROOT)
        deadline = time.monotonic() + seconds
        try:
            while process.poll() is None and time.monotonic() < deadline:
                self._look()
                time.sleep(TICK / 5)
        finally:
            await_end(process, seconds=0)
        return process.returncode

    def _look(self) -> None:
        news = [line for watched in self.watched if (line := watched.look(time.monotonic()))]
        if news:
            self._note_processes()
        for line in news:
            say(f"  {line}")

    def _note_processes(self) -> None:
        pids = [service.process.pid for service in self._services() if service.process]
        leftovers.note(self.data / "processes.json", pids)

    # -- stop -----------------------------------------------------------------------------------------------------
    def stop(self) -> None:
        """Stop web, worker and beat while their servers still answer; then PostgreSQL and Valkey."""
        stop_together(self.programs, seconds=4)
        stop_together(list(reversed(self.servers)), seconds=10)
        (self.data / "processes.json").unlink(missing_ok=True)
        (self.data / environment.NOTE).unlink(missing_ok=True)
