"""PURE: the packet on paper: the same facts as the frozen packet, and its hash."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from authz.documentation import file_kinds
from authz.documentation.file_kinds import MediaType
from authz.documentation.paper_text import Block, Facts, Grid, Heading, PaperText, Prose
from authz.prior_auths.answer_seen import AnswerSeen, submitted_answers
from authz.prior_auths.answer_words import label
from authz.prior_auths.deadline_words import moment
from authz.prior_auths.record_words import sentences_told
from authz.rules.amounts import plain


def packet_text(packet: Mapping[str, Any], *, sha256: str) -> PaperText:
    """Return what the packet says on paper. `sha256` is that of its canonical text, empty before it is submitted."""
    number = packet["number"]
    return PaperText(
        title=f"Prior authorization request {number}",
        blocks=list(_blocks(packet, sha256)),
        footer=f"{number} · packet SHA-256 {sha256}" if sha256 else f"{number} · not submitted yet",
    )


def _blocks(packet: Mapping[str, Any], sha256: str) -> Iterator[Block]:
    prescriber = packet["prescriber"]
    # Packets that were frozen before there was a flag have none.
    if packet.get("redisclosure_notice"):
        yield Prose(packet["redisclosure_notice"])
    yield Facts(
        [
            ("Urgency", packet["urgency"].capitalize() if packet["submitted_at"] else "As chosen when it is submitted"),
            ("Member", packet["member_id"] or "Not known"),
            ("Clinic", packet["clinic"]),
            ("Prescriber", f"{prescriber['name']}, NPI {prescriber['npi']}" if prescriber else "Not known"),
            ("Insurer", packet["insurer"] or "Not known"),
            ("Submitted", _submitted(packet)),
            ("Policy", packet["policy"]),
        ]
    )
    yield Heading("What is asked for")
    yield Grid(
        ("Line", "Product", "Quantity", "Days", "From", "To"), _lines(packet), (0.07, 0.43, 0.13, 0.09, 0.14, 0.14)
    )
    if asked := list(_asked_by_people(packet)):
        yield Heading("Why it is asked for")
        yield Facts(asked)
    yield Heading("Why it needs authorization")
    yield Prose("\n".join(sentences_told(packet["explanation"])))
    yield Heading(f"Answers (questionnaire {packet['questionnaire']})")
    yield Grid(("Question", "Answer", "Source and day", "Confirmed"), _answers(packet), (0.36, 0.34, 0.14, 0.16))
    if packet.get("attestations"):
        yield Heading("Attested")
        yield Facts([_attested(one, packet) for one in packet["attestations"]])
    yield Heading("Documents")
    if packet["attachments"]:
        yield Grid(
            ("No.", "Title", "Kind", "Pages", "Bytes", "SHA-256"),
            _documents(packet),
            (0.06, 0.28, 0.14, 0.08, 0.1, 0.34),
        )
    else:
        yield Prose("None.")
    evaluation = packet["evaluation"]
    yield Heading("What this rests on")
    yield Facts(
        [
            (
                "Rule",
                f"{evaluation['rule_version']}, formulary {evaluation['formulary_version']}, {evaluation['as_of']}",
            ),
            ("Inputs, SHA-256", evaluation["inputs_sha256"]),
            ("Packet, SHA-256", sha256 or "Computed when it is submitted"),
        ]
    )


def _submitted(packet: Mapping[str, Any]) -> str:
    at = packet["submitted_at"]
    return f"{_moment(at, packet)} by {packet['submitted_by']}" if at else "Not yet"


def _moment(written: str, packet: Mapping[str, Any]) -> str:
    """Return an instant in the plan's time zone, which packets of the earlier formats do not name."""
    return moment(datetime.fromisoformat(written), ZoneInfo(packet.get("time_zone") or "UTC"))


def _asked_by_people(packet: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if packet.get("reason"):
        yield "Opened by people, because", packet["reason"]
    if fact := packet.get("new_fact"):
        yield "New since it was decided against", f"{label(fact['kind'])}: {fact['text']}"


def _attested(one: Mapping[str, Any], packet: Mapping[str, Any]) -> tuple[str, str]:
    whose = "the prescriber" if one["is_the_prescriber"] else f"a prescriber of {packet['clinic']}"
    said = f"{one['text']} ({one['question']} of {one['text_version']})"
    return said, f"{one['by']}, {whose}, {_moment(one['at'], packet)}"


def _lines(packet: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    return [
        (
            str(line["line"]),
            f"{line['product_name']} (RxNorm {line['rxcui']})",
            plain(Decimal(line["quantity"])) if line["quantity"] else "not known",
            str(line["days_supply"]),
            line["starts_on"],
            line["ends_on"],
        )
        for line in packet["lines"]
    ]


def _answers(packet: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    return [
        (
            f"{seen.text} ({seen.question})",
            seen.in_words,
            " ".join(_origin(seen)),
            ", ".join(_confirmed(row, seen)),
        )
        for row, seen in zip(packet["answers"], submitted_answers(packet), strict=True)
    ]


def _origin(seen: AnswerSeen) -> Iterator[str]:
    if seen.source:
        yield seen.source.value.replace("_", " ")
    if seen.answered_on:
        yield f"{seen.answered_on}"


def _confirmed(row: Mapping[str, Any], seen: AnswerSeen) -> Iterator[str]:
    """Yield when and by whom it was confirmed, as far as the packet's format says."""
    yield from (row[part] for part in ("confirmed_on", "confirmed_by") if row.get(part))
    if seen.is_stale:
        yield "older than the payer asks for"


def _documents(packet: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    return [
        (
            str(one["number"]),
            one["title"],
            file_kinds.IN_WORDS[MediaType(one["media_type"])],
            "" if one["page_count"] is None else str(one["page_count"]),
            str(one["byte_count"]),
            one["sha256"],
        )
        for one in packet["attachments"]
    ]
