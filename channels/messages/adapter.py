"""Messages as a channel: the door at which gateways knock, and the sender of answers."""

from aiohttp import web

from channels.channel import Channel, Ground, Loops, Services
from channels.messages.door import Door
from channels.messages.sender import Sender


class Messages(Channel):
    """There is nothing to open: gateways come by HTTP."""

    def __init__(self, ground: Ground) -> None:
        self._door = Door(ground.log, ground.directory, clock=ground.clock)
        self._sender = Sender(ground.log, allowed=ground.settings.webhook_networks, clock=ground.clock)

    def begin(self, services: Services) -> Loops:
        services.metrics.ask(
            "callcenter_gateway_messages", "What gateways handed in, by what became of it.", "outcome",
            lambda: self._door.outcomes,
        )  # fmt: skip
        services.metrics.ask(
            "callcenter_gateway_answers", "Messages to gateways by what came of an attempt.", "outcome",
            lambda: self._sender.outcomes,
        )  # fmt: skip
        return {"messages": self._sender.run}

    def add_routes(self, app: web.Application) -> None:
        app.add_routes(self._door.routes())
