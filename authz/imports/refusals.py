"""PURE: why a file or a line of it is not taken in. Sentences name elements and codes, never a patient's values."""

import re
from typing import ClassVar

from authz.errors import AuthzError

_PATH_LENGTH = 200
_REASON_LENGTH = 500
_ODD_IN_PATH = re.compile(r"[^A-Za-z0-9_.\[\]]")


class ImportTruncated(AuthzError):
    """The file was cut off; nothing of it is taken in. `line` is where it stops."""

    code: ClassVar[str] = "import-truncated"


class ImportUnreadable(AuthzError):
    """The file as a whole is not what it should be; nothing of it is taken in."""

    code: ClassVar[str] = "import-unreadable"


class ImportTooLarge(AuthzError):
    """More bytes than the JSON door takes; the command line takes any number."""

    code: ClassVar[str] = "import-too-large"


class Refusal(Exception):
    """One line is not taken in: a stable code, the element it is about, and a sentence for the operator.

    `path` is written as in FHIR ("MedicationDispense.daysSupply.value"), or is the column of a CSV file.
    """

    def __init__(self, code: str, path: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.path = clean_path(path)
        self.sentence = sentence[:_REASON_LENGTH]


def clean_path(path: str) -> str:
    """Return a path that is safe to show and to store: names come from the file and may hold anything."""
    return _ODD_IN_PATH.sub("?", path)[:_PATH_LENGTH]
