"""The supervisor: nothing dies unseen, and everything ends when told."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from callcenter.supervisor import Supervisor

SOON = timedelta(milliseconds=1)


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor(first_pause=SOON, longest_pause=2 * SOON)


async def test_a_task_that_crashes_is_logged_and_started_again(supervisor):
    going = asyncio.Event()
    runs = 0

    async def work():
        nonlocal runs
        runs += 1
        if runs < 4:
            raise OSError("out of reach")
        going.set()
        await asyncio.Event().wait()

    with capture_logs() as logs:
        async with asyncio.timeout(20):
            supervisor.keep("reader", work)
            await going.wait()
    assert supervisor.running == {"reader"}
    assert supervisor.crashes == {"reader": 3}
    assert [(entry["event"], entry["task"], entry["error"]) for entry in logs] == [
        ("task crashed", "reader", "OSError('out of reach')")
    ] * 3
    await supervisor.stop()


async def test_a_task_that_returns_has_ended(supervisor):
    done = asyncio.Event()

    async def work():
        done.set()

    supervisor.keep("once", work)
    await done.wait()
    await asyncio.sleep(0)
    assert supervisor.running == frozenset()
    supervisor.keep("once", work)
    await supervisor.stop()


async def test_two_tasks_of_one_name_are_refused(supervisor):
    supervisor.keep("one", asyncio.Event().wait)
    with pytest.raises(ValueError, match="one is running"):
        supervisor.keep("one", asyncio.Event().wait)
    await supervisor.stop()


async def test_stopping_lets_tasks_clean_up(supervisor):
    started, cleaned = asyncio.Event(), []

    async def work():
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    supervisor.keep("one", work)
    await started.wait()
    await supervisor.stop()
    assert cleaned
    assert supervisor.running == frozenset()


async def test_a_task_in_its_pause_can_be_stopped():
    supervisor = Supervisor(first_pause=timedelta(hours=1), longest_pause=timedelta(hours=1))
    crashed = asyncio.Event()

    async def work():
        crashed.set()
        raise OSError

    with capture_logs():
        supervisor.keep("one", work)
        await crashed.wait()
        await supervisor.stop()


async def test_a_task_that_does_not_end_in_time_is_named(supervisor):
    started, let_go = asyncio.Event(), asyncio.Event()

    async def work():
        started.set()
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    supervisor.keep("deaf", work)
    [task] = [task for task in asyncio.all_tasks() if task.get_name() == "deaf"]
    await started.wait()
    with capture_logs() as logs:
        await supervisor.stop(within=SOON)
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task does not end", "deaf")]
    let_go.set()
    await task
