"""Keeps long-running tasks running: one that crashes is logged and started again, after a pause that grows."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

log = structlog.get_logger(__name__)


class Supervisor:
    """The only place that catches every exception, so that no task of the server dies unseen."""

    def __init__(
        self,
        *,
        first_pause: timedelta = timedelta(seconds=0.1),
        longest_pause: timedelta = timedelta(seconds=15),
    ) -> None:
        self._first = first_pause.total_seconds()
        self._longest = longest_pause.total_seconds()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.crashes: dict[str, int] = {}

    @property
    def running(self) -> frozenset[str]:
        """The names of the tasks that have not ended."""
        return frozenset(name for name, task in self._tasks.items() if not task.done())

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work()` until it returns or is stopped, again whenever it raises. Names are unique while they run."""
        if name in self.running:
            raise ValueError(f"a task named {name} is running")
        self._tasks[name] = asyncio.create_task(self._keep(name, work), name=name)

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        pause = self._first
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await work()
            except Exception as error:
                self.crashes[name] = self.crashes.get(name, 0) + 1
                if asyncio.get_running_loop().time() - started > self._longest:
                    pause = self._first
                log.error("task crashed", task=name, error=repr(error), again_in=round(pause, 2), exc_info=True)
            else:
                return
            # Not all at the same moment, where one cause stopped many.
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
            pause = min(pause * 2, self._longest)

    async def stop(self, *, within: timedelta = timedelta(seconds=5)) -> None:
        """Cancel all tasks, the last started first, and wait; those that do not end in time are logged and left."""
        tasks = [task for task in reversed(self._tasks.values()) if not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within.total_seconds())
            for task in late:
                log.error("task does not end", task=task.get_name())
        self._tasks.clear()
