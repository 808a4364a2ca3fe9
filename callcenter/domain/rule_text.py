"""Texts that rules write: `{{ customer.name }}` and the like are filled in, and nothing else is understood."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

from callcenter.errors import Invalid

# What a text may name; all of them are texts or numbers, and empty where there is nothing.
NAMES: Mapping[str, tuple[str, ...]] = {
    "ticket": ("number", "subject", "state", "priority", "category", "queue"),
    "customer": ("name", "company", "tier"),
    "owner": ("name", "full_name"),
    "organisation": ("name",),
}
_LONGEST = 10_000

# Plain text: whoever shows it as HTML escapes it then.
_ENVIRONMENT = SandboxedEnvironment(autoescape=False, keep_trailing_newline=True)


def check_text(text: str) -> str:
    """The text itself. Raises Invalid with what it names that there is not."""
    if not text.strip():
        raise Invalid("expected a text")
    if len(text) > _LONGEST:
        raise Invalid(f"expected a text of at most {_LONGEST} characters")
    try:
        template = _ENVIRONMENT.parse(text)
    except TemplateError as error:
        raise Invalid(f"this text cannot be read: {error}") from None
    for output in template.body:
        # Nothing that repeats or computes: a text of a rule costs what it shows.
        parts = output.nodes if isinstance(output, nodes.Output) else [output]
        for part in parts:
            if not isinstance(part, nodes.TemplateData):
                _check_name(part)
    return text


def _check_name(part: nodes.Node) -> None:
    known = ", ".join(f"{noun}.{name}" for noun, names in NAMES.items() for name in names)
    match part:
        case nodes.Getattr(node=nodes.Name(name=noun), attr=name):
            if name not in NAMES.get(noun, ()):
                raise Invalid(f"there is no {noun}.{name} to fill in; expected one of {known}")
        case nodes.Name(name=noun):
            raise Invalid(f"{{{{ {noun} }}}} is no value; expected one of {known}")
        case _:
            raise Invalid(f"only values like {{{{ customer.name }}}} can be filled in; expected one of {known}")


@lru_cache(maxsize=256)
def _template(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


def fill(text: str, values: Mapping[str, Mapping[str, Any]]) -> str:
    """A checked text with its values; what there is not is empty."""
    given = {noun: {name: _word(values.get(noun, {}).get(name)) for name in names} for noun, names in NAMES.items()}
    return _template(text).render(given)


def _word(value: Any) -> str:
    return "" if value is None else str(value)
