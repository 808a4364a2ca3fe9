"""`callcenter solutions import`: a folder of Markdown files becomes articles."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from callcenter.actions.solution_import import import_documents, read_folder
from callcenter.commands.database import contact_log
from callcenter.settings import Settings


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("solutions")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="WHAT")
    importing = verbs.add_parser(
        "import",
        help="a folder of Markdown files",
        description="One file a language, named NAME.LANGUAGE.md, that begins with its title (# …); category, tags, "
        "public and review_on as TOML between two lines of +++ at the head of one of an article's files. What was "
        "imported before gets new versions where it changed.",
    )
    importing.add_argument("folder", type=Path, metavar="FOLDER")
    importing.add_argument("--publish", action="store_true", help="readers see it at once; else drafts and proposals")
    importing.add_argument("--dry-run", action="store_true", help="only say what would be refused")
    importing.set_defaults(run=_import)


async def _import(given: argparse.Namespace, settings: Settings) -> int:
    documents = read_folder(given.folder)
    if given.dry_run:
        print(f"{len(documents)} articles can be imported.")
        return 0
    async with contact_log(settings) as log:
        counts = await import_documents(log, documents, publish=given.publish, actor=None, now=datetime.now(UTC))
    print(f"{counts.created} articles are new, {counts.changed} changed, {counts.unchanged} as they were.")
    return 0
