"""Named queries: `-- name: foo` blocks of a `.sql` file, by name."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("callcenter", "channels", "routing", "screenpop")
_NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


class Queries:
    """The queries of one file; `queries.foo` is the SQL of the block `-- name: foo`.

    The comment lines right above or below the name line are the query's promise: `queries.doc("foo")`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sql: dict[str, str] = {}
        self._doc: dict[str, str] = {}
        text = path.read_text(encoding="utf-8")
        found = list(_NAME.finditer(text))
        for i, match in enumerate(found):
            name = match[1]
            end = found[i + 1].start() if i + 1 < len(found) else len(text)
            # What stands above the next name belongs to that one.
            body, _ = _split_comment(text[match.end() : end]) if i + 1 < len(found) else (text[match.end() : end], "")
            above = _split_comment(text[: match.start()])[1]
            if name in self._sql:
                raise ValueError(f"{path}: two queries are named {name}")
            self._sql[name] = body.strip().rstrip(";").rstrip()
            if not self._sql[name]:
                raise ValueError(f"{path}: the query {name} is empty")
            self._doc[name] = above

    @classmethod
    def beside(cls, module_file: str) -> "Queries":
        """Load the file of the same name beside a module: `Queries.beside(__file__)`."""
        return cls(Path(module_file).with_suffix(".sql"))

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the file's order."""
        return tuple(self._sql)

    def doc(self, name: str) -> str:
        """Return the comment above a query, without its dashes."""
        return self._doc[name]

    def __getattr__(self, name: str) -> str:
        try:
            return self._sql[name]
        except KeyError:
            raise AttributeError(f"{self._path.name} has no query named {name}") from None


def _split_comment(text: str) -> tuple[str, str]:
    """Split off the comment lines at the very end of a text."""
    lines = text.rstrip().splitlines()
    start = len(lines)
    while start and lines[start - 1].startswith("--") and not _NAME.match(lines[start - 1]):
        start -= 1
    return "\n".join(lines[:start]), "\n".join(line.lstrip("- ") for line in lines[start:])


def all_query_files() -> list[Path]:
    """List every file of named queries in the product's packages."""
    files = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.sql")))
    return [path for path in files if _NAME.search(path.read_text(encoding="utf-8"))]
