"""Which functions are mutated when there is no time for all, and what is said of the result."""

from pathlib import PurePath

from tests.mutation.sample import by_turns, changed, functions_in, functions_now
from tests.mutation.survivors import FLOOR, Change, Result, listed, report

SOURCE = """
def plain(a):
    return a + 1

class Box:
    size = 1

    def open(self):
        return plain(self.size)

    @property
    def lid(self):
        return 1

    @classmethod
    def of(cls):
        return cls()
"""
DIFF = """--- box.py
+++ box.py
@@ -1,3 +1,3 @@
 def open(self):
-    return plain(
-        self.size)
+    return plain(
+        None)
"""


def test_the_functions_that_are_mutated_carry_the_names_of_their_mutants() -> None:
    found = list(functions_in(PurePath("authz/rules/formulary/__init__.py"), SOURCE))

    assert [one.pattern for one in found] == [
        "authz.rules.formulary.x_plain__mutmut_*",
        "authz.rules.formulary.xǁBoxǁopen__mutmut_*",
        "authz.rules.formulary.xǁBoxǁof__mutmut_*",
    ]


def test_a_function_has_changed_when_it_means_something_else() -> None:
    file = PurePath("authz/rules/box.py")
    before = list(functions_in(file, SOURCE))
    after = list(
        functions_in(file, SOURCE.replace("a + 1", "a + 2").replace("def open(self):", "def open(self):  # !"))
    )

    assert [one.name for one in changed(after, before)] == ["x_plain"]
    assert changed(after, []) == after


def test_each_commit_takes_its_turn_at_a_share_of_the_rule() -> None:
    now = functions_now()
    lines = sum(one.lines for one in now)

    turns = [by_turns(now, 10, seed) for seed in ("a", "b")]

    assert all(lines / 10 <= sum(one.lines for one in turn) < lines / 5 for turn in turns)
    assert turns[0] == by_turns(now, 10, "a") != turns[1]
    assert sorted(by_turns(now, 100, "a"), key=str) == sorted(now, key=str)


def test_a_mutant_is_known_by_what_it_changes() -> None:
    change = Change.of("authz.rules.box.xǁBoxǁopen__mutmut_7", DIFF)

    assert change == Change("authz.rules.box.Box.open", "return plain( self.size)", "return plain( None)")
    assert Change.of("authz.rules.box.x_plain__mutmut_1", "").function == "authz.rules.box.plain"


def results(killed: int, survived: int) -> list[Result]:
    kills = [Result(Change("f", str(n), ""), "timeout" if n == 0 else "killed") for n in range(killed)]
    return kills + [Result(Change("g", str(n), ""), "survived") for n in range(survived)]


def test_of_the_whole_rule_listed_survivors_count_like_others() -> None:
    known = {Change("g", str(n), ""): "why" for n in range(6)}

    assert report(results(FLOOR, 5), {}, is_whole=True)[1]
    assert not report(results(FLOOR - 1, 6), known, is_whole=True)[1]
    assert not report([], {}, is_whole=True)[1]


def test_of_a_part_listed_survivors_are_set_aside() -> None:
    known = {Change("g", str(n), ""): "why" for n in range(6)}

    assert report(results(FLOOR - 1, 6), known, is_whole=False)[1]
    assert not report(results(FLOOR - 1, 6), {}, is_whole=False)[1]


def test_what_is_new_and_what_is_gone_is_named() -> None:
    text, _ = report(results(1, 2), {Change("g", "0", ""): "why", Change("h", "old", "new"): "why"}, is_whole=True)

    assert "g\n    - 1\n    + " in text
    assert "g\n    - 0" not in text
    assert "h\n    - old\n    + new" in text
    assert "Of 2 survivors 1 are listed with a reason, 1 are new." in text
    assert "33.3 % killed; at least 95 % are needed." in text


def test_every_listed_survivor_belongs_to_a_function_of_the_rule_and_has_a_reason() -> None:
    functions = {Change.of(one.pattern, "").function for one in functions_now()}

    assert {change.function for change in listed()} <= functions
    assert all(why.endswith(".") for why in listed().values())
