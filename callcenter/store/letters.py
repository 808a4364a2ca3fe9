"""The words of letters and the rules of mail, as an organisation file has them."""

from collections.abc import Sequence

from callcenter.domain.letter_text import LetterEntry, LetterKind
from callcenter.domain.mail_rules import MailRules, read_mail_rules, write_mail_rules
from callcenter.domain.organisation import QueueEntry, UserEntry
from callcenter.store.log import Connection
from callcenter.store.pool import Pool
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)


async def read(connection: Connection | Pool) -> tuple[LetterEntry, ...]:
    return tuple(
        LetterEntry(
            name=" ".join(filter(None, [kind, queue, language])),
            kind=LetterKind(kind),
            text=text,
            queue=queue,
            language=language,
            subject=subject,
        )
        for kind, queue, language, subject, text in await connection.fetch(SQL.letters)
    )


async def put(connection: Connection, wanted: Sequence[LetterEntry]) -> None:
    rows = [(each.kind, each.queue, each.language, each.subject, each.text) for each in wanted]
    await connection.executemany(SQL.put, rows)


async def drop(connection: Connection, dropped: Sequence[LetterEntry]) -> None:
    await connection.executemany(SQL.drop, [(each.kind, each.queue, each.language) for each in dropped])


async def read_rules(connection: Connection) -> MailRules:
    return read_mail_rules(await connection.fetchval(SQL.rules))


async def put_rules(connection: Connection, rules: MailRules) -> None:
    await connection.execute(SQL.set_rules, write_mail_rules(rules))


async def put_signatures(connection: Connection, users: Sequence[UserEntry], queues: Sequence[QueueEntry]) -> None:
    await connection.executemany(SQL.sign_user, [(each.name, each.signature) for each in users])
    await connection.executemany(SQL.sign_queue, [(each.name, each.signature) for each in queues])
