"""One running Asterisk: its folder, its configuration from templates, its start and its end."""

import ipaddress
import math
import os
import pwd
import re
import resource
import shutil
import signal
import struct
import subprocess
import time
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.telephony.lab.debian import Unavailable
from tests.telephony.lab.tree import Tree

SECRET = "lab-callcenter"  # of the account in the product's sample
CONF = Path(__file__).with_name("conf")
SAMPLE = Path(__file__).parents[3] / "config/asterisk"
# Asterisk complains about their absence, although it does without them.
_OPTIONAL = ["acl", "ccss", "chan_websocket", "geolocation", "queuerules", "statsd", "udptl", "websocket_client"]
_FOLDERS = [
    "run",
    "log/cdr-csv",
    "lib/agi-bin",
    "lib/keys",
    "spool/monitor",
    "spool/outgoing",
    "spool/tmp",
    "cache",
    "moh",
]
_VARIABLE = re.compile(r"@([A-Z][A-Z0-9_]*)@")
_SOCKET_PATH = 100


@dataclass(frozen=True, slots=True)
class Ports:
    """Where one instance listens; `agi` are those of the call-centre servers it asks, `trunk` the provider's phone."""

    sip: int = 15060
    ami: int = 15038
    http: int = 18088
    https: int = 18089
    trunk: int = 5062
    agi: tuple[int, ...] = (4573,)
    rtp: tuple[int, int] = (20000, 20999)


