"""An operator takes a release in and into use, and looks a product up."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from authz.formulary import selectors
from authz.formulary.models import FormularyRelease
from tests.formulary.rrf import ATTRIBUTES, GUM, LISINOPRIL_NDC, NAMES, OXYCODONE_7, OXYCODONE_NDC, ROXINEW_7
from tests.rules.rrf_lines import content

pytestmark = pytest.mark.django_db
SOURCE = b"C1|C2|RXNORM_26AB_261103F|RXNORM|RxNorm|RXNORM|26AB_261103F" + b"|" * 19 + b"\n"


def formulary(*arguments: str) -> str:
    out = StringIO()
    call_command("formulary", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    names, attributes = tmp_path / "RXNCONSO.RRF", tmp_path / "RXNSAT.RRF"
    names.write_bytes(content([*NAMES, "broken|"]))
    attributes.write_bytes(content(ATTRIBUTES))
    (tmp_path / "RXNSAB.RRF").write_bytes(SOURCE)
    return str(names), str(attributes)


def test_a_release_is_taken_in_and_into_use_by_one_command(files: tuple[str, str]) -> None:
    assert formulary("list") == "* 2025.2: packaged, 1373 products\n"

    said = formulary("import", *files, "--activate")

    assert selectors.current().version == "2026-11-03"
    assert "1376 products, 1373 of them as the packaged table has them; 5 NDC codes; 2 opioids" in said
    assert f"  {GUM} codeine phosphate 5 MG Chewing Gum: the dose form" in said
    assert "1 lines could not be read" in said
    assert "line 9: RXNCONSO.RRF has 18 cells" in said
    assert "Release 2026-11-03 is in use; the workers recheck every patient." in said
    assert formulary("list").startswith("* 2026-11-03: taken in ")
    assert "nothing changed" in formulary("import", *files)


def test_the_version_may_be_given_and_must_be_known(files: tuple[str, str]) -> None:
    Path(files[0]).with_name("RXNSAB.RRF").unlink()

    with pytest.raises(CommandError, match="--version"):
        formulary("import", *files)
    formulary("import", *files, "--version", "2026-11-03b")

    assert FormularyRelease.objects.get().version == "2026-11-03b"


def test_what_cannot_be_taken_in_is_said_and_leaves_nothing(files: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=r"Line 1: RXNCONSO\.RRF has 18 cells in a line; this one has 13"):
        formulary("import", files[1], files[0])
    with pytest.raises(CommandError, match="No such file"):
        formulary("import", files[0], f"{files[1]}.no")
    with pytest.raises(CommandError, match="packaged formulary's own name"):
        formulary("import", *files, "--version", "2025.1")
    with pytest.raises(CommandError, match="There is no release 2027"):
        formulary("use", "2027")

    assert not FormularyRelease.objects.exists()


def test_a_product_is_shown_by_code_by_ndc_and_by_name(files: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="No release with NDC codes"):
        formulary("show", OXYCODONE_NDC)
    formulary("import", *files, "--activate")

    shown = {formulary("show", asked) for asked in (ROXINEW_7, "59011-0441-10", "roxinew 7")}

    assert shown.pop().splitlines() == [
        f"{ROXINEW_7} oxycodone hydrochloride 7 MG Oral Tablet [Roxinew]",
        "  oxycodone 7 MG, Oral Tablet, short-acting; counts",
        "  MME table 2016: 1.5 per mg (cdc_2018)",
        "  MME table 2022: 1.5 per mg (cdc_2022)",
        f"  brand of {OXYCODONE_7} oxycodone hydrochloride 7 MG Oral Tablet",
        "  source: RxNorm 2026-11-03; release 2026-11-03",
    ]
    assert not shown
    assert "a person must look at" in formulary("show", GUM)
    assert "… and" in formulary("show", "codeine")
    for nothing in ("no such thing", LISINOPRIL_NDC, "314076"):
        with pytest.raises(CommandError, match="has no such product"):
            formulary("show", nothing)
