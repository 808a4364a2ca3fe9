"""`callcenter token create`: bearer tokens for programs."""

import argparse
from datetime import UTC, datetime, timedelta

from callcenter.actions import users
from callcenter.commands.database import contact_log
from callcenter.settings import Settings


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    token = commands.add_parser("token")
    verbs = token.add_subparsers(dest="verb", required=True, metavar="VERB")
    create = verbs.add_parser("create", help="print a new bearer token, once, alone on stdout")
    create.add_argument("--user", required=True, metavar="NAME", help="whose rights it has")
    create.add_argument("--name", default="command line", metavar="TEXT", help="what it is for")
    create.add_argument("--days", type=_days, metavar="N", help="how long it is good for; without: until revoked")
    create.set_defaults(run=_create)
    revoke = verbs.add_parser("revoke", help="end a user's tokens, at once")
    revoke.add_argument("--user", required=True, metavar="NAME")
    revoke.add_argument("--name", metavar="TEXT", help="only those made for this; without: all")
    revoke.set_defaults(run=_revoke)


def _days(text: str) -> timedelta:
    days = float(text)
    if not 0 < days <= 36_500:
        raise argparse.ArgumentTypeError("expected a number of days above zero")
    return timedelta(days=days)


async def _create(given: argparse.Namespace, settings: Settings) -> int:
    now = datetime.now(UTC)
    async with contact_log(settings) as log:
        user = await users.find(log, given.user)
        expires_at = None if given.days is None else now + given.days
        print(await users.create_token(log, user, name=given.name, expires_at=expires_at, actor=None, now=now))
    return 0


async def _revoke(given: argparse.Namespace, settings: Settings) -> int:
    async with contact_log(settings) as log:
        user = await users.find(log, given.user)
        gone = await users.revoke_tokens(log, user, name=given.name, actor=None, now=datetime.now(UTC))
    print(f"{gone} tokens of {given.user} are revoked.")
    return 0
