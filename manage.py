#!/usr/bin/env python3
"""Run Django's commands: `python manage.py help` lists them."""

import importlib.util
import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError

from authz.access.tenancy import across_tenants
from authz.audit.circumstances import Circumstances, Origin, under

if __name__ == "__main__":
    # In a checkout, commands join what `make run` serves there. The production image has no embedded stack.
    if importlib.util.find_spec("config.embedded"):
        importlib.import_module("config.embedded.environment").join_running()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        by_command = under(Circumstances(origin=Origin.COMMAND))
        with by_command, across_tenants("whoever operates the service works for all organizations"):
            execute_from_command_line(sys.argv)
    except OperationalError as failure:
        sys.exit(f"The database does not answer. Start `make run`, or set DATABASE_URL. It said: {failure}")
