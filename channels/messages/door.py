"""The door at which gateways knock: proof first, then each message once; refusals are reasoned, logged and counted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiohttp import web

from callcenter.actions import gateway_in
from callcenter.domain.gateway import Heard, Knock, answer_to, check_signature, hear, read_body
from callcenter.errors import Forbidden, Invalid, NotFound
from callcenter.store import gateways
from callcenter.store.directory import Directory
from callcenter.store.gateways import Gateway
from callcenter.store.log import ContactLog
from callcenter.web.body import answer, path_name
from callcenter.web.keys import SETTINGS
from callcenter.web.limits import check_rate
from callcenter.web.openapi import PREFIX, Operation

log = structlog.get_logger()

_AT = f"{PREFIX}/gateways/{{name}}"


@dataclass(frozen=True, slots=True)
class Message:
    """`new` is False for one that was here already."""

    interaction: int
    message: int
    new: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """`receipts`: how many told something new of our messages; `ignored`: parts that are declared to be no messages."""

    messages: list[Message]
    receipts: int
    ignored: int


class Door:
    """`outcomes`: new, repeated, receipt, ignored; refused, unreadable, too_large."""

    def __init__(self, contact_log: ContactLog, directory: Directory, *, clock: Callable[[], datetime]) -> None:
        self._log = contact_log
        self._directory = directory
        self._clock = clock
        self.outcomes: Counter[str] = Counter(
            new=0, repeated=0, receipt=0, ignored=0, refused=0, unreadable=0, too_large=0
        )

    async def post_to_gateway(self, request: web.Request) -> web.StreamResponse:
        """Whoever gets another answer than 2xx sends it again, and what was taken already is taken once."""
        gateway = await self._gateway(request)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            self._refused("too_large", gateway, "the body is too large")
            raise
        knock = Knock(url=_url(request), headers=_headers(request), body=body)
        self._check(request, gateway, knock)
        try:
            heard = hear(gateway.table, read_body(gateway.table, body), knock)
        except Invalid as error:
            self._refused("unreadable", gateway, str(error))
            raise
        taken = await self._take(gateway, heard)
        if heard.faults:
            self._refused("unreadable", gateway, heard.faults[0])
            raise Invalid(f"It is nothing that {gateway.table.name} is declared to send: {heard.faults[0]}.")
        wanted = gateway.table.answer
        if wanted is not None:
            return web.Response(body=wanted.body.encode(), content_type=wanted.type, charset="utf-8")
        return answer(taken)

    async def prove_to_gateway(self, request: web.Request) -> web.StreamResponse:
        """The gateway makes sure that we are who it thinks."""
        gateway = await self._gateway(request)
        if gateway.table.challenge is None:
            raise NotFound("This gateway asks for no proof of ours.")
        secret = gateway.secrets.get(gateway.table.challenge.secret, "")
        try:
            text = answer_to(gateway.table.challenge, request.query, secret)
        except Forbidden as error:
            self._refused("refused", gateway, str(error))
            check_rate(request)
            raise
        return web.Response(text=text)

    async def _gateway(self, request: web.Request) -> Gateway:
        try:
            return await gateways.named(self._log.pool, path_name(request))
        except NotFound:
            check_rate(request)  # whoever guesses names is made to guess slowly
            raise

    def _check(self, request: web.Request, gateway: Gateway, knock: Knock) -> None:
        """A gateway may send as fast as it likes; whoever has no proof may not."""
        signature = gateway.table.signature
        try:
            check_signature(signature, knock, gateway.secrets.get(signature.secret, ""), now=self._clock())
        except Forbidden as error:
            self._refused("refused", gateway, str(error))
            check_rate(request)
            raise

    def _refused(self, outcome: str, gateway: Gateway, reason: str) -> None:
        self.outcomes[outcome] += 1
        log.warning("gateway.refused", gateway=gateway.table.name, outcome=outcome, reason=reason[:200])

    async def _take(self, gateway: Gateway, heard: Heard) -> Taken:
        region, now = self._directory.organisation.region, self._clock()
        messages: list[Message] = []
        for each in heard.messages:
            received = await gateway_in.receive(self._log, gateway, each, region=region, now=now)
            self.outcomes["new" if received.new else "repeated"] += 1
            messages.append(Message(received.interaction, received.message, received.new))
        noted = [await gateway_in.note_receipt(self._log, gateway, each, now=now) for each in heard.receipts]
        self.outcomes["receipt"] += sum(noted)
        self.outcomes["ignored"] += heard.ignored
        if messages or noted:
            new = sum(each.new for each in messages)
            log.info("gateway.heard", gateway=gateway.table.name, new=new, messages=len(messages), receipts=len(noted))
        return Taken(messages, sum(noted), heard.ignored)

    def routes(self) -> list[web.RouteDef]:
        post = Operation(
            self.post_to_gateway, "POST", _AT, summary="What a gateway hands in, signed as the organisation file says",
            tag="gateways", role=None, answer=Taken, refusals=(413, 429),
        )  # fmt: skip
        get = Operation(
            self.prove_to_gateway, "GET", _AT, summary="A gateway makes sure that we are there", tag="gateways",
            role=None, answer=str, answer_type="text/plain", refusals=(429,),
        )  # fmt: skip
        return [post.route(), get.route()]


def _url(request: web.Request) -> str:
    """As the gateway has it, which signs it: behind a proxy that is not where the request came to."""
    public = request.app[SETTINGS].public_url
    path = request.raw_path
    return f"{public.rstrip('/')}{path}" if public else f"{request.scheme}://{request.host}{path}"


def _headers(request: web.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}
