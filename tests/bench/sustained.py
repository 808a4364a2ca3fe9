"""The highest rate of whole calls that one process sustains, the floor and the product in turn."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from statistics import median

from tests.bench.calls import Bench
from tests.bench.dataset import clear
from tests.bench.figures import Row, Target, Unit, percentile
from tests.bench.ground import checkpoint
from tests.bench.process import Failed
from tests.bench.rig import Seen, Server, play
from tests.bench.servers import floor, product

_PATIENCE_MS = 100.0
_STEP = 1.12
_DESKS = 200
_RING, _TALK = 0.05, 0.2
# How far the calls that have ended may lag behind those that were due: a backlog that grows is no sustained rate.
_LAG = 1.1


class _Climb:
    """The search of one program: the rates that held, and what broke the others."""

    def __init__(self, bench: Bench, name: str, start: Callable[[], AbstractAsyncContextManager[Server]]) -> None:
        self.name = name
        self.best: list[float] = []
        self.held: Seen | None = None
        self.broke = ""
        self._bench = bench
        self._start = start
        self._server: Server | None = None
        self._running = AsyncExitStack()

    async def attempt(self, rate: float, seconds: int) -> bool:
        """Whether the rate held for so long; if not, `broke` says why."""
        bench = self._bench
        if self._server is None:
            await clear(bench.dsn, bench.sizes)
            self._server = await self._running.enter_async_context(self._start())
            warm_up = bench.plan(60, rate=30, ring=_RING, talk=_TALK)
            await play(self._server, warm_up, bench.folder, desks=_DESKS)
        await checkpoint(bench.dsn)
        plan = bench.plan(max(20, int(rate * seconds)), rate=rate, ring=_RING, talk=_TALK)
        seen = await play(self._server, plan, bench.folder, desks=_DESKS)
        broke = _breach(seen, rate)
        if broke is None:
            self.held = seen
            return True
        self.broke = f"{rate:.0f}/s: {broke}"
        # An overload leaves calls and agents behind in states that the next attempt must not inherit.
        await self.stop()
        return False

    async def bracket(self, rate: float, seconds: int) -> None:
        """Big steps up until it breaks, so that every round can begin near the end."""
        while not await self.attempt(rate, seconds) and rate > 1:
            rate /= 2
        while await self.attempt(rate * 1.4, seconds):
            rate *= 1.4
        self.best = [rate]

    async def climb(self, seconds: int) -> None:
        """Small steps up from where the last round got to; down first where that no longer holds."""
        rate = self.best[-1]
        while not await self.attempt(rate, seconds) and rate > 1:
            rate /= _STEP
        for _ in range(3):
            if not await self.attempt(rate * _STEP, seconds):
                break
            rate *= _STEP
        self.best.append(rate)

    async def hold(self, rate: float, seconds: int) -> float:
        """The rate, or the first lower one that holds; 0 when none of the next four does."""
        for _ in range(5):
            if await self.attempt(rate, seconds):
                self._bench.say(f"{self.name} held {rate:.0f} calls/s for {seconds} s")
                return rate
            self._bench.say(f"{self.name} broke at {self.broke}")
            rate /= _STEP
        return 0.0

    async def stop(self) -> None:
        """End the program; the next attempt starts it again."""
        await self._running.aclose()
        self._server = None


async def sustained(bench: Bench) -> list[Row]:
    """Short climbs in turn; the median rate is then held for a minute, a step lower where it does not hold."""
    step_seconds, hold_seconds = (3, 6) if bench.quick else (8, 60)
    bare = _Climb(bench, "floor", lambda: floor(bench.dsn, bench.folder))
    whole = _Climb(bench, "product", lambda: product(bench.dsn, bench.folder, bench.staff))
    try:
        await bare.bracket(400, step_seconds)
        await whole.bracket(50, step_seconds)
        for number in range(bench.rounds):
            await bare.climb(step_seconds)
            await whole.climb(step_seconds)
            bench.say(f"sustained, round {number + 1}: floor {bare.best[-1]:.0f}/s, product {whole.best[-1]:.0f}/s")
        highest = await bare.hold(median(bare.best[1:]), hold_seconds)
        await bare.stop()
        ours = await whole.hold(median(whole.best[1:]), hold_seconds)
    finally:
        await bare.stop()
        await whole.stop()
    if not highest or not ours or whole.held is None:
        raise Failed(f"no rate held for {hold_seconds} s; floor {bare.broke}; product {whole.broke}")
    cost = whole.held.server_cpu / whole.held.calls * 1e3
    pop = percentile(whole.held.pops, 0.99)
    note = f"over {hold_seconds} s; pop p99 {pop:.0f} ms; {cost:.1f} ms of the server's processor a call"
    note += f"; broke at {whole.broke}"
    target = Target(1 / 6, ratio=True, least=True)
    return [
        Row("whole calls sustained through one process", Unit.PER_SECOND, ours, highest, ours / highest, target, note)
    ]


def _breach(seen: Seen, rate: float) -> str | None:
    if seen.faults:
        return "; ".join(seen.faults)
    if (p99 := seen.first_p99()) >= _PATIENCE_MS:
        return f"p99 of the first command {p99:.0f} ms"
    if seen.seconds > seen.calls / rate * _LAG + 2:
        return f"calls of {seen.calls / rate:.0f} s took {seen.seconds:.0f} s"
    return None
