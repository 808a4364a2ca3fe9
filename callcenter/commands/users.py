"""`callcenter user`: people who may sign in."""

import argparse
import getpass
import sys
from datetime import UTC, datetime

from callcenter.actions import users
from callcenter.commands.database import contact_log
from callcenter.domain.agent import Role
from callcenter.errors import Invalid
from callcenter.settings import Settings

_PASSWORD = "The password is asked for, or read from the first line of the standard input; none: only tokens."  # noqa: S105


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    user = commands.add_parser("user")
    verbs = user.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="add a person", description=_PASSWORD)
    add.add_argument("name", metavar="NAME", help="the name to sign in with")
    add.add_argument("--role", required=True, choices=[str(role) for role in Role])
    add.add_argument("--full-name", default="", metavar="TEXT", help="as others see it")
    add.set_defaults(run=_add)
    password = verbs.add_parser("password", help="set a password, and end all sessions", description=_PASSWORD)
    password.add_argument("name", metavar="NAME")
    password.set_defaults(run=_password)


def _read_password() -> str | None:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n") or None
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise Invalid("The two are not the same.")
    return first or None


async def _add(given: argparse.Namespace, settings: Settings) -> int:
    password = _read_password()
    async with contact_log(settings) as log:
        await users.create_user(
            log,
            given.name,
            full_name=given.full_name,
            role=Role(given.role),
            password=password,
            actor=None,
            now=datetime.now(UTC),
        )
    print(
        f"{given.name} can sign in as {given.role}."
        if password
        else f"{given.name} is a new {given.role} without a password."
    )
    return 0


async def _password(given: argparse.Namespace, settings: Settings) -> int:
    password = _read_password()
    if password is None:
        raise Invalid("A password was expected on the standard input.")
    async with contact_log(settings) as log:
        user = await users.find(log, given.name)
        await users.set_password(log, user, password=password, name=given.name, actor=None, now=datetime.now(UTC))
    print(f"{given.name} has a new password; all sessions are ended.")
    return 0
