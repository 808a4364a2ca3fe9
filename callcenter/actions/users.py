"""What people do with their own accounts, and administrators with all: sign in, passwords, tokens."""

import asyncio
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.domain import password as passwords
from callcenter.domain.agent import Role
from callcenter.domain.network import limited_as
from callcenter.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthorized
from callcenter.store.log import ContactLog
from callcenter.store.users import SQL, Account, Session, add_user, secret_hash

# A session ends when nobody used it for this long, and at the latest after this long.
SESSION_IDLE = timedelta(hours=12)
SESSION_LONGEST = timedelta(days=7)
# How often a session that is used is written down as used.
SESSION_STEP = timedelta(minutes=5)

LIMIT_WINDOW = timedelta(minutes=15)
# An office of agents may share one address; one account belongs to one person.
ACCOUNT_LIMIT = 10
ADDRESS_LIMIT = 60

LANGUAGES: Mapping[str, str] = {"en": "English", "zh_CN": "简体中文", "zh_TW": "繁體中文"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. `secret` goes into the cookie and is kept nowhere."""

    account: Account
    secret: str
    csrf: str
    expires_at: datetime


async def sign_in(
    log: ContactLog, name: str, *, password: str, address: str, user_agent: str, now: datetime
) -> SignedIn:
    """Raises TooMany before the password is looked at, Unauthorized without telling which of the two was wrong."""
    pool = log.pool
    by_account, by_address = f"account:{name.casefold()[:200]}", f"address:{limited_as(address)}"
    # The address first: one that tries too often must not lock out account after account.
    await _note_attempt(log, by_address, limit=ADDRESS_LIMIT, now=now)
    await _note_attempt(log, by_account, limit=ACCOUNT_LIMIT, now=now)
    row = await pool.fetchrow(SQL.account, name)
    kept = row["password_hash"] if row is not None else None
    if not await asyncio.to_thread(passwords.matches, kept, password) or row is None:
        raise Unauthorized("The name or the password is wrong.")
    account = Account.of(row)
    await pool.execute(SQL.forget_attempt, by_address, now)
    await pool.execute(SQL.forget_attempts, by_account, now - LIMIT_WINDOW)
    if kept is not None and passwords.is_outdated(kept):
        await pool.execute(SQL.renew_hash, account.id, kept, await asyncio.to_thread(passwords.protect, password))
    await pool.execute(SQL.drop_expired_sessions, now)
    new = SignedIn(account, secrets.token_urlsafe(32), secrets.token_urlsafe(24), now + SESSION_IDLE)
    await pool.execute(
        SQL.add_session, secret_hash(new.secret), account.id, new.csrf, address, user_agent[:200], now, new.expires_at
    )
    return new


async def _note_attempt(log: ContactLog, subject: str, *, limit: int, now: datetime) -> None:
    oldest = await log.pool.fetchval(SQL.note_attempt, subject, limit, now - LIMIT_WINDOW, now)
    if oldest is not None:
        wait = (oldest + LIMIT_WINDOW - now).total_seconds()
        minutes = max(1, round(wait / 60))
        raise TooMany(f"The password was wrong too often; try again in {minutes} min.", retry_after=wait)


async def use_session(log: ContactLog, secret: str, *, session: Session, now: datetime) -> None:
    """A session that is used lasts longer, up to SESSION_LONGEST."""
    if now - session.seen_at < SESSION_STEP:
        return
    expires_at = min(now + SESSION_IDLE, session.created_at + SESSION_LONGEST)
    await log.pool.execute(SQL.extend_session, secret_hash(secret), now, expires_at)


async def sign_out(log: ContactLog, secret: str) -> None:
    await log.pool.execute(SQL.end_session, secret_hash(secret))


async def change_password(
    log: ContactLog, user: int, *, old: str, new: str, now: datetime, session: str | None = None
) -> None:
    """By its owner. All sessions of the user end, except the one (its secret) that the change came through.

    Raises Invalid with what is wrong with the new one, Forbidden when the old one is not right, TooMany.
    """
    account = await log.pool.fetchrow(SQL.account_by_id, user)
    if account is None:
        raise NotFound("There is no such account.")
    if complaint := passwords.complaint(new, name=account["name"]):
        raise Invalid(complaint, field="new")
    subject = f"password:{user}"
    await _note_attempt(log, subject, limit=ACCOUNT_LIMIT, now=now)
    if not await asyncio.to_thread(passwords.matches, account["password_hash"], old):
        raise Forbidden("The old password is not right.")
    if old == new:
        raise Invalid("The new password is the old one.", field="new")
    await log.pool.execute(SQL.forget_attempts, subject, now - LIMIT_WINDOW)
    kept = await asyncio.to_thread(passwords.protect, new)
    await _keep_password(log, user, kept=kept, session=session, actor=user, now=now)


async def set_password(
    log: ContactLog, user: int, *, password: str, name: str, actor: int | None, now: datetime
) -> None:
    """By an administrator. All sessions of the user end."""
    if complaint := passwords.complaint(password, name=name):
        raise Invalid(complaint, field="password")
    kept = await asyncio.to_thread(passwords.protect, password)
    await _keep_password(log, user, kept=kept, session=None, actor=actor, now=now)


async def _keep_password(
    log: ContactLog, user: int, *, kept: str, session: str | None, actor: int | None, now: datetime
) -> None:
    async with log.transaction() as tx:
        await tx.lock_agent(user)
        await tx.connection.execute(SQL.set_password, user, kept)
        await tx.connection.execute(SQL.end_sessions, user, None if session is None else secret_hash(session))
        await tx.append("user.password_changed", agent=user, actor=actor, now=now)


async def set_language(log: ContactLog, user: int, *, language: str, now: datetime) -> None:
    """Of the console, by its user."""
    if language not in LANGUAGES:
        raise Invalid(f"The console does not speak {language!r}; it speaks {', '.join(LANGUAGES)}.", field="language")
    async with log.transaction() as tx:
        await tx.lock_agent(user)
        await tx.connection.execute(SQL.set_language, user, language)
        await tx.append("organisation.user_changed", agent=user, actor=user, now=now)


async def create_user(
    log: ContactLog, name: str, *, full_name: str, role: Role, password: str | None, actor: int | None, now: datetime
) -> int:
    """The new user's id. Without a password nobody can sign in as this user, but tokens may be made.

    Raises Invalid for a bad name or password, Conflict when the name is taken.
    """
    if not NAME.fullmatch(name):
        raise Invalid(
            "A sign-in name has up to 63 letters, digits and . _ - @, a letter or digit first.",
            field="name",
        )
    kept = None
    if password is not None:
        if complaint := passwords.complaint(password, name=name):
            raise Invalid(complaint, field="password")
        kept = await asyncio.to_thread(passwords.protect, password)
    async with log.transaction() as tx:
        user = await add_user(
            tx.connection, name=name, full_name=full_name or name, role=role, password_hash=kept, now=now
        )
        if user is None:
            raise Conflict(f"There is a user named {name} already.")
        await tx.append("organisation.user_added", agent=user, actor=actor, data={"role": role}, now=now)
    return user


async def find(log: ContactLog, name: str) -> int:
    """The id of somebody who works here. Raises NotFound."""
    row = await log.pool.fetchrow(SQL.account, name)
    if row is None:
        raise NotFound(f"There is no user named {name}.")
    return Account.of(row).id


async def create_token(
    log: ContactLog, user: int, *, name: str, expires_at: datetime | None, actor: int | None, now: datetime
) -> str:
    """A bearer token with all rights of the user; returned once and kept as a hash."""
    secret = f"cc_{secrets.token_urlsafe(32)}"
    async with log.transaction() as tx:
        token = await tx.connection.fetchval(SQL.add_token, user, secret_hash(secret), name, now, expires_at)
        await tx.append("user.token_created", agent=user, actor=actor, data={"token": token}, now=now)
    return secret


async def revoke_tokens(log: ContactLog, user: int, *, name: str | None, actor: int | None, now: datetime) -> int:
    """Those that were made for this purpose, or all (None); how many there were."""
    async with log.transaction() as tx:
        gone = [row["id"] for row in await tx.connection.fetch(SQL.drop_tokens, user, name)]
        if gone:
            await tx.append("user.tokens_revoked", agent=user, actor=actor, data={"tokens": gone}, now=now)
    return len(gone)
