"""`callcenter apply` and `callcenter export-org`: the organisation from a file and back."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from callcenter.actions import organisation
from callcenter.commands.database import contact_log
from callcenter.settings import Settings


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    apply = commands.add_parser(
        "apply",
        description="What the file does not name is left alone unless --prune is given. A password is set when the "
        "file's differs from the one that the file gave before; one that its owner has changed since is kept.",
    )
    apply.add_argument("file", type=Path, metavar="ORG.toml")
    apply.add_argument("--dry-run", action="store_true", help="print the plan and change nothing")
    apply.add_argument("--prune", action="store_true", help="remove what the file does not name")
    apply.set_defaults(run=_apply)
    export = commands.add_parser("export-org")
    export.set_defaults(run=_export)


async def _apply(given: argparse.Namespace, settings: Settings) -> int:
    file = organisation.load(given.file, environ=os.environ)
    async with contact_log(settings) as log:
        if given.dry_run:
            async with log.pool.acquire() as connection:
                plan = await organisation.plan(connection, file, prune=given.prune)
        else:
            plan = await organisation.apply(log, file, prune=given.prune, actor=None, now=datetime.now(UTC))
    print("\n".join(plan.lines()) if not plan.empty or plan.warnings else "Nothing to do.")
    return 0


async def _export(_: argparse.Namespace, settings: Settings) -> int:
    async with contact_log(settings) as log, log.pool.acquire() as connection:
        print(await organisation.export(connection), end="")
    return 0
