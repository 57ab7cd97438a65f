"""`manage.py formulary`: the releases of RxNorm that tell which products are opioids, and which one is in use."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from authz import clock
from authz.access.roles import Actor
from authz.errors import InvalidInput
from authz.formulary import selectors, services
from authz.formulary.selectors import NdcRefused
from authz.formulary.services import Imported, RrfFile
from authz.policies.stillness import change_policies
from authz.rules.amounts import plain
from authz.rules.formulary import Formulary, Product, packaged
from authz.rules.formulary.rrf import NotRrf, release_day

OPERATOR = Actor(name="manage.py formulary", roles=frozenset())
_MOST_SHOWN = 20


class Command(BaseCommand):
    """Takes releases in and into use, and shows what one says of a product."""

    help = "Take in a release of RxNorm, list the releases, show a product, or take a release into use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done and the options."""
        acts = parser.add_subparsers(dest="act", required=True)
        taking_in = acts.add_parser("import", help="take in RXNCONSO.RRF and RXNSAT.RRF of a release")
        taking_in.add_argument("names", metavar="RXNCONSO.RRF")
        taking_in.add_argument("attributes", metavar="RXNSAT.RRF")
        taking_in.add_argument("--version", dest="release", help="its name; default: the day that RXNSAB.RRF tells")
        taking_in.add_argument("--activate", action="store_true", help="also take it into use")
        acts.add_parser("list", help="list the releases")
        showing = acts.add_parser("show", help="show what the release in use says of a product")
        showing.add_argument("product", metavar="RXCUI|NDC|NAME")
        using = acts.add_parser("use", help="take a release into use")
        using.add_argument("release", metavar="VERSION")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when it cannot be done; nothing is changed then.
        """
        acts: dict[str, Callable[[dict[str, Any]], None]] = {
            "import": self._import,
            "list": lambda _: self._list(),
            "show": self._show,
            "use": lambda given: self._use(given["release"]),
        }
        acts[options["act"]](options)

    def _import(self, options: dict[str, Any]) -> None:
        with ExitStack() as stack:
            names, attributes = (
                RrfFile(name=name, stream=stack.enter_context(_open(name)))
                for name in (options["names"], options["attributes"])
            )
            version = options["release"] or _told_version(Path(options["names"]))
            try:
                done = services.import_release(
                    names=names,
                    attributes=attributes,
                    version=version,
                    by=OPERATOR,
                    now=clock.now(),
                    on_progress=self._progress(names, attributes),
                )
            except NotRrf as reason:
                raise CommandError(str(reason)) from reason
            except InvalidInput as refusal:
                raise CommandError(_sentences(refusal)) from refusal
        self._report(done)
        if options["activate"]:
            self._use(version)

    def _progress(self, *files: RrfFile) -> Callable[[str, int], None]:
        """Return how progress is shown: on one line of a terminal, otherwise not at all."""
        if not self.stderr.isatty():
            return lambda _name, _done: None
        sizes = {file.name: max(file.stream.seek(0, 2), 1) for file in files}

        def show(name: str, done_bytes: int) -> None:
            self.stderr.write(f"\r{name}: {100 * done_bytes // sizes[name]} %\033[K", ending="")

        return show

    def _report(self, done: Imported) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\033[K", ending="")
        version = done.release.version
        if not done.is_new:
            self.stdout.write(f"Release {version} was taken in from these files before; nothing changed.")
            return
        self.stdout.write(
            f"Release {version}: {done.products} products, {done.carried_over} of them as the packaged table has them; "
            f"{done.ndc_codes} NDC codes; {len(done.unread)} opioids that a person must look at."
        )
        for drug, reason in done.unread:
            self.stdout.write(f"  {drug.rxcui} {drug.name}: {reason}.")
        bad = done.bad_lines
        if bad.count:
            self.stderr.write(f"{bad.count} lines could not be read and were passed over, among them:")
            for file, number, reason in bad.first[:_MOST_SHOWN]:
                self.stderr.write(f"  {file}, line {number}: {reason}")

    def _use(self, version: str) -> None:
        try:
            with transaction.atomic():
                # Nobody is evaluated by the former release meanwhile, and then not among those who are rechecked.
                change_policies()
                services.activate(version=version, by=OPERATOR, now=clock.now())
        except InvalidInput as refusal:
            raise CommandError(_sentences(refusal)) from refusal
        self.stdout.write(f"Release {version} is in use; the workers recheck every patient.")

    def _list(self) -> None:
        in_use = selectors.current().version
        for release in selectors.releases():
            self.stdout.write(
                f"{_mark(release.version, in_use)} {release.version}: taken in {release.imported_at:%Y-%m-%d}, "
                f"{release.product_count} products, {release.unread_count} unread"
            )
        own = packaged()
        self.stdout.write(f"{_mark(own.version, in_use)} {own.version}: packaged, {len(own.products)} products")

    def _show(self, options: dict[str, Any]) -> None:
        products = selectors.products_now()
        formulary, asked = products.formulary, options["product"]
        rxcui = asked
        if not formulary.knows(asked) and asked.replace("-", "").isdigit() and len(asked) > len("12345678"):
            try:
                rxcui = products.rxcui_of_ndc(asked)
            except NdcRefused as refusal:
                raise CommandError(refusal.sentence) from refusal
        found = [rxcui] if formulary.knows(rxcui) else list(_named(formulary, asked))
        if not found:
            raise CommandError(f"Release {formulary.version} has no such product.")
        for code in found[:_MOST_SHOWN]:
            self.stdout.write(_described(formulary, code))
        if len(found) > _MOST_SHOWN:
            self.stdout.write(f"… and {len(found) - _MOST_SHOWN} more.")


def _open(name: str) -> Any:
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}.") from error


def _told_version(names: Path) -> str:
    """Return the release's day as the RXNSAB.RRF beside the names tells it."""
    sources = names.with_name("RXNSAB.RRF")
    try:
        with sources.open("rb") as lines:
            told = release_day(lines)
    except (OSError, NotRrf) as error:
        raise CommandError(f"{sources}: {error}. Name the release with --version.") from error
    if told is None:
        raise CommandError(f"{sources} does not tell which release this is. Name it with --version.")
    return told


def _sentences(refusal: InvalidInput) -> str:
    return " ".join(sentence for told in refusal.fields.values() for sentence in told)


def _mark(version: str, in_use: str) -> str:
    return "*" if version == in_use else " "


def _named(formulary: Formulary, asked: str) -> Iterator[str]:
    words = asked.casefold().split()
    for product in formulary.products.values():
        if all(word in product.name.casefold() for word in words):
            yield product.rxcui


def _described(formulary: Formulary, rxcui: str) -> str:
    product = formulary.product(rxcui)
    if product is None:
        return f"{rxcui}: an opioid that a person must look at, because {formulary.unread[rxcui]}."
    return "\n".join([f"{rxcui} {product.name}", *(f"  {line}" for line in _facts(product, formulary))])


def _facts(product: Product, formulary: Formulary) -> Iterator[str]:
    yield (
        f"{product.ingredient} {plain(product.strength)} {product.strength_unit}, {product.dose_form}, "
        f"{product.release.value}-acting; {product.standing.value}"
    )
    for table, factor in sorted(product.factors.items()):
        yield f"MME table {table.value}: {factor.value or 'tiers'} per {factor.per} ({factor.source.value})"
    if product.clinical_rxcui not in ("", product.rxcui):
        yield f"brand of {product.clinical_rxcui} {formulary.products[product.clinical_rxcui].name}"
    if product.note:
        yield product.note
    yield f"source: {product.sources}; release {formulary.version}"
