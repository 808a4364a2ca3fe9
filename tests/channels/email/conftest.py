# ruff: noqa: N802 - names of handlers are aiosmtpd's
"""A mail server of the tests: aiosmtpd on the loop, which answers as it is told and keeps what it took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from callcenter.domain.outbox import Letter
from callcenter.errors import Invalid
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from channels.email.smtp import Relay


async def nothing() -> None:
    pass


@dataclass
class PostOffice:
    """`answers`: what MAIL, RCPT or DATA is answered with, in turn; then as usual."""

    port: int = 0
    answers: dict[str, list[str]] = field(default_factory=dict)
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    connections: int = 0
    closed: bool = False  # to whoever has not signed in
    # Called when a letter has been taken, before its sender is told.
    when_taken: Callable[[], Awaitable[None]] = nothing

    def _answer(self, command: str) -> str | None:
        waiting = self.answers.get(command)
        return waiting.pop(0) if waiting else None

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.closed and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if answer := self._answer("MAIL"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self._answer("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        if answer := self._answer("DATA"):
            if answer == "hang up":
                cast("asyncio.Transport", server.transport).abort()
            return answer
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=POLICY)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.envelopes.append(envelope)
        await self.when_taken()
        return "250 Taken"


@asynccontextmanager
async def post_office(*, password: str | None = None) -> AsyncIterator[PostOffice]:
    """With a password whoever hands in mail has to sign in as `callcenter`."""
    office = PostOffice(closed=password is not None)

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        right = (given.login, given.password) == (b"callcenter", (password or "").encode())
        return AuthResult(success=right, handled=False)

    def protocol() -> SMTP:
        return SMTP(office, hostname="post.example", authenticator=authenticate, auth_require_tls=False)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        await server.wait_closed()


def relay_to(office: PostOffice, **changes: Any) -> Relay:
    given: dict[str, Any] = {
        "host": "127.0.0.1", "port": office.port, "security": "none", "user": None, "password": None,
        "sender": "care@heronbay.example", "name": "",
    }  # fmt: skip
    return Relay(**{**given, **changes})


class FakeLetters:
    """callcenter.ports.Letters that says which template it was asked for."""

    def write(self, template: str, language: str | None, data: Mapping[str, Any]) -> Letter:
        if template == "unknown":
            raise Invalid("There is no letter unknown.")
        return Letter(f"{template} in {language}", f"{dict(data)}", "<p>hello</p>")


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
def log(pool: Pool) -> ContactLog:
    return ContactLog(pool)