@dataclass(slots=True)
class Instance:
    """An Asterisk whose state, logs and recordings lie in `directory`; `values` fill more @KEY@s of the templates."""

    directory: Path
    ports: Ports = field(default_factory=Ports)
    bind: str = "127.0.0.1"
    user: str = "nobody"
    values: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process, or None when it does not run."""
        try:
            pid = int((self.directory / "run/asterisk.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if str(self._settings).encode() in command else None

    @property
    def log(self) -> str:
        """All that it wrote in its log of notices, warnings and errors."""
        return (self.directory / "log/messages").read_text(errors="replace")

    @property
    def _settings(self) -> Path:
        return self.directory / "etc/asterisk.conf"

    def start(self, tree: Tree, *, timeout: float = 30) -> None:
        """Start it and wait until it is fully booted, about a second. Raises Unavailable."""
        if not ipaddress.ip_address(self.bind).is_loopback:
            raise Unavailable(f"{self.bind} is not a loopback address")
        if len(str(self.directory / "run/asterisk.ctl")) > _SOCKET_PATH:
            raise Unavailable(f"too long for a Unix socket: {self.directory}")
        if self.pid:
            return
        user = pwd.getpwnam(self.user) if os.geteuid() == 0 and self.user != "root" else None
        tree = self._prepare(tree, user)
        process = self._spawn(tree, user)
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if process.poll() is not None:
                raise Unavailable(f"Asterisk ended with {process.returncode}: see {self.directory / 'log'}")
            if (self.directory / "run/asterisk.ctl").exists() and "fully booted" in self.cli("core waitfullybooted"):
                return
            time.sleep(0.05)
        process.kill()
        raise Unavailable(f"Asterisk is not ready after {timeout} s: see {self.directory / 'log'}")

    def cli(self, command: str) -> str:
        """Run one command of its console and return what it prints."""
        tree = Tree(Path((self.directory / "run/tree").read_text()))
        line = [*tree.command(), "-C", str(self._settings), "-rx", command]
        done = subprocess.run(line, text=True, capture_output=True, timeout=30, check=False, env=self._environment())
        return done.stdout + done.stderr

    def stop(self) -> None:
        """End it, by force if need be; does nothing when it does not run."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if self.kill(sign):
                return
        raise Unavailable(f"could not end Asterisk, pid {self.pid}")

    def kill(self, sign: signal.Signals = signal.SIGKILL, *, timeout: float = 10) -> bool:
        """Send it a signal; True when it is gone in time."""
        pid = self.pid
        if pid is None:
            return True
        os.kill(pid, sign)
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if self.pid != pid:
                if self._process:
                    self._process.wait()  # a child stays a zombie until then
                return True
            time.sleep(0.02)
        return False

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "TZ": os.environ.get("TZ", "UTC"),
        }

    def _prepare(self, tree: Tree, user: pwd.struct_passwd | None) -> Tree:
        for folder in _FOLDERS:
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        if not (self.directory / "moh/lab.wav").exists():
            write_music(self.directory / "moh/lab.wav")
        write_certificate(self.directory / "lib/keys/lab.pem")
        if user and not _reachable(tree.root, user):
            tree = tree.linked_into(self.directory)
        if user and not _reachable(self.directory, user):
            raise Unavailable(f"{self.directory} cannot be entered by {self.user}")
        for stale in ("run/asterisk.ctl", "run/asterisk.pid"):
            (self.directory / stale).unlink(missing_ok=True)
        self._write_configuration(tree)
        (self.directory / "run/tree").write_text(str(tree.root))
        if user:
            twin = self.directory / "tree"
            for path in [self.directory, *self.directory.rglob("*")]:
                if path != twin and twin not in path.parents:
                    os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
        return tree

    def _spawn(self, tree: Tree, user: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
        # a call takes about ten descriptors: with the usual 1024 a load test ends in "Too many open files"
        files = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        limits = f'ulimit -n {files}; ulimit -c 0; exec "$@"'
        with open(self.directory / "log/console", "ab") as console:
            self._process = subprocess.Popen(
                ["sh", "-c", limits, "sh", *tree.command(), "-C", str(self._settings), "-f", "-q"],
                cwd=self.directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )
        return self._process

    def _write_configuration(self, tree: Tree) -> None:
        etc = self.directory / "etc"
        shutil.rmtree(etc, ignore_errors=True)
        etc.mkdir()
        values = {
            "BIND": self.bind,
            "DIR": str(self.directory),
            "SAMPLE": str(etc / "callcenter"),
            "SIP_PORT": str(self.ports.sip),
            "AMI_PORT": str(self.ports.ami),
            "HTTP_PORT": str(self.ports.http),
            "HTTPS_PORT": str(self.ports.https),
            "TRUNK_PORT": str(self.ports.trunk),
            "RTP_START": str(self.ports.rtp[0]),
            "RTP_END": str(self.ports.rtp[1]),
            "AGI_SERVERS": "&".join(f"{self.bind}:{port}" for port in self.ports.agi),
            "PBX": "default",
            "PATIENCE": "30",
            "FALLBACK_QUEUE": "",
            "CALLCENTER_SECRET": f"secret = {SECRET}",
            **self.values,
        }
        for source in sorted(CONF.glob("*.conf")):
            text = _VARIABLE.sub(lambda found: values.get(found[1], found[0]), source.read_text())
            (etc / source.name).write_text(text)
        # the product's sample, byte by byte
        shutil.copytree(SAMPLE, etc / "callcenter")
        for name in _OPTIONAL:
            if not (etc / f"{name}.conf").exists():
                (etc / f"{name}.conf").write_text("[general]\n" if name == "statsd" else "")
        lib = self.directory / "lib"
        places = {
            "astetcdir": etc,
            "astmoddir": tree.modules,
            "astvarlibdir": lib,
            "astdbdir": lib,
            "astkeydir": lib,
            "astdatadir": tree.share,
            "astagidir": lib / "agi-bin",
            "astspooldir": self.directory / "spool",
            "astrundir": self.directory / "run",
            "astlogdir": self.directory / "log",
            "astcachedir": self.directory / "cache",
        }
        lines = [f"{name} => {place}\n" for name, place in places.items()]
        self._settings.write_text("[directories]\n" + "".join(lines) + "\n" + self._settings.read_text())


def write_music(path: Path, *, seconds: int = 16, rate: int = 8000) -> None:
    """Write a soft four-note loop, so that music on hold is audible without any download."""
    notes = (262, 330, 392, 330)
    samples = bytearray()
    for i in range(seconds * rate):
        t = i / rate
        fade = math.exp(-3 * (t * 2 % 1))
        samples += struct.pack("<h", int(6000 * fade * math.sin(2 * math.pi * notes[int(t * 2) % 4] * t)))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(samples))


def write_certificate(path: Path) -> None:
    """Write a self-signed certificate for loopback, if openssl is at hand."""
    if path.exists() or not shutil.which("openssl"):
        return
    key, cert = path.with_suffix(".key"), path.with_suffix(".crt")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"]
    subprocess.run(["openssl", "req", *kind, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    path.write_bytes(key.read_bytes() + cert.read_bytes())


def _reachable(path: Path, user: pwd.struct_passwd) -> bool:
    """Can this user read below `path`?"""
    for part in [path, *path.parents]:
        mode = part.stat()
        bit = 0o100 if mode.st_uid == user.pw_uid else 0o010 if mode.st_gid == user.pw_gid else 0o001
        if not mode.st_mode & bit:
            return False
    return True
