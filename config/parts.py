"""Sees to it that the machine has the real parts of the journeys: `python config/parts.py asterisk browser`."""

import os
import shutil
import subprocess
import sys

# What a part runs, and the Debian packages that bring it. Asterisk itself is unpacked by the lab, not installed.
PROGRAMS = {
    "asterisk": {"sipp": "sip-tester", "openssl": "openssl", "apt-get": "apt"},
    "browser": {"chromium": "chromium", "fc-list": "fontconfig"},
    "imap": {"/usr/lib/dovecot/imap": "dovecot-imapd"},
}
FONTS = {"browser": ["fonts-noto-cjk"]}  # without them Chinese is drawn as boxes


def main(parts: list[str]) -> int:
    """Install what is missing where we may; else name it and fail."""
    if unknown := sorted(set(parts) - PROGRAMS.keys()):
        return fail(f"there is no part called {', '.join(unknown)}; there are: {', '.join(PROGRAMS)}")
    needed = {part: missing(part) for part in parts}
    packages = sorted({package for names in needed.values() for package in names})
    if packages and not install(packages):
        for part, names in needed.items():
            if names:
                fail(f"{part} needs the Debian packages {' '.join(names)}: sudo apt-get install {' '.join(names)}")
        return 1
    if "asterisk" in parts:
        return subprocess.run([sys.executable, "-m", "tests.telephony.lab", "fetch"], check=False).returncode
    return 0


def missing(part: str) -> list[str]:
    """List the Debian packages whose programs are not there."""
    packages = [package for program, package in PROGRAMS[part].items() if not shutil.which(program)]
    if part in FONTS and not shows_chinese():
        packages += FONTS[part]
    return packages


def shows_chinese() -> bool:
    """Tell whether some font has Chinese characters."""
    if not shutil.which("fc-list"):
        return False
    return bool(subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False).stdout)


def install(packages: list[str]) -> bool:
    """Install packages where this is Debian and we are root."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0"]
    for command in ([*quiet, "update"], [*quiet, "install", "--no-install-recommends", *packages]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            fail(done.stdout[-2000:] + done.stderr[-2000:])
            return False
    return True


def fail(words: str) -> int:
    """Say what is wrong; the exit status that goes with it."""
    sys.stderr.write(f"test-parts: {words}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
