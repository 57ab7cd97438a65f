"""`make reset`: remove what a start has made, and nothing else. Standard library only: no installation is needed."""

import shutil
import sys
from pathlib import Path

from config.embedded import lock, paths
from config.embedded.processes import CannotStart, server_account

FOLDERS = ("postgres", "postgres.part", "valkey", "run", "mail")
FILES = ("*.log", "*.log.old", "processes.json", "running.json*", "log-ins.txt", "prepared", "secret-key", "lock")


def reset(data: Path) -> None:
    """Remove the servers' data, the mail, the logs and the keys from a data folder, and the folder if nothing is left.

    Only names we know are removed: AUTHZ_DATA_DIR might be somebody's home.

    :raises AlreadyRunning: when a supervisor serves from it; nothing is removed then.
    """
    with lock.held(data):
        for name in FOLDERS:
            shutil.rmtree(data / name, ignore_errors=not (data / name).exists())
        for pattern in FILES:
            for file in data.glob(pattern):
                file.unlink()
    if not any(data.iterdir()):
        data.rmdir()


def main() -> int:
    """Reset this checkout's data folder and return the exit status."""
    try:
        data = paths.data_folder(server_account())
        reset(data)
    except (lock.AlreadyRunning, CannotStart) as reason:
        print(f"Nothing was removed. {reason}", file=sys.stderr)
        return 1
    print(f"Removed the data in {data}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
