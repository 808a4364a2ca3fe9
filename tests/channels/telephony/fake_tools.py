"""What the tests of the fake PBX share: a plain AGI server beside it, and an AMI listener that keeps every event."""

import asyncio

from channels.telephony import ami
from channels.telephony.agi import Command
from channels.telephony.fastagi import serve_agi


class Log:
    def __init__(self):
        self.lines = []

    def info(self, event, /, **fields):
        self.lines.append((event, fields))

    warning = error = info


class Listener(asyncio.Protocol):
    """An AMI client that logs in and keeps what it hears."""

    def __init__(self, user="callcenter", secret="fake-secret"):
        self.codec = ami.AmiConnection()
        self.events = []
        self.responses = {}
        self.user, self.secret = user, secret
        self.news = asyncio.Event()
        self.lost = asyncio.Event()
        self.sent = 0

    def connection_made(self, transport):
        self.transport = transport
        self.act("Login", Username=self.user, Secret=self.secret)

    def act(self, action, **fields):
        self.sent += 1
        self.transport.write(ami.encode(action, str(self.sent), fields))
        return str(self.sent)

    def data_received(self, data):
        self.codec.receive_data(data)
        for message in self.codec.events():
            if isinstance(message, ami.Event):
                self.events.append(message)
            elif isinstance(message, ami.Response):
                self.responses[message.action_id] = message
        self.news.set()

    def connection_lost(self, exc):
        self.lost.set()

    async def until(self, condition):
        async with asyncio.timeout(20):
            while not (found := condition()):
                self.news.clear()
                await self.news.wait()
        return found

    async def asked(self, action, **fields):
        ident = self.act(action, **fields)
        return await self.until(lambda: self.responses.get(ident))

    async def event(self, name, **fields):
        def find():
            for event in self.events:
                if event.name == name and all(event.fields.get(key) == value for key, value in fields.items()):
                    return event
            return None

        return await self.until(find)

    def names(self):
        return [event.name for event in self.events]


def raw(line):
    """A command as it stands, for what the builders do not build."""
    return Command(line.encode() + b"\n", dead_safe=True, fails_when_gone=False)


async def agi_server(handler):
    return await serve_agi(
        handler, host="127.0.0.1", port=0, allowed=lambda host: True, max_connections=1000, logger=Log()
    )


async def listen(pbx):
    listener = Listener()
    await asyncio.get_running_loop().create_connection(lambda: listener, "127.0.0.1", pbx.ami_port)
    await listener.event("FullyBooted")
    listener.events.clear()
    return listener
