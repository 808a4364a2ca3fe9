"""Small peers of Asterisk for tests without the product: a FastAGI server that a test scripts, and an AMI client."""

import asyncio
import contextlib
import itertools
import re
from collections.abc import Awaitable, Callable

Message = dict[str, str]


class Session:
    """One FastAGI session; `lines` is what went over the wire: when (of the loop's clock), direction, text."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._replies: asyncio.Queue[str | None] = asyncio.Queue()
        self.environment: dict[str, str] = {}
        self.lines: list[tuple[float, str, str]] = []
        self.gone = asyncio.Event()

    @property
    def request(self) -> str:
        return self.environment["network_script"]

    def _note(self, way: str, text: str) -> None:
        self.lines.append((asyncio.get_running_loop().time(), way, text))

    async def read_environment(self) -> None:
        while line := (await self._reader.readline()).decode().strip():
            key, _, value = line.partition(": ")
            self.environment[key.removeprefix("agi_")] = value
            self._note("=", line)

    async def pump(self) -> None:
        """Read replies until the connection ends."""
        with contextlib.suppress(ConnectionError):
            while raw := await self._reader.readline():
                line = raw.decode().rstrip("\n")
                self._note("<", line)
                if line.startswith("HANGUP"):
                    self.gone.set()
                else:
                    await self._replies.put(line)
        self._note("<", "EOF")
        self.gone.set()
        await self._replies.put(None)

    async def command(self, line: str) -> str:
        """Send one command and return the reply; raises ConnectionError when the session is over."""
        self._note(">", line)
        self._writer.write(line.encode() + b"\n")
        reply = await self._replies.get()
        if reply is None:
            raise ConnectionError(line)
        return reply

    async def variable(self, name: str) -> str:
        found = re.search(r"result=1 \((.*)\)$", await self.command(f"GET VARIABLE {name}"))
        return found[1] if found else ""

    async def wait_with_music(self) -> None:
        """What a server does for a caller: answer, play music, and send nothing until the caller leaves."""
        await self.command("EXEC Answer ,i")
        await self.command("SET MUSIC ON default")
        await self.gone.wait()

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        """Close as the system does for a killed process."""
        self._writer.transport.abort()


Handler = Callable[[Session], Awaitable[None]]


class AgiServer:
    """Answers FastAGI on `port`; what comes is in `sessions` and, one after the other, in `next_session()`."""

    def __init__(self, port: int, handler: Handler) -> None:
        self._port, self._handler = port, handler
        self._arrived: asyncio.Queue[Session] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self.sessions: list[Session] = []

    async def __aenter__(self) -> "AgiServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def kill(self) -> None:
        """Stop as `kill -9` would: the port is closed, the connections are cut."""
        self._server.close()
        for session in self.sessions:
            session.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def next_session(self, *, within: float = 10) -> Session:
        async with asyncio.timeout(within):
            return await self._arrived.get()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await session.read_environment()
            pump = asyncio.create_task(session.pump())
            self.sessions.append(session)
            self._arrived.put_nowait(session)
            with contextlib.suppress(ConnectionError):
                await self._handler(session)
            session.close()
            await pump
        finally:
            self._tasks.discard(task)


class Manager:
    """An AMI client that keeps every event, for tests that look at Asterisk from the side."""

    def __init__(self, port: int, *, user: str = "lab", secret: str = "lab-secret") -> None:
        self._port, self._user, self._secret = port, user, secret
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._numbers = itertools.count(1)
        self._news = asyncio.Condition()
        self.events: list[Message] = []
        self.times: list[float] = []

    async def __aenter__(self) -> "Manager":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        await self._reader.readline()
        self._pump = asyncio.create_task(self._read())
        answer = await self.act("Login", Username=self._user, Secret=self._secret, Events="on")
        if answer["Response"] != "Success":
            await self.__aexit__()
            raise PermissionError(answer["Message"])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._pump
        self._writer.close()

    async def act(self, action: str, /, **fields: str) -> Message:
        """Send one action and return its response, within ten seconds."""
        number = str(next(self._numbers))
        lines = [f"Action: {action}", f"ActionID: {number}", *(f"{key}: {value}" for key, value in fields.items())]
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        async with asyncio.timeout(20):
            return await future

    async def event(self, name: str, *, since: int = 0, within: float = 15, **fields: str) -> Message:
        """Wait for an event whose fields match these patterns, not counting the first `since` events."""

        def found() -> Message | None:
            for message in self.events[since:]:
                if message["Event"] == name and all(re.fullmatch(v, message.get(k, "")) for k, v in fields.items()):
                    return message
            return None

        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: found() is not None)
        except TimeoutError:
            seen = [message["Event"] for message in self.events[since:]]
            raise TimeoutError(f"no {name} {fields} in {seen}") from None
        message = found()
        assert message is not None
        return message

    async def _read(self) -> None:
        message: Message = {}
        while raw := await self._reader.readline():
            line = raw.decode(errors="replace").rstrip("\r\n")
            if line:
                key, _, value = line.partition(":")
                message[key] = f"{message[key]}\n{value.lstrip()}" if key in message else value.lstrip()
                continue
            if "Event" in message:
                async with self._news:
                    self.events.append(message)
                    self.times.append(asyncio.get_running_loop().time())
                    self._news.notify_all()
            elif (future := self._waiting.pop(message.get("ActionID", ""), None)) and not future.done():
                future.set_result(message)
            message = {}
