"""A real Dovecot in a folder of its own, without root, and a wire to it that can be cut."""

import asyncio
import contextlib
import getpass
import grp
import imaplib
import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PASSWORD = 'hush"my"dear'
_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/mail/%u
passdb {{
  driver = static
  args = password={{PLAIN}}{password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Dovecot:
    """As root it runs as nobody, since it lets nobody read mail as root."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="callcenter-imap-"))
        self.port, self.tls_port = _free_port(), _free_port()
        self._user = "nobody" if os.geteuid() == 0 else getpass.getuser()
        entry = pwd.getpwnam(self._user)
        self._ids = (entry.pw_uid, entry.pw_gid)
        self._server: subprocess.Popen[bytes] | None = None
        self._write_files(grp.getgrgid(entry.pw_gid).gr_name)

    def _write_files(self, group: str) -> None:
        config = _CONFIG.format(
            folder=self.folder, user=self._user, group=group, port=self.port, tls_port=self.tls_port, password=PASSWORD
        )
        (self.folder / "dovecot.conf").write_text(config)
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext {names}"
        command += " -keyout key.pem -out cert.pem"
        subprocess.run(command.split(), cwd=self.folder, check=True, capture_output=True)
        (self.folder / "mail").mkdir()
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, *self._ids)

    @property
    def certificate(self) -> str:
        return str(self.folder / "cert.pem")

    def start(self) -> None:
        as_user = {"user": self._ids[0], "group": self._ids[1], "extra_groups": []} if os.geteuid() == 0 else {}
        command = [shutil.which("dovecot") or "/usr/sbin/dovecot", "-F", "-c", str(self.folder / "dovecot.conf")]
        self._server = subprocess.Popen(  # type: ignore[call-overload]
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **as_user
        )
        give_up_at = time.monotonic() + 15
        while True:
            assert self._server is not None
            if self._server.poll() is not None:
                assert self._server.stderr is not None
                raise RuntimeError(f"Dovecot ended: {self._server.stderr.read().decode()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as one:
                if one.recv(4) == b"* OK":
                    return
            if time.monotonic() > give_up_at:
                raise RuntimeError("Dovecot does not come up")
            time.sleep(0.02)

    def stop(self) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(15)
            if self._server.stderr is not None:
                self._server.stderr.close()
            self._server = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def client(self, user: str, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """A client of another make."""
        with imaplib.IMAP4("127.0.0.1", self.port) as client:
            client.login(user, PASSWORD)
            client.select(folder)
            yield client

    def deliver(self, user: str, *raw: bytes, folder: str = "INBOX", flags: str = "") -> None:
        with self.client(user) as client:
            for each in raw:
                said, _ = client.append(folder, flags, "", each)
                assert said == "OK"

    def create(self, user: str, folder: str) -> None:
        with self.client(user) as client:
            assert client.create(folder)[0] == "OK"

    def begin_anew(self, user: str, folder: str, raw: bytes) -> None:
        """The folder is made again with one message in it, so that its UIDs mean something else."""
        with self.client(user) as client:
            before = client.status(folder, "(UIDVALIDITY)")
            client.delete(folder)
            client.create(folder)
            client.append(folder, "", "", raw)
            assert client.status(folder, "(UIDVALIDITY)") != before

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        """Of each message, in their order."""
        with self.client(user, folder) as client:
            found = client.fetch("1:*", "(FLAGS)")[1] if int((client.select(folder)[1][0] or b"0").decode()) else []
            return [re.sub(rb".*FLAGS \((.*?)\).*", rb"\1", line).decode() for line in found if isinstance(line, bytes)]


def trust(certificate: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


class Wire:
    """Between the product and Dovecot. `cut_at`: bytes before which the next connection ends that sends them."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = 0
        self.cut_at: bytes | None = None
        self.cuts = 0
        self.when_cut: Callable[[], None] = lambda: None
        self._speaking = asyncio.Event()
        self._speaking.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def mute(self) -> None:
        """Those that are connected hear nothing more, and nobody tells them; new ones are served."""
        self._speaking.clear()
        self._speaking = asyncio.Event()
        self._speaking.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer, self._speaking))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, speaking: asyncio.Event) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        pumps = [
            asyncio.create_task(self._pump(reader, far_writer, speaking, watched=True)),
            asyncio.create_task(self._pump(far_reader, writer, speaking, watched=False)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for one in (writer, far_writer):
                one.transport.abort()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, speaking: asyncio.Event, *, watched: bool
    ) -> None:
        while data := await reader.read(65_536):
            if watched and self.cut_at is not None and self.cut_at in data:
                self.cut_at = None
                self.cuts += 1
                self.when_cut()
                return
            await speaking.wait()
            writer.write(data)
            await writer.drain()
