"""PURE: the packet on paper: the same facts as the frozen packet, and its hash."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from authz.documentation.paper_text import Block, Facts, Grid, Heading, PaperText, Prose
from authz.prior_auths.answer_words import in_words
from authz.prior_auths.record_words import sentences_told


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
    yield Heading("Why it needs authorization")
    yield Prose("\n".join(sentences_told(packet["explanation"])))
    yield Heading(f"Answers (questionnaire {packet['questionnaire']})")
    yield Grid(("Question", "Answer", "Source", "Confirmed"), _answers(packet), (0.4, 0.36, 0.12, 0.12))
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
    return f"{packet['submitted_at']} by {packet['submitted_by']}" if packet["submitted_at"] else "Not yet"


def _lines(packet: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    return [
        (
            str(line["line"]),
            f"{line['product_name']} (RxNorm {line['rxcui']})",
            line["quantity"] or "not known",
            str(line["days_supply"]),
            line["starts_on"],
            line["ends_on"],
        )
        for line in packet["lines"]
    ]


def _answers(packet: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    return [
        (
            f"{one['text']} ({one['question']})",
            in_words(one["value"]),
            one["source"].replace("_", " "),
            one["confirmed_on"] or "",
        )
        for one in packet["answers"]
    ]


def _documents(packet: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    return [
        (
            str(one["number"]),
            one["title"],
            one["media_type"],
            "" if one["page_count"] is None else str(one["page_count"]),
            str(one["byte_count"]),
            one["sha256"],
        )
        for one in packet["attachments"]
    ]
