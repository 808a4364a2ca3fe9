"""Compiles the translations and puts the migrations into built wheels; `make install` runs it for a checkout."""

import sys
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent


def compile_catalogues(root: Path) -> list[Path]:
    """Write a `.mo` beside every `.po` of the console; an entry that does not parse stops the build."""
    compiled = []
    for po in sorted(root.glob("screenpop/locale/*/LC_MESSAGES/*.po")):
        with po.open("rb") as source:
            catalogue = read_po(source, locale=po.parent.parent.name, abort_invalid=True)
        mo = po.with_suffix(".mo")
        with mo.open("wb") as target:
            write_mo(target, catalogue)
        compiled.append(mo)
    return compiled


class BuildHook(BuildHookInterface[Any]):
    """Runs before a wheel is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        compile_catalogues(Path(self.root))
        # Not for an editable install: it would copy the migrations into site-packages, where they go stale.
        if version == "standard":
            build_data["force_include"][str(Path(self.root, "migrations"))] = "callcenter/migrations"


if __name__ == "__main__":
    sys.stdout.writelines(f"compiled {path.relative_to(ROOT)}\n" for path in compile_catalogues(ROOT))
