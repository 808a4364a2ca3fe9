"""Programs started for a measure, what they cost, and their certain end."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")
_STOP_WITHIN = 15.0
_READ_LIMIT = 256 * 1024 * 1024


class Failed(Exception):
    """A program under measurement ended or answered otherwise than it should; the text says how."""


class Program:
    """A running child."""

    def __init__(self, child: asyncio.subprocess.Process, name: str, errors: Path) -> None:
        self._child = child
        self._name = name
        self._errors = errors

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def ended(self) -> bool:
        return self._child.returncode is not None

    async def line(self, start: str, *, within: float) -> list[str]:
        """Words after `start` of the first line that begins with it. Raises Failed."""
        assert self._child.stdout is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                async for raw in self._child.stdout:
                    words = raw.decode(errors="replace").split()
                    if words[:1] == [start]:
                        return words[1:]
        raise Failed(f"{self._name} did not say {start!r}: {self.last_words()}")

    async def end_of_input(self) -> None:
        """Close its standard input: the word for an orderly end."""
        assert self._child.stdin is not None
        self._child.stdin.close()

    async def output(self, *, within: float) -> bytes:
        """All that it still prints, until it ends. Raises Failed."""
        assert self._child.stdout is not None
        try:
            async with asyncio.timeout(within):
                text = await self._child.stdout.read()
                code = await self._child.wait()
        except TimeoutError:
            raise Failed(f"{self._name} did not end within {within:.0f} s: {self.last_words()}") from None
        if code:
            raise Failed(f"{self._name} ended with {code}: {self.last_words()}")
        return text

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        return self._errors.read_text(errors="replace")[-1500:]

    def kill(self) -> None:
        """SIGKILL: it has no time for anything."""
        self._child.kill()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when that does not help."""
        if self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_WITHIN):
                    await self._child.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._child.kill()
                await self._child.wait()


@asynccontextmanager
async def program(
    *command: str, name: str, folder: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """Run a program from the checkout, standard error into `folder`; stopped at the end in any case."""
    errors = folder / f"{name}.stderr"
    with errors.open("wb") as stderr:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            cwd=ROOT,
            env=dict(os.environ) | dict(environment or {}),
            limit=_READ_LIMIT,
        )
    running = Program(child, name, errors)
    try:
        yield running
    finally:
        await running.stop()


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs one of our modules."""
    return (sys.executable, "-m", module, *arguments)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int:
    """Resident set of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise Failed(f"process {pid} has no memory")


def postgres_cpu_seconds(data: Path) -> float:
    """User and system time of a PostgreSQL server so far: postmaster, its live children, and those it has reaped."""
    try:
        postmaster = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except PermissionError:
        return 0.0
    fields = Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()
    total = sum(int(field) for field in fields[11:15]) / _TICKS
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "stat").read_text().rpartition(")")[2].split()[1] == str(postmaster):
                total += cpu_seconds(int(entry.name))
    return total
