"""PURE: an answer's value as a person reads it, on pages and on paper."""

from authz.documentation.conditions import JsonValue


def in_words(value: JsonValue) -> str:
    """Return a value in words; of a list one row a line."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return "\n".join(in_words(one) for one in value) or "None"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {in_words(one)}" for name, one in value.items())
    return "" if value is None else str(value)
