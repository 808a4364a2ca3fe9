"""`callcenter check`: what would keep the server from working, in words."""

import asyncio
import socket
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import asyncpg

from callcenter import settings as rules
from callcenter.errors import Invalid
from callcenter.settings import PbxSettings, Settings
from callcenter.store import migrate
from callcenter.store.db import TRY_AGAIN, check_server, connect
from callcenter.store.embedded import database
from channels.email import mailbox, smtp
from channels.telephony import doctor

_DATABASE_WITHIN = 15.0
_UNREACHABLE: tuple[type[Exception], ...] = (*TRY_AGAIN, OSError)


async def run(settings: Settings, *, pbx_files: str | None = None) -> list[str]:
    """One complaint a line; empty when all is well."""
    complaints = rules.problems(settings)
    complaints += _ports(settings)
    found, endpoints, wants_mail = await _database(settings)
    complaints += found
    complaints += await _mail(settings, wanted=wants_mail)
    for each in settings.imap:
        complaints += await mailbox.complaints(each)
    for pbx in settings.pbx:
        # With several PBXs nobody has said which one holds whose phone.
        complaints += await _pbx(pbx, endpoints if len(settings.pbx) == 1 else ())
    if pbx_files is not None:
        complaints += [str(finding) for finding in doctor.check_files(Path(pbx_files))]
    return complaints


def remarks(settings: Settings) -> list[str]:
    """What is as it was set, and yet worth knowing."""
    return [] if settings.mail_host else ["No mail is sent: mail_host is not set."]


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


async def _database(settings: Settings) -> tuple[list[str], Sequence[str], Sequence[str]]:
    """Complaints, what the organisation's agents are dialled by, and the queues that write to customers."""
    try:
        async with asyncio.timeout(_DATABASE_WITHIN), database(settings) as dsn:
            await check_server(dsn)
            connection = await connect(dsn)
            try:
                waiting = await migrate.pending(connection)
                users = [] if waiting else await connection.fetch("select endpoint, demo from users where active")
                queues = (
                    []
                    if waiting
                    else await connection.fetch(
                        "select name from queue where active and coalesce(survey -> 'by', '[\"mail\"]') ? 'mail' "
                        "and survey is not null order by name"
                    )
                )
                wanted = {} if waiting else dict(await connection.fetchrow(_WAYS) or {})
            finally:
                await connection.close()
    except Invalid as error:
        return [str(error)], (), ()
    except _UNREACHABLE as error:
        return [f"The database is out of reach: {str(error) or 'no answer'}"], (), ()
    except asyncpg.PostgresError as error:
        return [f"The database refuses us: {error}"], (), ()
    found = [f"Migrations are pending ({', '.join(waiting)}): run `callcenter migrate`."] if waiting else []
    if any(user["demo"] for user in users) and rules.is_public(settings):
        found.append("Demo users with known passwords exist, and others can reach the console: remove them first.")
    found += _ways(settings, wanted)
    # Those of the demo are dialled on a PBX that is played.
    phones = [user["endpoint"] for user in users if user["endpoint"] is not None and not user["demo"]]
    # Nor has the demo customers who could be written to.
    asking = [] if any(user["demo"] for user in users) else [queue["name"] for queue in queues]
    return found, phones, asking


# In which ways notices of tickets are to reach people here, by their own wish or by that of an escalation.
_WAYS = """
with asked as (
    select jsonb_array_elements_text(action->'by') as way
    from sla_policy p, jsonb_array_elements(p.escalations) level, jsonb_array_elements(level->'actions') action
    where jsonb_typeof(action->'by') = 'array'
    union select unnest(notify) from users where active and not demo
)
select exists (select from asked where way = 'email') as email, exists (select from asked where way = 'phone') as phone
"""


def _ways(settings: Settings, wanted: Mapping[str, bool]) -> list[str]:
    found = []
    if wanted.get("email") and settings.mail_host is None:
        found.append("Notices of tickets are to go by mail, and no mail is sent: set mail_host.")
    if wanted.get("phone") and not any(pbx.ami_host for pbx in settings.pbx):
        found.append("Notices of tickets are to be read out by phone, and no PBX has AMI: set ami_host.")
    return found


async def _mail(settings: Settings, *, wanted: Sequence[str]) -> list[str]:
    """`wanted`: the queues that ask customers by mail."""
    if settings.mail_host is None and wanted:
        queues = ", ".join(wanted)
        return [f"Queues ask customers by mail ({queues}), and no mail is sent: set mail_host, or take `survey` out."]
    relay = smtp.relay_of(settings)
    if relay is None:
        return []
    found = await smtp.complaints(relay)
    if settings.public_url is None and rules.is_loopback(settings.http_host) and wanted:
        found.append(
            "Links in mails lead to this machine only: set public_url to the address at which customers reach us."
        )
    return found


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
