"""Keeps an embedded PostgreSQL running while anybody uses it: a program of its own, which `embedded.py` starts.

Users hold a shared lock on `users.lock`; the kernel gives it back however they end. The keeper waits for the exclusive
lock: when it gets it, nobody is left, and it stops the server. `keeper.lock` is held as long as a server may run.
Should the keeper be killed, the server is told by the kernel (Linux).
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from typing import BinaryIO

READY_WITHIN = 30.0  # seconds; recovery after a crash included
AGAIN_WITHIN = 10.0
PR_SET_PDEATHSIG = 1


def main(home: str, data: str, *, uid: str, gid: str, command: list[str]) -> int:
    """Start the server, detach, and return 0 as soon as it takes connections; 1 and its last words when it does not."""
    read_end, write_end = os.pipe()
    if os.fork():
        os.close(write_end)
        with os.fdopen(read_end) as report:
            words = report.read()
        sys.stderr.write(words.removeprefix("ready"))
        return 0 if words == "ready" else 1
    os.close(read_end)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    # Given back in the other order: a new user waits for the users' lock, and must then find no keeper.
    with open(os.path.join(home, "users.lock"), "rb") as users, open(os.path.join(home, "keeper.lock"), "wb") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        return keep(command, users, home=home, data=data, uid=int(uid), gid=int(gid), report_to=write_end)


def keep(command: list[str], users: BinaryIO, *, home: str, data: str, uid: int, gid: int, report_to: int) -> int:
    """Run the server until nobody uses it; one that ends by itself is started again."""
    log_path = os.path.join(home, "postgres.log")
    with contextlib.suppress(FileNotFoundError):
        os.replace(log_path, log_path + ".old")
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    server = start_patiently(command, data, uid=uid, gid=gid, log=log)
    with os.fdopen(report_to, "w") as report:
        report.write("ready" if server else last_words(log_path))
    while server:
        if wait_until_unused(users, server):
            stop(server)
            return 0
        stop(server)  # collects the dead process, which would look alive to its successor
        server = start_patiently(command, data, uid=uid, gid=gid, log=log)
    return 1


def wait_until_unused(users: BinaryIO, server: "subprocess.Popen[bytes]") -> bool:
    """Wait for the users' lock, and hold it; False when the server ended before."""
    # The signal of the server's end breaks the wait.
    signal.signal(signal.SIGCHLD, give_up)
    try:
        if server.poll() is not None:
            return False
        fcntl.flock(users, fcntl.LOCK_EX)
    except InterruptedError:
        return False
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return True


def start_patiently(command: list[str], data: str, *, uid: int, gid: int, log: int) -> "subprocess.Popen[bytes] | None":
    """Start the server; None when it does not come up.

    After a kill the processes of the last one take a moment to go, and until then a new one refuses to start.
    """
    give_up_at = time.monotonic() + AGAIN_WITHIN
    while True:
        server = start(command, uid=uid, gid=gid, log=log)
        if wait_until_ready(server, data):
            return server
        stop(server)
        if not os.path.exists(os.path.join(data, "postmaster.pid")) or time.monotonic() > give_up_at:
            return None
        time.sleep(0.05)


def give_up(_signum: int, _frame: object) -> None:
    """Break off whatever system call is waiting."""
    raise InterruptedError


def start(command: list[str], *, uid: int, gid: int, log: int) -> "subprocess.Popen[bytes]":
    """Run the server as `uid` (-1: as we are), told to stop by the kernel when this process dies."""
    keeper = os.getpid()

    def bind_to_keeper() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
            if os.getppid() != keeper:
                os._exit(1)

    as_user = {} if uid < 0 else {"user": uid, "group": gid, "extra_groups": []}
    return subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=bind_to_keeper, **as_user)  # type: ignore[call-overload,no-any-return] # noqa: PLW1509


def wait_until_ready(server: "subprocess.Popen[bytes]", data: str) -> bool:
    """Watch the server's own status line; False when it ends or takes too long."""
    give_up_at = time.monotonic() + READY_WITHIN
    while server.poll() is None and time.monotonic() < give_up_at:
        with contextlib.suppress(FileNotFoundError), open(os.path.join(data, "postmaster.pid")) as status:
            lines = status.read().splitlines()
            # A file left by a killed server names another process.
            if len(lines) >= 8 and lines[0] == str(server.pid) and lines[7].strip() == "ready":
                return True
        time.sleep(0.005)
    return False


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End all sessions and write everything down (PostgreSQL's fast shutdown)."""
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
        server.wait()


def last_words(log_path: str) -> str:
    """Return the end of the server's log."""
    with open(log_path, errors="replace") as log:
        return "".join(log.readlines()[-5:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], uid=sys.argv[3], gid=sys.argv[4], command=sys.argv[5:]))
