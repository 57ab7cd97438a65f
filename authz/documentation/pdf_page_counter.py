"""A program: reads a PDF from its standard input and prints how many pages it has; any other end is an exit status.

`pdf_pages` runs it. It imports nothing of the product, and gives itself little time and memory.
"""

import resource
import sys
from io import BytesIO
from typing import Final

from pypdf import PdfReader, apply_configuration

MOST_PAGES: Final = 1000
_CPU_SECONDS: Final = 5
_MEMORY: Final = 1024 * 1024 * 1024
_MOST_DECOMPRESSED: Final = 4 * 1024 * 1024  # of one stream: a page tree needs kilobytes


def main() -> None:
    """Print the number of pages of the PDF on standard input."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    if sys.platform == "linux":  # elsewhere an address space cannot be bounded so
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    caps = apply_configuration(
        page_tree_maximum_entries=2 * MOST_PAGES,
        zlib_maximum_output_length=_MOST_DECOMPRESSED,
        lzw_maximum_output_length=_MOST_DECOMPRESSED,
        run_length_maximum_output_length=_MOST_DECOMPRESSED,
    )
    with caps:
        pages = len(PdfReader(BytesIO(sys.stdin.buffer.read())).pages)
    if not 1 <= pages <= MOST_PAGES:
        sys.exit(1)
    sys.stdout.write(str(pages))


if __name__ == "__main__":
    main()
