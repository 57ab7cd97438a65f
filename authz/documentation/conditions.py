"""PURE: the small language in which a questionnaire says when a question applies.

    always | never | payer asks | setting NAME | known FACT
    QUESTION answered | QUESTION empty
    QUESTION = VALUE | QUESTION != VALUE | QUESTION >= NUMBER (also > <= <)
    QUESTION in {VALUE, VALUE} | QUESTION starts {TEXT, TEXT}
    not … | … and … | … or … | ( … )

`and` binds closer than `or`. Nothing holds of a question without an answer, not even `!=`: what is unknown decides
nothing. Of a question with several choices, `=` and `in` ask whether one of those chosen fits. `empty` means answered
with an empty list.
"""

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final, Protocol

JsonValue = str | bool | int | float | None | list["JsonValue"] | dict[str, "JsonValue"]

_TOKEN = re.compile(r"\s*(>=|<=|!=|[=<>{},()]|[A-Za-z0-9][\w.-]*)")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_ORDER: Final[Mapping[str, Callable[[Decimal, Decimal], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_RESERVED: Final = frozenset({"and", "or", "not", "in", "starts", "answered", "empty", "setting", "known", "payer"})


class NotACondition(ValueError):
    """The text says nothing in this language; the sentence names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a condition is asked of: the answers by question, the settings that are on, the facts that are known.

    `is_asked` says whether the payer asks for the question whose condition it is.
    """

    answers: Mapping[str, JsonValue] = field(default_factory=dict)
    settings: Collection[str] = ()
    facts: Collection[str] = ()
    is_asked: bool = False


class Condition(Protocol):
    """Something that holds in a situation or does not."""

    def holds(self, situation: Situation) -> bool: ...

    def terms(self) -> Iterator["Term"]: ...


@dataclass(frozen=True, slots=True)
class Constant:
    """always, never"""

    value: bool

    def holds(self, situation: Situation) -> bool:
        return self.value

    def terms(self) -> Iterator["Term"]:
        return iter(())


ALWAYS: Final = Constant(True)


@dataclass(frozen=True, slots=True)
class PayerAsks:
    def holds(self, situation: Situation) -> bool:
        return situation.is_asked

    def terms(self) -> Iterator["Term"]:
        return iter(())


@dataclass(frozen=True, slots=True)
class Named:
    """A setting that is on, or a fact that is known; `kind` is "setting" or "known"."""

    kind: str
    name: str

    def holds(self, situation: Situation) -> bool:
        return self.name in (situation.settings if self.kind == "setting" else situation.facts)

    def terms(self) -> Iterator["Term"]:
        yield self


@dataclass(frozen=True, slots=True)
class Asks:
    """One thing asked of one question's answer. `word` is =, !=, >=, >, <=, <, in, starts, answered or empty."""

    question: str
    word: str
    values: tuple[str, ...] = ()

    def holds(self, situation: Situation) -> bool:
        if self.question not in situation.answers:
            return False
        answer = situation.answers[self.question]
        if self.word in _ORDER:
            return _ORDER[self.word](Decimal(str(answer)), Decimal(self.values[0]))
        return _FITS[self.word](_texts(answer), self.values)

    def terms(self) -> Iterator["Term"]:
        yield self


Term = Named | Asks
_FITS: Final[Mapping[str, Callable[[list[str], tuple[str, ...]], bool]]] = {
    "answered": lambda given, values: True,
    "empty": lambda given, values: not given,
    "=": lambda given, values: values[0] in given,
    "!=": lambda given, values: values[0] not in given,
    "in": lambda given, values: not set(values).isdisjoint(given),
    "starts": lambda given, values: any(one.startswith(values) for one in given),
}


def _texts(answer: JsonValue) -> list[str]:
    """Return an answer as the words that conditions compare it with."""
    if isinstance(answer, bool):
        return ["yes" if answer else "no"]
    return [str(one) for one in answer] if isinstance(answer, list) else [str(answer)]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition

    def holds(self, situation: Situation) -> bool:
        return not self.part.holds(situation)

    def terms(self) -> Iterator["Term"]:
        return self.part.terms()


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts joined by `and`, of which all must hold, or by `or`, of which one must."""

    word: str
    parts: tuple[Condition, ...]

    def holds(self, situation: Situation) -> bool:
        each = (part.holds(situation) for part in self.parts)
        return all(each) if self.word == "and" else any(each)

    def terms(self) -> Iterator["Term"]:
        for part in self.parts:
            yield from part.terms()


def condition(text: str) -> Condition:
    """Return the condition that a text says.

    :raises NotACondition: when it says none.
    """
    reader = _Reader(_tokens(text))
    found = reader.joined("or")
    if reader.rest:
        raise NotACondition(f"{reader.rest[0]!r} is not expected there.")
    return found


def questions_of(asked: Condition) -> set[str]:
    """Return the questions whose answers a condition looks at."""
    return {term.question for term in asked.terms() if isinstance(term, Asks)}


def is_number(text: str) -> bool:
    """Say whether a value can be compared as a number."""
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _tokens(text: str) -> list[str]:
    found, end = [], 0
    while end < len(text.rstrip()):
        match = _TOKEN.match(text, end)
        if match is None:
            raise NotACondition(f"{text[end:].strip()[:20]!r} cannot be read.")
        found.append(match[1])
        end = match.end()
    return found


@dataclass(slots=True)
class _Reader:
    """Reads tokens from the left; `rest` are those not read yet."""

    rest: list[str]

    def joined(self, word: str) -> Condition:
        parts = [self._operand(word)]
        while self._takes(word):
            parts.append(self._operand(word))
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _operand(self, word: str) -> Condition:
        return self.joined("and") if word == "or" else self._term()

    def _term(self) -> Condition:
        first = self._next()
        if first == "(":
            inner = self.joined("or")
            self._expect(")")
            return inner
        if first == "not":
            return Not(self._term())
        if first in {"always", "never"}:
            return Constant(first == "always")
        if first == "payer":
            self._expect("asks")
            return PayerAsks()
        if first in {"setting", "known"}:
            return Named(first, self._value())
        return self._about(first)

    def _about(self, question: str) -> Condition:
        if not _NAME.fullmatch(question) or question in _RESERVED:
            raise NotACondition(f"{question!r} is no question.")
        word = self._next()
        if word in {"answered", "empty"}:
            return Asks(question, word)
        if word in {"in", "starts"}:
            return Asks(question, word, self._values())
        if word in {"=", "!="} or word in _ORDER:
            return Asks(question, word, (self._value(),))
        raise NotACondition(f"{word!r} says nothing of {question!r}.")

    def _values(self) -> tuple[str, ...]:
        self._expect("{")
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        self._expect("}")
        return tuple(values)

    def _value(self) -> str:
        value = self._next()
        if not value[0].isalnum():
            raise NotACondition(f"{value!r} is no value.")
        return value

    def _next(self) -> str:
        if not self.rest:
            raise NotACondition("It ends too early.")
        return self.rest.pop(0)

    def _takes(self, token: str) -> bool:
        is_next = bool(self.rest) and self.rest[0] == token
        if is_next:
            self.rest.pop(0)
        return is_next

    def _expect(self, token: str) -> None:
        if not self._takes(token):
            raise NotACondition(f"{token!r} is missing.")
