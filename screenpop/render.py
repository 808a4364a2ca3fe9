"""Templates, compiled once for each language, and the addresses of static files."""

import hashlib
import html
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.bccache import Bucket
from markupsafe import escape

from screenpop.i18n import NAMES, SOURCE, Language

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


# Drawn while somebody waits with a voice in the ear.
HOT = (
    "desk/_entries.html",
    "desk/_customer.html",
    "desk/_stage.html",
    "desk/_desk.html",
    "desk/_queues.html",
    "desk.html",
    "sign_in.html",
)
# `{%- include` stays an include: what is large and drawn on its own too is compiled once.
_INCLUDE = re.compile(r'{% include "([^"]+)" %}\n?')
_WORDS = re.compile(r'{{ _\("((?:[^"\\%]|\\.)*)"\) }}')


_ICON = re.compile(r"{{ icon\(([^()]+)\) }}")
_IMPORT = re.compile(r'{% from "_macros.html" import ([\w, ]+) %}\n')


class FoldingLoader(FileSystemLoader):
    """Puts included files, constant words and icons in place before the compiler sees them, and imports macros once.

    A pop is drawn in half the time: an import takes 30 µs, the call of a macro 7 µs.
    """

    def __init__(self, folder: Path, language: Language) -> None:
        super().__init__(folder)
        self._language = language

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, filename, fresh = super().get_source(environment, template)
        return self._fold(environment, source), filename, fresh

    def _fold(self, environment: Environment, source: str) -> str:
        source = _INCLUDE.sub(lambda found: super(FoldingLoader, self).get_source(environment, found[1])[0], source)
        if _INCLUDE.search(source):
            return self._fold(environment, source)
        names = sorted({name.strip() for names in _IMPORT.findall(source) for name in names.split(",")} - {"icon"})
        source = _ICON.sub(_draw_icon, _IMPORT.sub("", source))
        source = _WORDS.sub(lambda found: str(escape(self._language.gettext(found[1]))), source)
        if not names:
            return source
        head, newline, rest = source.partition("\n") if source.startswith("{% extends") else ("", "", source)
        return f'{head}{newline}{{% from "_macros.html" import {", ".join(names)} %}}\n{rest}'


class _Compiled(BytecodeCache):
    """What this process has compiled: whoever starts several servers in it, as tests do, compiles once."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        # The checksum is that of the folded source, so each language has its own.
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


def _draw_icon(found: re.Match[str]) -> str:
    name = found[1]
    drawn = name.strip('"') if name.startswith('"') else f"{{{{ {name} }}}}"
    return f'<svg class="icon" aria-hidden="true"><use href="#i-{drawn}"/></svg>'


def quick_escape(value: object) -> str:
    """As `markupsafe.escape` does in the output of a template, where the result is only joined."""
    return html.escape(value) if type(value) is str else escape(value)


class Renderer:
    """Draws templates. Compiling takes half a second a language, so `warm` does it beside the start."""

    def __init__(self, languages: Mapping[str, Language]) -> None:
        self.languages = languages
        self._versions = {
            path.relative_to(STATIC).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for path in STATIC.rglob("*")
            if path.is_file()
        }
        self._environments = {code: self._environment(language) for code, language in languages.items()}

    def language(self, code: str) -> Language:
        return self.languages.get(code) or self.languages[SOURCE]

    def draw(self, template: str, language: Language, context: Mapping[str, object]) -> str:
        return self._template(language, template).render(context)

    def _template(self, language: Language, name: str) -> Template:
        template = self._environments[language.code].get_template(name)
        # MarkupSafe's escape makes an object of each of the 250 texts of a pop, which takes a quarter of the time.
        template.root_render_func.__globals__["escape"] = quick_escape
        return template

    def static(self, name: str) -> str:
        """The address of a static file, which changes with its content so that browsers may keep it for ever."""
        return f"/static/{name}?v={self._versions.get(name, '')}"

    def _environment(self, language: Language) -> Environment:
        environment = Environment(
            loader=FoldingLoader(_HERE / "templates", language),
            extensions=["jinja2.ext.i18n"],
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
            bytecode_cache=_COMPILED,
        )
        environment.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
        environment.globals |= {
            "language": language,
            "languages": [(code, NAMES[code]) for code in self.languages],
            "static": self.static,
            "here_now": language.gettext("now"),
        }
        return environment

    def warm(self) -> None:
        """Compiles what agents wait for; safe in a thread."""
        for environment in self._environments.values():
            for name in HOT:
                environment.get_template(name)
