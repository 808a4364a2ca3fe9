"""How customers come by each channel, through its own door: the table that the conformance suite walks."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from callcenter import toml
from callcenter.actions import interactions
from callcenter.app import clock
from callcenter.domain.interaction import Arrival, Channel
from callcenter.domain.organisation_file import understand
from callcenter.domain.web_form import FieldKind, FormField, WebForm
from callcenter.store import gateways, web_forms
from channels.email.intake import Intake
from channels.telephony.fakepbx import FakeCall
from channels.web.visitor import Visitor
from tests.channels.email.messages import attached, message, multipart, part
from tests.channels.web.pages import a_page, make_widget
from tests.domain.test_chat import signed
from tests.journeys.world import World
from tests.screenpop.test_fax import tiff

KNOWN = "Wang Fang"
NUMBER, MAIL, FAX, OUTSIDE = "+8613912345678", "wang@customer.example", "+861065529988", "wang-1"
TEXT = "The router does not start."

# What happens to every contact. A call rings besides (interaction.offered); to tickets it may be linked at any time.
TIMELINE = tuple(
    f"interaction.{word}" for word in ("arrived", "queued", "reserved", "answered", "ended", "wrapped", "closed")
)


async def accept(world: World, contact: int) -> None:
    await world.ask("POST", f"/interactions/{contact}/accept")


async def end(world: World, contact: int) -> None:
    await world.ask("POST", f"/interactions/{contact}/end")


async def nothing(_world: World, _contact: int) -> None:
    """It happens by itself."""


@dataclass
class Way:
    """How customers come by one channel, and what the channel does itself; the rest is the same for all.

    `door`: the line of the registry, None for what people or programs of ours hand in. `come` brings contact number
    `n`, always as the same contact; `lost` comes from or to where nobody is known. `waits`: in which state one then is.
    """

    door: str | None
    channel: Channel
    come: Callable[[World, int], Awaitable[None]]
    lost: Callable[[World], Awaitable[None]]
    external_id: Callable[[int], str] | None = None
    prepare: Callable[[World], Awaitable[None]] | None = None
    accept: Callable[[World, int], Awaitable[None]] = accept
    end: Callable[[World, int], Awaitable[None]] = end
    timeline: Sequence[str] = TIMELINE
    waits: str = "queued"
    calls: list[FakeCall] = field(default_factory=list)
    open: AsyncExitStack = field(default_factory=AsyncExitStack)


def by_phone() -> Way:
    async def come(world: World, n: int) -> None:
        if n <= len(way.calls):
            external = f"default/{way.calls[n - 1].uniqueid}"
            arrival = Arrival(Channel.PHONE, external, "phone", NUMBER, pbx="default")
            again = await interactions.arrive(
                world.server.log, arrival, queue=world.queue, queued=True, node=None, now=clock()
            )
            assert again == ()
            return
        way.calls.append(await world.call(caller=NUMBER))

    async def lost(world: World) -> None:
        call = await world.call(caller="anonymous", to="nowhere")
        await world.until("interaction.arrived", external_id=f"default/{call.uniqueid}")
        call.hangup()

    async def hang_up(_world: World, _contact: int) -> None:
        way.calls[0].hangup()

    # Accepted by picking it up.
    way = Way("phone", Channel.PHONE, come, lost, accept=nothing, end=hang_up)
    way.external_id = lambda n: f"default/{way.calls[n - 1].uniqueid}"
    return way


async def hand_in(world: World, raw: bytes) -> None:
    intake = Intake(world.server.log, clock=clock)
    await intake.receive(raw)
    intake.close()


async def a_mailbox(world: World) -> None:
    await world.pool.execute(
        "insert into mailbox (address, queue_id) values ('care@heronbay.example', $1)", world.queue
    )


def by_mail() -> Way:
    async def come(world: World, n: int) -> None:
        await hand_in(world, message(From=f"{KNOWN} <{MAIL}>", Message_ID=f"<{n}@customer.example>"))

    async def lost(world: World) -> None:
        await hand_in(world, message(From="@@ <>", To="care@heronbay.example", Message_ID="<lost@x>"))

    return Way("email", Channel.EMAIL, come, lost, prepare=a_mailbox)


def by_fax() -> Way:
    async def prepare(world: World) -> None:
        await a_mailbox(world)
        await world.pool.execute("insert into fax_gateway (sender) values ('@fax.example')")

    async def arrive(world: World, ident: str, subject: str) -> None:
        raw = multipart(
            part(b"See attached."), attached(tiff(1), "fax.tif", "image/tiff"), From="Fax <noreply@fax.example>",
            Subject=subject, Message_ID=f"<{ident}@fax.example>", Auto_Submitted="auto-generated",
        )  # fmt: skip
        await hand_in(world, raw)

    async def come(world: World, n: int) -> None:
        await arrive(world, str(n), "facsimile received from 010 6552 9988")

    async def lost(world: World) -> None:
        await arrive(world, "lost", "facsimile received from unknown")

    return Way("email", Channel.FAX, come, lost, prepare=prepare)


FORM = WebForm(
    name="contact",
    queue="support",
    title="Write to us",
    fields=(
        FormField(name="email", kind=FieldKind.EMAIL, text="Mail"),
        FormField(name="text", kind=FieldKind.LONG_TEXT, text="Text", required=True, to="text"),
    ),
)


def by_form() -> Way:
    async def prepare(world: World) -> None:
        async with world.pool.acquire() as connection:
            await web_forms.put(connection, [FORM])

    async def send(world: World, **sent: Any) -> None:
        async with world.http.post(f"{world.server.url}/api/v1/forms/contact", json=sent) as response:
            assert response.status in (200, 201), await response.text()

    async def come(world: World, n: int) -> None:
        await send(world, values={"email": MAIL, "text": TEXT}, id=f"{n}")

    async def lost(world: World) -> None:
        await send(world, values={"text": "☃" * 50}, id="lost")

    return Way("form", Channel.FORM, come, lost, prepare=prepare)


def by_chat() -> Way:
    secret = "s" * 32

    async def prepare(world: World) -> None:
        await make_widget(world.pool, world.queue, secret=secret)

    async def write(world: World, visitor: Visitor) -> None:
        """Their page stays open until the test is over."""
        page = await way.open.enter_async_context(a_page(world.http, world.server.url, visitor))
        await page.say(TEXT)
        await page.until(lambda visitor: visitor.lines)

    async def come(world: World, n: int) -> None:
        proof = signed({"email": MAIL, "exp": clock().timestamp() + 600}, secret=secret)
        token = f"visitor-{n}".ljust(24, "x")
        # The same line by its id, as a page sends it again that was loaded anew.
        await write(world, Visitor(token=token, browser=token, proof=proof, _prefix="line"))

    async def lost(world: World) -> None:
        await write(world, Visitor())

    way = Way("chat", Channel.CHAT, come, lost, prepare=prepare)
    return way


def by_rest() -> Way:
    """What another system hands in."""

    async def come(world: World, n: int) -> None:
        await world.ask(
            "POST", "/interactions", who="sue", channel="chat", address=OUTSIDE, external_id=f"chat-{n}",
            queue="support", text=TEXT,
        )  # fmt: skip

    async def lost(world: World) -> None:
        await world.ask("POST", "/interactions", who="sue", channel="chat", address="☃" * 50, queue="support")

    return Way(None, Channel.CHAT, come, lost, external_id=lambda n: f"chat-{n}")


def by_cti() -> Way:
    """Another PBX rings a phone itself and tells of it: nothing is routed, all else is the same."""

    async def tell(world: World, event: str, call: str, **told: str) -> None:
        body = {"event": event, "callId": call, "direction": "in", "to": "95500", "user": "amy", **told}
        async with world.http.post(f"{world.server.url}/api/v1/cti/{world.tokens['cy']}", json=body) as response:
            assert response.status == 200, await response.text()
        if event == "newCall":
            way.external_id = lambda n: f"cti:{world.agents['cy']}/c-{n}"

    async def come(world: World, n: int) -> None:
        await tell(world, "newCall", f"c-{n}", **{"from": NUMBER})

    async def lost(world: World) -> None:
        await tell(world, "newCall", "lost", **{"from": "anonymous", "user": "nobody"})

    async def pick_up(world: World, _contact: int) -> None:
        await tell(world, "answer", "c-1")

    async def hang_up(world: World, _contact: int) -> None:
        await tell(world, "hangup", "c-1", cause="normalClearing")

    way = Way("cti", Channel.PHONE, come, lost, accept=pick_up, end=hang_up, waits="new")
    way.timeline = [kind for kind in TIMELINE if kind != "interaction.queued"]
    return way


def by_callback() -> Way:
    async def prepare(world: World) -> None:
        world.pbx.phone("PJSIP/trunk", answers_after=0.02)

    async def ask(world: World, ident: str, number: str) -> None:
        await world.ask(
            "POST", "/callbacks", who="sue", number=number, queue="support", external_id=ident, text=TEXT
        )  # fmt: skip

    async def come(world: World, n: int) -> None:
        # Of different people: the same one waits for one call.
        await ask(world, f"wish-{n}", NUMBER if n == 1 else f"+861391234000{n}")

    async def lost(world: World) -> None:
        await ask(world, "lost", "+8613700000000")

    async def talk(world: World, contact: int) -> None:
        await world.until("interaction.reached", interaction=contact)
        await end(world, contact)

    return Way("phone", Channel.CALLBACK, come, lost, external_id=lambda n: f"wish-{n}", prepare=prepare, end=talk)


def by_hand(channel: Channel) -> Way:
    """Noted by who has had it: it is over."""

    async def note(world: World, ident: str, customer: int | None) -> None:
        await world.ask(
            "POST", "/interactions/by-hand", channel=channel, key=ident, customer=customer, queue="support",
            text="Done.", disposition="solved",
        )  # fmt: skip

    async def come(world: World, n: int) -> None:
        await note(world, str(n), await world.pool.fetchval("select id from customer where name = $1", KNOWN))

    async def lost(world: World) -> None:
        await note(world, "lost", None)

    way = Way(None, channel, come, lost, external_id=lambda n: f"by-hand/{n}", waits="closed")
    way.timeline = ("interaction.arrived", "interaction.closed")
    return way


GATEWAY = """
[[gateways]]
name = "messenger"
queue = "support"
message = { id = "/id", from = "/from", text = "/text" }
signature = { method = "token", header = "X-Token", secret = "key" }
secrets = { key = "long enough" }
"""


def by_gateway() -> Way:
    async def prepare(world: World) -> None:
        file = understand(toml.parse(GATEWAY, "org.toml"), {})
        async with world.pool.acquire() as connection:
            await gateways.put(connection, file.organisation.gateways)

    async def knock(world: World, body: Mapping[str, Any]) -> None:
        address = f"{world.server.url}/api/v1/gateways/messenger"
        headers = {"X-Token": "long enough"}
        async with world.http.post(address, data=json.dumps(body), headers=headers) as response:
            assert response.status == 200, await response.text()

    async def come(world: World, n: int) -> None:
        # Of different people: the same one goes on with the contact that is open.
        sender = OUTSIDE if n == 1 else f"other-{n}"
        await knock(world, {"id": str(n), "from": sender, "text": "The router does not start."})

    async def lost(world: World) -> None:
        await knock(world, {"id": "lost", "from": "\u202e\x00☃", "text": ""})

    return Way("message", Channel.MESSAGE, come, lost, external_id=lambda n: f"messenger:{n}", prepare=prepare)


WAYS: Mapping[str, Callable[[], Way]] = {
    "phone": by_phone,
    "email": by_mail,
    "fax": by_fax,
    "form": by_form,
    "chat": by_chat,
    "chat, by REST": by_rest,
    "gateway": by_gateway,
    "cti": by_cti,
    "callback": by_callback,
    "visit": lambda: by_hand(Channel.VISIT),
    "letter": lambda: by_hand(Channel.LETTER),
}
