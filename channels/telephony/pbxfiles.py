"""Asterisk's configuration files, includes, templates and comments resolved into plain sections for a simple parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MAX_INCLUDES: Final = 100
_INCLUDE = re.compile(r"\s*#(?:try)?include\s+[\"<]?([^\">;]+?)[\">]?\s*(?:;.*)?$")
_SECTION = re.compile(r"\s*\[([^\]]*)\]")
# A line of dashes is no comment over several lines.
_COMMENT = re.compile(r";--(?!-).*?--;", re.DOTALL)


def plain_text(path: Path) -> str:
    """Sections and `key = value` lines of a file and all it includes; raises OSError when it cannot be read.

    pyst2's parser stops at #include, [name](+), comments over several lines and lines without `=`.
    """
    return "\n".join(_plain_lines(path, []))


def _plain_lines(path: Path, seen: list[Path]) -> Iterator[str]:
    if path in seen or len(seen) >= MAX_INCLUDES:
        return
    seen.append(path)
    for line in _COMMENT.sub("", path.read_text("utf-8", "replace")).splitlines():
        if include := _INCLUDE.match(line):
            for other in _included(path.parent, include[1]):
                yield from _plain_lines(other, seen)
        elif section := _SECTION.match(line):
            yield f"[{section[1]}]"
        elif "=" in (text := line.partition(";")[0]):
            yield text


def _included(directory: Path, name: str) -> list[Path]:
    found = [Path(name)] if name.startswith("/") else sorted(directory.glob(name))
    return [path for path in found if path.is_file()]
