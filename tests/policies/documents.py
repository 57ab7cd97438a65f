"""A small policy document that is right, to be made wrong in one place."""

from copy import deepcopy
from typing import Any

_STRICT: dict[str, Any] = {
    "code": "evergreen",
    "version": "1",
    "title": "Three days",
    "in_force_from": "2025-01-01",
    "sources": {"handbook": "Evergreen's handbook of 2025, page 12"},
    "parameters": {"limit_days": {"value": 3, "source": "handbook", "confirmed": True}},
    "thresholds": [
        {
            "kind": "mme_per_day",
            "at_least": 90,
            "action": "require_authorization",
            "source": "handbook",
            "confirmed": False,
        },
        {"kind": "opioid_with_benzodiazepine", "action": "inform", "source": "handbook", "confirmed": True},
    ],
    "examples": [
        {
            "name": "Three days need nothing",
            "needs_authorization": False,
            "fills": [["2025-01-01", 3, "1049621", 12]],
            "findings": [],
        },
        {
            "name": "The fourth day needs authorization",
            "needs_authorization": True,
            "required_from": "2025-01-04",
            "fills": [["2025-01-01", 4, "1049621", "16"]],
        },
    ],
    "notes": ["Only for members of the PPO."],
}


def strict(**changes: Any) -> dict[str, Any]:
    """Return Evergreen's policy of three days, with other parts in place of its own; None takes one away."""
    return deepcopy(_STRICT) | changes


def limit(days: int, **changes: Any) -> dict[str, Any]:
    """Return a policy of another limit, with examples of it."""
    document = strict(**changes)
    document["parameters"]["limit_days"]["value"] = days
    document["examples"] = [
        {"name": "At the limit", "needs_authorization": False, "fills": [["2025-01-01", days, "1049621", days]]},
        {"name": "Beyond it", "needs_authorization": True, "fills": [["2025-01-01", days + 1, "1049621", days]]},
    ]
    return document
