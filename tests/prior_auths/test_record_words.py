"""Records in sentences are called by what they are."""

from authz.prior_auths.record_words import with_records_named


def test_records_in_sentences_are_called_by_name() -> None:
    key = "0f0e0d0c-0b0a-4908-8706-050403020100"

    named = with_records_named(f"Record {key} is not counted, nor is record {key}.", {key: "the fill of May 1"})

    assert named == "The fill of May 1 is not counted, nor is the fill of May 1."
    assert with_records_named(f"Record {key} needs a look.", {}) == "Record 0f0e0d0c needs a look."
