"""SIPp as the phones of customers and agents; what a scenario logs arrives here at once, through a pipe."""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SCENARIOS = Path(__file__).with_name("sipp")
PROVIDER, AGENTS = "127.0.0.2", "127.0.0.4"
SUPPORT = "+33100000001"
_STAMP = re.compile(r"\d{4}-\d\d-\d\d\t\S+\t(\d+\.\d+)")


def free_port(address: str = "127.0.0.1", kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port that nobody had a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a scenario's log: its first word (RING, TALK, PEER-BYE, …), the call, when, and the rest."""

    word: str
    call: str
    at: datetime
    rest: str


def parse(line: str) -> Said | None:
    words = line.split(" ", 2)
    stamp = _STAMP.search(line)
    if len(words) < 3 or not stamp:
        return None
    return Said(words[0], words[1], datetime.fromtimestamp(float(stamp[1]), UTC), line[stamp.end() :].strip())


class Sipp:
    """One SIPp process of one scenario; `options` are SIPp's own, `keys` fill the scenario's [words]."""

    def __init__(
        self,
        scenario: str,
        *,
        pbx: int,
        address: str,
        port: int,
        calls: int = 1,
        keys: Mapping[str, object] | None = None,
        **options: object,
    ) -> None:
        self.said: list[Said] = []
        self.port = port
        self._address = address
        self._work = Path(tempfile.mkdtemp(prefix="sipp-"))
        self._news = asyncio.Condition()
        self._command = ["sipp", f"127.0.0.1:{pbx}", "-sf", str(SCENARIOS / scenario), "-i", address, "-mi", address]
        self._command += ["-p", str(port), "-m", str(calls), "-nostdin", "-timeout", "120s", "-timeout_error"]
        self._command += ["-trace_logs", "-log_file", str(self._log), "-trace_err", "-error_file", str(self._errors)]
        for key, value in options.items():
            self._command += [f"-{key}", *([] if value is True else [str(value)])]
        for key, value in (keys or {}).items():
            self._command += ["-key", key, str(value)]

    @property
    def _log(self) -> Path:
        return self._work / "log"

    @property
    def _errors(self) -> Path:
        return self._work / "errors"

    @property
    def errors(self) -> str:
        """What went against the scenario."""
        return self._errors.read_text(errors="replace") if self._errors.exists() else ""

    async def __aenter__(self) -> "Sipp":
        os.mkfifo(self._log)
        # Opened for writing too, so that there is no end of file while SIPp is not there yet.
        pipe = os.fdopen(os.open(self._log, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
        self._reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._reader), pipe)
        self._pump = asyncio.create_task(self._read())
        null = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            *self._command, cwd=self._work, stdin=null, stdout=null, stderr=null
        )
        await self._bound()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._pump
        self._transport.close()
        shutil.rmtree(self._work, ignore_errors=True)

    async def ended(self, *, within: float = 30) -> int:
        """Wait for the end of all its calls; returns SIPp's exit status, 0 when all went by the scenario."""
        async with asyncio.timeout(within):
            return await self._process.wait()

    async def until(self, word: str, *, count: int = 1, within: float = 20) -> Said:
        """Wait until the scenario has logged `word` for the `count`th time, and return that line."""

        def there() -> list[Said]:
            return [said for said in self.said if said.word == word]

        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: len(there()) >= count)
        except TimeoutError:
            raise TimeoutError(f"no {word} in {self.said} {self.errors[-1000:]}") from None
        return there()[count - 1]

    def has(self, word: str) -> bool:
        return any(said.word == word for said in self.said)

    async def _read(self) -> None:
        while line := await self._reader.readline():
            if said := parse(line.decode("utf-8", "replace").rstrip("\n")):
                async with self._news:
                    self.said.append(said)
                    self._news.notify_all()

    async def _bound(self) -> None:
        """Wait until it listens: an INVITE before that would ring only when it is repeated, half a second later."""
        local = f"{int.from_bytes(socket.inet_aton(self._address), 'little'):08X}:{self.port:04X}"
        async with asyncio.timeout(20):
            # the kernel has no event for this
            while local not in Path("/proc/net/udp").read_text() and self._process.returncode is None:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


class Telephones:
    """Makes phones for one PBX, on ports that the system chooses."""

    def __init__(self, *, pbx: int, provider: int) -> None:
        self.pbx = pbx
        self.provider = provider

    def customer(
        self, called: str = SUPPORT, *, number: str = "+33612345678", name: str = "Customer", stay: float = 30
    ) -> Sipp:
        """A customer who calls at once, silently, and hangs up `stay` seconds after the answer, or gives up without."""
        return Sipp(
            "customer.xml",
            pbx=self.pbx,
            address=PROVIDER,
            port=free_port(PROVIDER, socket.SOCK_DGRAM),
            keys={"cid": number, "name": name},
            s=called,
            recv_timeout=round(stay * 1000),
        )

    def outside(self, *, does: str = "agent.xml", ring: float = 0.3, talk: float = 60) -> Sipp:
        """Whoever is called outside, through the trunk."""
        options = {"d": round(ring * 1000), "recv_timeout": round(talk * 1000), "rtp_echo": True}
        return Sipp(does, pbx=self.pbx, address=PROVIDER, port=self.provider, calls=1000, keys=None, **options)

    @asynccontextmanager
    async def agent(
        self, *names: str, does: str = "agent.xml", ring: float = 0.3, talk: float = 60, **keys: object
    ) -> AsyncIterator[Sipp]:
        """The phones of agents, registered while they are used: they ring, answer and talk, or what `does` says."""
        port = free_port(AGENTS, socket.SOCK_DGRAM)
        options = {"d": round(ring * 1000), "recv_timeout": round(talk * 1000), "rtp_echo": True}
        # Not one call only: a straggler of an earlier call may arrive and count as one.
        phone = Sipp(does, pbx=self.pbx, address=AGENTS, port=port, calls=1000, keys=keys, **options)
        async with phone:
            await self.register(*names, port=port)
            try:
                yield phone
            finally:
                await self.register(*names, port=port, expires=0)

    async def register(self, *names: str, port: int, expires: int = 3600) -> None:
        """Register these phones, which listen on `port`; with `expires=0` unregister them."""
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as users:
            lines = [f"{name};lab-{name};[authentication username={name} password=lab-{name}]\n" for name in names]
            users.write("SEQUENTIAL\n" + "".join(lines))
            users.flush()
            async with Sipp(
                "register.xml",
                pbx=self.pbx,
                address=AGENTS,
                port=free_port(AGENTS, socket.SOCK_DGRAM),
                calls=len(names),
                keys={"agent_ip": AGENTS, "agent_port": port, "expires": expires},
                inf=users.name,
            ) as registration:
                status = await registration.ended()
                assert status == 0, registration.errors
