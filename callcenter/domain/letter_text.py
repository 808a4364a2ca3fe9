"""The words of letters to customers, as an organisation writes them, and which of them are taken; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from callcenter.errors import Invalid


class LetterKind(StrEnum):
    """What a letter is for."""

    ACKNOWLEDGEMENT = "acknowledgement"  # we have your message
    ANSWER = "answer"  # what stands around the words of an agent
    CLOSING = "closing"  # we think that this is done


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterEntry:
    """`queue` and `language` None: for all of them. `subject` None: that of the correspondence, or ours."""

    name: str  # kind, queue and language in one, by which a plan speaks of it
    kind: LetterKind
    text: str
    queue: str | None = None
    language: str | None = None
    subject: str | None = None


_EVERYWHERE = (
    "ticket.number", "ticket.subject", "customer.name", "customer.company", "queue.name", "organisation.name",
)  # fmt: skip
# What each may name. All of them are texts, and empty where there is nothing.
NAMES: Mapping[LetterKind, tuple[str, ...]] = {
    LetterKind.ACKNOWLEDGEMENT: (
        *_EVERYWHERE, "expected.by", "expected.wait", "expected.opens", "expected.sentence",
    ),
    LetterKind.ANSWER: (*_EVERYWHERE, "agent.full_name", "answer", "signature"),
    LetterKind.CLOSING: (*_EVERYWHERE, "agent.full_name", "signature"),
}  # fmt: skip
SIGNATURE_NAMES = ("agent.full_name", "queue.name", "organisation.name")
_NEEDED = {LetterKind.ANSWER: "answer"}
# These may have several lines; in the others a line break would be somebody else's text between ours.
_LONG = frozenset({"answer", "signature", "expected.sentence"})
_LONGEST_VALUE = 200
_LONGEST = 10_000
_LONGEST_LANGUAGE = 12

BUILT_IN_ANSWER = "{{ answer }}{% if signature %}\n\n-- \n{{ signature }}{% endif %}"

# Plain text, so nothing is escaped. Lines that only hold a condition leave no empty line behind.
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)
# None of these makes much of little, so a letter costs what it shows.
_FILTERS = frozenset({"upper", "lower", "title", "capitalize", "trim", "default", "d", "truncate"})
_PLAIN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.If, nodes.CondExpr, nodes.Not, nodes.And,
    nodes.Or, nodes.Compare, nodes.Operand, nodes.Keyword, nodes.Concat,
)  # fmt: skip


def check_letter(kind: LetterKind, text: str) -> str:
    """The text itself. Raises Invalid with the line of what cannot stand in it."""
    found = _check(text, NAMES[kind])
    needed = _NEEDED.get(kind)
    if needed is not None and not any(name == needed for name, _ in found):
        raise Invalid(f"{{{{ {needed} }}}} is missing: the words of the agent would not be sent")
    return text


def check_subject(kind: LetterKind, text: str) -> str:
    """As `check_letter`, for a line."""
    if "\n" in text.strip():
        raise Invalid("expected one line")
    if any(name in _LONG for name, _ in _check(text, NAMES[kind])):
        raise Invalid(f"{', '.join(sorted(_LONG))} have no place in a subject")
    return text


def check_signature(text: str) -> str:
    """As `check_letter`."""
    _check(text, SIGNATURE_NAMES)
    return text


def _check(text: str, names: Sequence[str]) -> list[tuple[str, int]]:
    """The names in it, with their lines."""
    if not text.strip():
        raise Invalid("expected a text")
    if len(text) > _LONGEST:
        raise Invalid(f"expected a text of at most {_LONGEST} characters")
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        raise Invalid(f"line {error.lineno} of this text cannot be read: {error.message}") from None
    except RecursionError:
        raise Invalid("this text is nested too deeply") from None
    found = list(_names(tree, names))
    for given in ({}, dict.fromkeys(names, "x")):
        try:
            _template(text).render(_nested(given, names))
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise Invalid(f"this text cannot be filled in: {error}") from None
    return found


def _names(node: nodes.Node, names: Sequence[str]) -> Iterator[tuple[str, int]]:
    match node:
        case nodes.Getattr(node=nodes.Name(name=noun), attr=attribute):
            yield _known(f"{noun}.{attribute}", node.lineno, names)
            return
        case nodes.Name(name=name):
            yield _known(name, node.lineno, names)
            return
        case nodes.Filter(name=name) if name not in _FILTERS:
            known = ", ".join(sorted(_FILTERS))
            raise Invalid(
                f"line {node.lineno} of this text: there is no filter {name} for letters; expected one of {known}"
            )
        case nodes.Filter():
            pass
        case _ if not isinstance(node, _PLAIN):
            what = type(node).__name__.lower()
            raise Invalid(
                f"line {node.lineno} of this text: {what!r} has no place in a letter; expected values like "
                "{{ customer.name }}, filters, and {% if … %}"
            )
    for child in node.iter_child_nodes():
        yield from _names(child, names)


def _known(name: str, line: int, names: Sequence[str]) -> tuple[str, int]:
    if name not in names:
        raise Invalid(f"line {line} of this text: there is no {name} to fill in; expected one of {', '.join(names)}")
    return name, line


@lru_cache(maxsize=256)
def _template(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


def _nested(values: Mapping[str, str | None], names: Sequence[str]) -> dict[str, object]:
    given: dict[str, object] = {}
    for name in names:
        value = values.get(name) or ""
        noun, dot, attribute = name.partition(".")
        if not dot:
            given[name] = value
        else:
            table = given.setdefault(noun, {})
            assert isinstance(table, dict)
            table[attribute] = value if name in _LONG else _line(value)
    return given


def _line(value: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())[:_LONGEST_VALUE]


def fill(kind: LetterKind, text: str, values: Mapping[str, str | None]) -> str:
    """A checked text with its values, by their names; without empty lines at its ends."""
    return _template(text).render(_nested(values, NAMES[kind])).strip()


def fill_signature(text: str | None, values: Mapping[str, str | None]) -> str:
    """Empty for None."""
    return "" if text is None else _template(text).render(_nested(values, SIGNATURE_NAMES)).strip()


def languages_for(code: str | None, offered: Sequence[str]) -> tuple[str, ...]:
    """In which a text for who speaks `code` (zh-TW, en_GB) is looked for; the last is the organisation's first."""
    tag = (code or "").replace("-", "_")[:_LONGEST_LANGUAGE]
    base, _, rest = tag.partition("_")
    found = [tag, base]
    if base.lower() == "zh":
        traditional = any(part in ("tw", "hk", "mo", "hant") for part in rest.lower().split("_"))
        found = [tag, "zh_TW" if traditional else "zh_CN", base]
    return (*dict.fromkeys(each for each in found if each), *offered[:1])


def choose(
    entries: Sequence[LetterEntry], kind: LetterKind, *, queue: str | None, languages: Sequence[str]
) -> LetterEntry | None:
    """The queue's in the reader's language, the queue's for all, then the organisation's; None: what is built in.

    The last of `languages` is the organisation's first, which comes behind a text for all.
    """
    own, house = languages[:-1], languages[-1:]
    theirs = {
        (each.queue, None if each.language is None else _folded(each.language)): each
        for each in entries
        if each.kind is kind
    }
    for place in dict.fromkeys((queue, None)):
        for language in (*own, None, *house):
            found = theirs.get((place, None if language is None else _folded(language)))
            if found is not None:
                return found
    return None


def _folded(language: str) -> str:
    return language.replace("-", "_").lower()
