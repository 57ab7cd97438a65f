"""What is small on its way and huge once it is opened is refused in seconds, and changes nothing."""

import gzip
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from time import perf_counter
from typing import Any, Final

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests import cast as stage
from tests.api.callers import Caller, nothing_changes, person
from tests.cast import Cast
from tests.documentation.samples import pdf, pdf_whose_pages_unpack_to, tiff

# What was uploaded lies in a file until it is collected; where that is, is nobody's business here.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SECONDS: Final = 15
MEGABYTE: Final = 1024 * 1024


def zipped(*, within: int = 1) -> bytes:
    """Return a ZIP of a ZIP … of fifty megabytes of nothing."""
    content = bytes(50 * MEGABYTE)
    for _ in range(within):
        target = BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("nothing", content)
        content = target.getvalue()
    return content


def pdf_of(pages: bytes, *more: bytes) -> bytes:
    """Return a PDF with this page tree, without a table of where its objects are."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", pages, *more]
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, content) for number, content in enumerate(objects, start=1))
    return b"%PDF-1.5\n" + body + b"trailer\n<</Root 1 0 R/Size %d>>\n%%%%EOF" % (len(objects) + 1)


def wide(depth: int, width: int) -> bytes:
    """Return a PDF whose page tree names its own branches again and again: a million leaves of a few objects."""
    kids = [b" ".join([b"%d 0 R" % (level + 3)] * width) for level in range(depth)]
    branches = [b"<</Type/Pages/Kids[%s]/Count 1>>" % one for one in kids]
    return pdf_of(*branches, b"<</Type/Page>>")


FILES: Final[dict[str, Callable[[], bytes]]] = {
    "a ZIP": zipped,
    "a ZIP in a ZIP in a ZIP": lambda: zipped(within=3),
    "a ZIP that says it is a PDF": lambda: b"%PDF-1.7\n" + zipped(),
    "gzip": lambda: gzip.compress(bytes(50 * MEGABYTE)),
    "a PDF of a stream that unpacks to gigabytes": lambda: pdf_whose_pages_unpack_to(300 * MEGABYTE),
    "a PDF whose pages are their own parents": lambda: pdf_of(b"<</Type/Pages/Kids[2 0 R]/Count 1>>"),
    "a PDF of a million leaves": lambda: wide(6, 10),
    "a PDF of too many pages": lambda: pdf(1001),
    "a PDF nested without end": lambda: pdf_of(b"[" * 200_000),
    "a PDF of a name without end": lambda: pdf_of(b"/" + b"#41" * 2_000_000),
    "a TIFF that goes round": lambda: tiff(3, is_circular=True),
    "a TIFF of too many pages": lambda: tiff(1001),
}

BODIES: Final[dict[str, Callable[[], bytes]]] = {
    "nested lists": lambda: b'{"a":' + b"[" * 1_000_000,
    "nested objects": lambda: b'{"a":' * 300_000,
    "a number of a million digits": lambda: b'{"days_supply":' + b"9" * 1_000_000 + b"}",
    "a huge exponent": lambda: b'{"quantity": 1e999999999}',
    "a text that is a huge number": lambda: b'{"quantity": "1e999999"}',
    "a name said twice after a hundred thousand": lambda: b"{%s,%s}" % (
        b",".join(b'"n%d":0' % number for number in range(100_000)), b'"n99999":0',
    ),
    "a hundred thousand unknown fields": lambda: b"{%s}" % b",".join(b'"n%d":0' % number for number in range(100_000)),
    "half characters": lambda: b'{"identifier": "%s"}' % (rb"\ud800" * 100_000),
    "gzip": lambda: gzip.compress(b'{"identifier": "%s"}' % bytes(50 * MEGABYTE)),
    "deflate": lambda: zlib.compress(bytes(50 * MEGABYTE)),
}  # fmt: skip


@pytest.fixture
def stella(cast: Cast) -> Caller:
    return person("stella")


def refused_soon(send: Callable[[], Any]) -> bool:
    """Tell whether something was refused as the sender's fault, soon and without a trace."""
    begun = perf_counter()
    with nothing_changes():
        answer = send()
    return 400 <= answer.status_code < 500 and perf_counter() - begun < SECONDS


@pytest.mark.parametrize("bomb", FILES)
def test_a_file_that_is_a_bomb_is_refused_soon(cast: Cast, stella: Caller, bomb: str, tried: Counter[str]) -> None:
    case = stage.drafted(cast)
    file = SimpleUploadedFile("scan.pdf", FILES[bomb](), content_type="application/pdf")
    body = encode_multipart(BOUNDARY, {"file": file, "shows": ["dx.code"]})
    path = f"prior-authorizations/{case.public_id}/attachments/"
    tried["bombs"] += 1

    assert refused_soon(lambda: stella.send("POST", path, body, content_type=MULTIPART_CONTENT))


@pytest.mark.parametrize("bomb", BODIES)
@pytest.mark.parametrize("path", ["fills/", "patients/", "prior-authorizations/"])
def test_a_body_that_is_a_bomb_is_refused_soon(stella: Caller, path: str, bomb: str, tried: Counter[str]) -> None:
    body = BODIES[bomb]()
    tried["bombs"] += 1

    assert refused_soon(lambda: stella.send("POST", path, body))


@pytest.mark.parametrize(
    "body",
    [b"a" + b".a" * 100_000 + b" = 1", b"x = " + b"[" * 300_000, b"[[a]]\n" * 200_000, b"[a" + b".b" * 50_000 + b"]\n"],
    ids=["a name of many parts", "nested lists", "many tables", "a table of many parts"],
)
def test_a_policy_that_is_a_bomb_is_refused_soon(cast: Cast, body: bytes, tried: Counter[str]) -> None:
    nora = person("nora")
    tried["bombs"] += 1

    assert refused_soon(lambda: nora.send("POST", "policies/", body, content_type="application/toml"))


def test_a_form_of_too_many_parts_is_refused_soon(cast: Cast, stella: Caller, tried: Counter[str]) -> None:
    case = stage.drafted(cast)
    body = encode_multipart(BOUNDARY, {f"field-{number}": "x" for number in range(20_000)})
    path = f"prior-authorizations/{case.public_id}/attachments/"
    tried["bombs"] += 1

    assert refused_soon(lambda: stella.send("POST", path, body, content_type=MULTIPART_CONTENT))
