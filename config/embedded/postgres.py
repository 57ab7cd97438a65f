"""An embedded PostgreSQL: unix socket only, no network. One role owns the databases, the product is another."""

import shutil
import signal
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from config.embedded import leftovers
from config.embedded.paths import make_folder, postgres_programs
from config.embedded.processes import CannotStart, Process, ask_to_stop, await_end, server_account, spawn, tail

MAJOR_VERSION = "18"
OWNER = "authz"
PRODUCT = "authz_app"
# For tests and benchmarks, which look at all there is: what they ask outside of any request is in everybody's name.
FOR_ALL = "-c authz.tenant=all"
SECONDS_TO_START = 60.0
# Tests throw the data away: nothing is worth waiting for the disk.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}

# Statements, parameters and what refusals quote hold patients' data. Only what a refusal says of itself could be kept,
# and even that quotes a value it cannot read; the product's own logs name the kind of refusal and the constraint.
DISCREET = {
    "log_min_messages": "log",  # in the server's order: an ERROR is below LOG, a failing server (FATAL, PANIC) above
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


class Postgres:
    """One server over `data_dir`, listening on a socket in `run_dir`."""

    name = "PostgreSQL"
    polite = signal.SIGINT  # its "fast" shutdown: open connections are closed, everything committed is kept

    def __init__(self, data_dir: Path, run_dir: Path, *, durable: bool) -> None:
        """Take the folders; with `durable=False` a crash of the machine may lose everything."""
        self.data_dir = data_dir
        self.run_dir = run_dir
        self.durable = durable
        self.log = data_dir.with_name(f"{data_dir.name}.log")
        self.process: Process | None = None

    def url(self, database: str, *, user: str = OWNER, options: str = "") -> str:
        """Return a libpq URL of one database; `options` are settings that its sessions begin with."""
        query = {"host": str(self.run_dir), **({"options": options} if options else {})}
        return f"postgresql://{user}@/{database}?{urlencode(query, quote_via=quote, safe='')}"

    def start(self) -> None:
        """Make the cluster if there is none, start the server, wait until it answers, and make its roles.

        :raises CannotStart: when it dies first, or the data is of another version; the message says what to do.
        """
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start the server without waiting for it.

        :raises CannotStart: when the cluster cannot be made, or is of another version.
        """
        self._make_cluster()
        self._forget_stranger()
        account = server_account()
        make_folder(self.run_dir, account)
        program = postgres_programs(account) / "postgres"
        command: list[str | Path] = [program, "-D", self.data_dir, *self._options()]
        self.process = spawn(command, log=self.log, account=account, if_we_die=self.polite)

    def _make_cluster(self) -> None:
        """Run initdb beside the final place, so that one cut short is never taken for a cluster."""
        made_by = self.data_dir / "PG_VERSION"
        if made_by.exists():
            self._check_version(made_by.read_text(encoding="utf-8").strip())
            return
        account = server_account()
        part = self.data_dir.with_name(f"{self.data_dir.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        make_folder(part, account)
        speed = [] if self.durable else ["--no-sync"]
        initdb = postgres_programs(account) / "initdb"
        command: list[str | Path] = [initdb, "-D", part, *_LOCALE, *_ACCESS, *speed]
        if spawn(command, log=self.log, account=account).wait() != 0:
            raise CannotStart(f"PostgreSQL could not make its files. The end of {self.log}:\n{tail(self.log)}")
        part.rename(self.data_dir)

    def _check_version(self, version: str) -> None:
        if version != MAJOR_VERSION:
            raise CannotStart(
                f"{self.data_dir} was made by PostgreSQL {version}, and this is {MAJOR_VERSION}. "
                "Move it away, or start afresh with `make reset`."
            )

    def _forget_stranger(self) -> None:
        """Clear the way when the pid in the pid file is in use; PostgreSQL would take any process for a running server.

        The caller holds the lock of the data folder. A pid not in use is left alone: PostgreSQL then makes sure itself
        that no orphan of the dead server still writes.
        """
        pid_file = self.data_dir / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text(encoding="utf-8").split()[0])
        if leftovers.is_running(pid, mentions=("postgres", str(self.data_dir))):
            leftovers.stop(pid, signal.SIGINT)
        elif leftovers.is_running(pid, mentions=()):
            pid_file.unlink(missing_ok=True)

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.run_dir),
            "unix_socket_permissions": "0700",
            "shared_buffers": "64MB",
            "max_connections": "80",
            "io_method": "sync",  # three I/O workers are a luxury for one small machine
            "max_logical_replication_workers": "0",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **DISCREET,
            **({} if self.durable else FORGETFUL),
        }
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def wait(self) -> None:
        """Wait until the server answers, and make the roles that are missing.

        :raises CannotStart: when the server dies first, or takes too long.
        """
        deadline = time.monotonic() + SECONDS_TO_START
        while not self.answers():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL did not start. The end of {self.log}:\n{tail(self.log)}")
            time.sleep(0.02)
        self._make_roles()

    def answers(self) -> bool:
        """Tell whether the server takes connections."""
        try:
            psycopg.connect(self._as_superuser()).close()
        except psycopg.OperationalError:
            return False
        return True

    def _as_superuser(self) -> str:
        return self.url("postgres", user="postgres")

    def _make_roles(self) -> None:
        """Make the role that owns the databases and migrates them, and the one the product uses, as in production."""
        with psycopg.connect(self._as_superuser(), autocommit=True) as line:
            known = {name for (name,) in line.execute("SELECT rolname FROM pg_roles")}
            for role, rights in ((OWNER, "LOGIN CREATEDB"), (PRODUCT, "LOGIN")):
                if role not in known:
                    line.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role), sql.SQL(rights)))

    def create_database(self, name: str) -> None:
        """Make a database if it is not there yet."""
        with psycopg.connect(self._as_superuser(), autocommit=True) as line:
            if not line.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                line.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER)))

    def stop(self) -> None:
        """Stop the server; after ten seconds kill it, which costs a recovery at the next start."""
        ask_to_stop(self.process, self.polite)
        await_end(self.process, seconds=10)


# Nobody but the owner of the socket folder gets as far as the socket, so connections need no password.
_ACCESS = ["--username=postgres", "--auth=trust", "--no-instructions"]
# The built-in locale is the same on every machine, whatever is installed there.
_LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
