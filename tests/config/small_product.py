"""A product of thirty lines for the supervisor to run, so that its tests are about starting and stopping alone.

It has what the supervisor calls: manage.py, config.wsgi, workers.app and the walk-through; the rest is the real thing.
"""

import shutil
from pathlib import Path

from config.embedded.folders import ROOT

MANAGE = """
import os, sys
import psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as line:
    name = line.execute("SELECT current_database()").fetchone()[0]
if sys.argv[1] == os.environ.get("FAILS_AT"):
    sys.exit("this step was told to fail")
if sys.argv[1] == "load_demonstration":
    print(f"rae logs in, in the database {name}")
"""

WSGI = """
import os
import psycopg
if os.environ.get("FAILS_AT") == "web":
    raise RuntimeError("the web was told to fail")
def application(environ, start_response):
    try:
        with psycopg.connect(os.environ["DATABASE_URL"]) as line:
            line.execute("SELECT 1")
        status = "200 OK"
    except psycopg.OperationalError:
        status = "503 Service Unavailable"
    start_response(status, [("Content-Type", "text/plain")])
    return [status.encode()]
"""

WORKER = """
import os
from pathlib import Path
from celery import Celery
app = Celery("small", broker=os.environ["REDIS_URL"].replace("unix://", "redis+socket://", 1))
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
@app.task
def work():
    Path(os.environ["AUTHZ_DEMO_MAIL_DIR"], "worked").touch()
"""

WALK_THROUGH = """
import os, sys, time
from argparse import ArgumentParser
from pathlib import Path
from workers.app import work
parser = ArgumentParser()
parser.add_argument("--url")
parser.add_argument("--mail", type=Path)
chosen = parser.parse_args()
work.delay()
for _ in range(500):
    if (chosen.mail / "worked").exists():
        break
    time.sleep(0.02)
else:
    sys.exit("step 1 was not seen: the worker did not work")
print("the worker worked", flush=True)
if os.environ.get("FAILS_AT") == "walk":
    sys.exit("step 2 was not seen: it was told to fail")
"""


def write(folder: Path) -> Path:
    """Write the product into a new folder beside a copy of the real supervisor, and return that folder."""
    shutil.copytree(ROOT / "config" / "embedded", folder / "config" / "embedded")
    shutil.copy(ROOT / "config" / "env.py", folder / "config")
    files = {
        "manage.py": MANAGE,
        "config/__init__.py": "",
        "config/settings.py": "SECRET_KEY = 'small'\n",
        "config/wsgi.py": WSGI,
        "config/embedded/walk_through.py": WALK_THROUGH,
        "workers/__init__.py": "",
        "workers/app.py": WORKER,
        "workers/courier.py": "from workers.app import app\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
