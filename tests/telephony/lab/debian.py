"""Fetches Debian packages into a folder, with apt's own lists and cache apart from the host's."""

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

# Whatever else the two packages depend on (init scripts, databases, perl) is left out.
PACKAGES = ["asterisk", "asterisk-modules", "asterisk-core-sounds-en-gsm"]
_MODULE_LIBRARIES = re.compile(r"^(libsrtp2|libopus0|libopusfile|libopusenc|libogg0|libgsm1|zlib1g)")
_DEB822 = Path("/etc/apt/sources.list.d/debian.sources")
_ONE_LINE = Path("/etc/apt/sources.list")


class Unavailable(Exception):
    """The lab cannot be had here; the message says why."""


def mirror() -> tuple[str, str | None]:
    """Return the address and the keyring of the Debian mirror that this machine already uses."""
    if _DEB822.exists():
        for stanza in re.split(r"\n\s*\n", _DEB822.read_text()):
            fields = dict(re.findall(r"(?m)^([A-Za-z-]+):[ \t]*(.+)$", stanza))
            if "main" in fields.get("Components", "") and "-security" not in fields.get("Suites", ""):
                return fields["URIs"].split()[0], fields.get("Signed-By")
    lines = _ONE_LINE.read_text().splitlines() if _ONE_LINE.exists() else []
    for line in lines:
        found = re.match(r"deb\s+(?:\[.*?signed-by=(\S+?)[\s\]].*?)?(\S+)\s+\S+\s+.*\bmain\b", line)
        if found and "security" not in line:
            return found[2], found[1]
    raise Unavailable("no Debian mirror is named in /etc/apt")


class Apt:
    """Apt with its own lists, cache and (empty) status under `top`, on one suite of the host's mirror."""

    def __init__(self, top: Path, suite: str) -> None:
        uri, keyring = mirror()
        for sub in ("state/lists/partial", "cache/archives/partial", "etc"):
            (top / sub).mkdir(parents=True, exist_ok=True)
        (top / "state/status").touch()
        sources = f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n"
        (top / "etc/lab.sources").write_text(sources + (f"Signed-By: {keyring}\n" if keyring else ""))
        (top / "etc/apt.conf").write_text(
            f'Dir::State "{top}/state";\nDir::State::status "{top}/state/status";\nDir::Cache "{top}/cache";\n'
            f'Dir::Etc::sourcelist "{top}/etc/lab.sources";\nDir::Etc::sourceparts "/dev/null";\n'
            'Dir::Etc::preferencesparts "/dev/null";\nAPT::Sandbox::User "root";\nAPT::Install-Recommends "false";\n'
            'Acquire::Languages "none";\nAcquire::PDiffs "false";\nAcquire::Retries "3";\nDebug::NoLocking "true";\n'
        )
        self._environment = {**os.environ, "APT_CONFIG": str(top / "etc/apt.conf"), "LC_ALL": "C.UTF-8"}

    def update(self) -> None:
        """Fetch the suite's index, about 10 MB."""
        self._run("apt-get", "update", "-q")

    def has(self, package: str) -> bool:
        return bool(self._call("apt-cache", "show", package).stdout)

    def version(self, package: str) -> str:
        found = re.search(r"(?m)^Version: (\S+)", self._run("apt-cache", "show", "--no-all-versions", package))
        if found is None:
            raise Unavailable(f"{package} has no version")
        return found[1]

    def depends(self, packages: Iterable[str]) -> set[str]:
        """Return the direct dependencies."""
        hide = ["--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"]
        out = self._run("apt-cache", "depends", *hide, *packages)
        return {found[1] for found in re.finditer(r"(?m)^\s+\|?(?:Pre)?Depends: (\S+)", out)} - {"<none>"}

    def download(self, packages: Iterable[str], folder: Path) -> list[Path]:
        folder.mkdir()
        self._run("apt-get", "download", "-qq", *packages, cwd=folder)
        return sorted(folder.glob("*.deb"))

    def _call(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self._environment, cwd=cwd, text=True, capture_output=True, check=False)

    def _run(self, *command: str, cwd: Path | None = None) -> str:
        done = self._call(*command, cwd=cwd)
        if done.returncode:
            raise Unavailable(f"{' '.join(command[:3])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout


def closure(apt: Apt) -> list[str]:
    """Return the packages to unpack: Asterisk and the libraries that its binary and the kept modules need."""
    seen = {name for name in apt.depends(["asterisk"]) if _is_library(name)}
    seen |= {name for name in apt.depends(["asterisk-modules"]) if _MODULE_LIBRARIES.match(name)}
    unseen = set(seen)
    while unseen:
        unseen = {name for name in apt.depends(unseen) if _is_library(name)} - seen
        seen |= unseen
    return PACKAGES + sorted(seen)


def _is_library(name: str) -> bool:
    return name == "zlib1g" or (name.startswith("lib") and not name.startswith(("libperl", "libc-")))
