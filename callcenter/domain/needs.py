"""What work asks of whoever takes it: skills and levels, joined by `and`, `or` and brackets, in their normal form.

    expression = term { "or" term }
    term       = factor { "and" factor }
    factor     = skill ">=" level | "(" expression ")"

Kept as the alternatives that an expression allows (its disjunctive normal form), each a table of skills that are all
needed. More of a skill never hurts, so whether one asks for no more than another is decided exactly by looking at the
least that fulfils each alternative.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import NoReturn

from callcenter.errors import Invalid

Skills = Mapping[str, int]  # what somebody has: levels from 1 to 5
Written = str | Skills  # what is asked for, as a file says it: an expression, or a table that means `and`
Needs = tuple[Skills, ...]  # one of these has to be had in full

NOTHING: Needs = ({},)
LEVELS = range(1, 6)
# A skill of this name is a language that somebody speaks.
LANGUAGE = "lang:"
_LONGEST = 500
_DEEPEST = 10
# Normal forms grow as products; whoever needs more alternatives than this should ask for less.
_MOST = 100
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:-]*|>=|[()]|\S")
_SKILL = re.compile(r"(?:lang:)?[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")


def understand(written: Written) -> Needs:
    """Raises Invalid, which names the position (from 1) and what was expected there."""
    if not isinstance(written, str):
        return (dict(written),)
    if len(written) > _LONGEST:
        raise Invalid(f"expected at most {_LONGEST} characters")
    parser = _Parser(written, [(match[0], match.start() + 1) for match in _TOKEN.finditer(written)])
    needs = parser.either(0)
    if parser.rest:
        parser.expected("`and`, `or` or the end")
    return needs


def spoken(language: str | None) -> str | None:
    """What kinds of a language have in common: a customer's `zh_TW` is an agent's `zh`."""
    return re.split("[-_]", language.strip().lower())[0] or None if language else None


def fulfils(has: Skills, needs: Needs) -> bool:
    return any(all(has.get(skill, 0) >= level for skill, level in each.items()) for each in needs)


def strength(has: Skills, needs: Needs) -> float:
    """How many levels somebody has above what is asked for, on average over the skills of an alternative.

    Of the alternatives that they fulfil the best one counts, and no other. Who fulfils none, and is asked all the same
    since a step asks for less, is below zero by what they lack to the nearest; nothing else makes up for that.
    """
    if fulfilled := [each for each in needs if fulfils(has, (each,))]:
        return max(_above(has, each, most=max(LEVELS)) for each in fulfilled)
    return max(_above(has, each, most=0) for each in needs)


def _above(has: Skills, asked: Skills, *, most: int) -> float:
    """No skill counts for more than `most` levels."""
    if not asked:
        return 0.0
    return sum(min(has.get(skill, 0) - level, most) for skill, level in asked.items()) / len(asked)


def both(one: Needs, other: Needs) -> Needs:
    """What fulfils both. Raises Invalid where that has too many alternatives to be looked at."""
    if len(one) * len(other) > _MOST:
        raise Invalid(f"expected an expression that can be fulfilled in at most {_MOST} ways")
    merged = ({k: max(a.get(k, 0), b.get(k, 0)) for k in a.keys() | b.keys()} for a, b in product(one, other))
    return _least(tuple(merged))


def missing(has: Skills, needs: Needs) -> str:
    """In words, what somebody lacks; of several ways those that are nearest. Empty when nothing is missing."""
    lacks = [{skill: level for skill, level in each.items() if has.get(skill, 0) < level} for each in needs]
    fewest = min(map(len, lacks))
    return " or ".join(dict.fromkeys(in_words(each) for each in lacks if len(each) == fewest))


def more_than(before: Needs, after: Needs) -> str:
    """What `after` asks, in words, of somebody who is good enough for `before`. Empty when nothing."""
    return next((missing(least, after) for least in before if not fulfils(least, after)), "")


def in_words(written: Written) -> str:
    if isinstance(written, str):
        return written
    return " and ".join(
        f"{skill} {level}" if not skill.startswith(LANGUAGE) else f"the language {skill.removeprefix(LANGUAGE)} {level}"
        for skill, level in sorted(written.items())
    )


def _least(needs: Needs) -> Needs:
    """Without alternatives that ask for more than another one does."""
    kept: list[Skills] = []
    for each in sorted(needs, key=lambda each: (len(each), sum(each.values()))):
        if not fulfils(each, tuple(kept)):
            kept.append(each)
    return tuple(kept)


@dataclass(slots=True)
class _Parser:
    text: str
    rest: list[tuple[str, int]]  # tokens with their positions, from 1

    def expected(self, what: str) -> NoReturn:
        found, position = self.rest[0] if self.rest else ("the end", len(self.text) + 1)
        raise Invalid(f"expected {what} at position {position}, found {found}")

    def either(self, depth: int) -> Needs:
        needs = self._all(depth)
        for _ in self._joined_by("or"):
            needs = _least((*needs, *self._all(depth)))
            if len(needs) > _MOST:
                raise Invalid(f"expected an expression that can be fulfilled in at most {_MOST} ways")
        return needs

    def _all(self, depth: int) -> Needs:
        needs = self._one(depth)
        for _ in self._joined_by("and"):
            needs = both(needs, self._one(depth))
        return needs

    def _joined_by(self, word: str) -> Iterator[None]:
        while self.rest and self.rest[0][0].lower() == word:
            self.rest.pop(0)
            yield

    def _one(self, depth: int) -> Needs:
        if depth == _DEEPEST:
            self.expected(f"at most {_DEEPEST} brackets inside each other")
        if self.rest and self.rest[0][0] == "(":
            self.rest.pop(0)
            needs = self.either(depth + 1)
            self._take(re.compile(r"\)"), "`and`, `or` or `)`")
            return needs
        skill = self._take(_SKILL, "a skill or `(`", unless=("and", "or"))
        self._take(re.compile(">="), f"`>=` after {skill}")
        return ({skill: int(self._take(re.compile("[1-5]"), f"a level from 1 to 5 for {skill}"))},)

    def _take(self, form: re.Pattern[str], what: str, *, unless: tuple[str, ...] = ()) -> str:
        if not self.rest or not form.fullmatch(self.rest[0][0]) or self.rest[0][0].lower() in unless:
            self.expected(what)
        return self.rest.pop(0)[0]
