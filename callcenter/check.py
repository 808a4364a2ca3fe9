"""`callcenter check`: what would keep the server from working, in words."""

import asyncio
import socket
from collections.abc import Collection, Sequence
from pathlib import Path

import asyncpg

from callcenter import settings as rules
from callcenter.app import database
from callcenter.errors import Invalid
from callcenter.settings import PbxSettings, Settings
from callcenter.store import migrate
from callcenter.store.db import TRY_AGAIN, check_server, connect
from channels.telephony import doctor

_DATABASE_WITHIN = 15.0
_UNREACHABLE: tuple[type[Exception], ...] = (*TRY_AGAIN, OSError)


async def run(settings: Settings, *, pbx_files: str | None = None) -> list[str]:
    """One complaint a line; empty when all is well."""
    complaints = rules.problems(settings)
    complaints += _ports(settings)
    found, endpoints = await _database(settings)
    complaints += found
    for pbx in settings.pbx:
        # With several PBXs nobody has said which one holds whose phone.
        complaints += await _pbx(pbx, endpoints if len(settings.pbx) == 1 else ())
    if pbx_files is not None:
        complaints += [str(finding) for finding in doctor.check_files(Path(pbx_files))]
    return complaints


def _ports(settings: Settings) -> list[str]:
    found = []
    for name, host, port in (
        ("HTTP", settings.http_host, settings.http_port),
        ("AGI", settings.agi_host, settings.agi_port),
    ):
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_STREAM) as door:
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                door.bind((host, port))
        except OSError as error:
            found.append(
                f"The {name} port {host}:{port} cannot be had ({error.strerror}): is a server running already?"
            )
    return found


async def _database(settings: Settings) -> tuple[list[str], Sequence[str]]:
    """Complaints, and what the organisation's agents are dialled by."""
    try:
        async with asyncio.timeout(_DATABASE_WITHIN), database(settings) as dsn:
            await check_server(dsn)
            connection = await connect(dsn)
            try:
                waiting = await migrate.pending(connection)
                users = [] if waiting else await connection.fetch("select endpoint, demo from users where active")
            finally:
                await connection.close()
    except Invalid as error:
        return [str(error)], ()
    except _UNREACHABLE as error:
        return [f"The database is out of reach: {str(error) or 'no answer'}"], ()
    except asyncpg.PostgresError as error:
        return [f"The database refuses us: {error}"], ()
    found = [f"Migrations are pending ({', '.join(waiting)}): run `callcenter migrate`."] if waiting else []
    if any(user["demo"] for user in users) and rules.is_public(settings):
        found.append("Demo users with known passwords exist, and others can reach the console: remove them first.")
    # Those of the demo are dialled on a PBX that is played.
    return found, [user["endpoint"] for user in users if user["endpoint"] is not None and not user["demo"]]


async def _pbx(pbx: PbxSettings, endpoints: Collection[str]) -> list[str]:
    if pbx.ami_host is None or pbx.ami_secret is None:
        return []
    findings = await doctor.check_pbx(
        host=pbx.ami_host,
        port=pbx.ami_port,
        user=pbx.ami_user,
        secret=pbx.ami_secret.get_secret_value(),
        endpoints=endpoints,
    )
    return [f"PBX {pbx.name}: {finding}" for finding in findings]
