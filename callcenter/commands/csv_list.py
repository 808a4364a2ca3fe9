"""Lists of other systems as files; rows that cannot be kept go into a file beside them, with reasons."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from callcenter.domain.csv_list import Listed, refused_list
from callcenter.errors import Invalid


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What is wrong with a list is said of its file."""
    try:
        yield
    except Invalid as error:
        raise Invalid(f"{path}: {error}") from None


def write_refused(path: Path, columns: Sequence[str], refused: Iterable[tuple[Listed, str]]) -> Path:
    target = path.with_name(f"{path.stem}.refused.csv")
    target.write_text(refused_list(columns, refused), encoding="utf-8", newline="")
    return target
