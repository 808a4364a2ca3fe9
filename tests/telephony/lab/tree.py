"""A trimmed Asterisk of one Debian suite, unpacked without being installed, kept in a cache folder."""

import fcntl
import fnmatch
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.telephony.lab.debian import Apt, Unavailable, closure

# The first suite that carries Asterisk wins; bookworm and trixie do not.
NEWEST = ("forky", "sid")
# Debian 11 carries Asterisk 16, the oldest that config/asterisk promises to load into.
OLDEST = ("bullseye",)

# What a call centre needs, as patterns; everything else in the two packages is left out.
_MODULES = Path(__file__).with_name("modules.txt").read_text().split()
_DROPPED = {"res_sorcery_realtime", "res_stasis_test"}
_MARK = ".complete"


def default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("ASTERISK_LAB_CACHE") or Path(base) / "callcenter-lab")


class Tree:
    """One unpacked Asterisk; it runs with its own dynamic loader, so nothing of the host is changed or needed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def note(self) -> str:
        """Version, suite and size in words."""
        return (self.root / _MARK).read_text().strip()

    @property
    def libraries(self) -> Path:
        found = sorted(self.root.glob("usr/lib/*-linux-gnu*"))
        if not found:
            raise Unavailable(f"no libraries in {self.root}")
        return found[0]

    @property
    def modules(self) -> Path:
        return self.libraries / "asterisk/modules"

    @property
    def loader(self) -> Path:
        return next(self.libraries.glob("ld-linux*.so.*"))

    @property
    def share(self) -> Path:
        return self.root / "usr/share/asterisk"

    def command(self) -> list[str]:
        """The command line of its Asterisk, without arguments."""
        return [str(self.loader), "--library-path", str(self.libraries), str(self.root / "usr/sbin/asterisk")]

    def linked_into(self, directory: Path) -> "Tree":
        """A hard-linked (or copied) twin inside `directory`, for a user who may not enter the cache."""
        target = directory / "tree"
        if not (target / _MARK).exists() or (target / _MARK).read_text() != (self.root / _MARK).read_text():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(self.root, target, copy_function=_link, symlinks=True)
        return Tree(target)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def cached(cache: Path, suites: Iterable[str] = NEWEST) -> Tree | None:
    """Return the newest tree of these suites that was fetched before."""
    for suite in suites:
        if (cache / suite / _MARK).exists():
            return Tree((cache / suite).resolve())
    return None


def fetch(cache: Path, suites: Iterable[str] = NEWEST, *, again: bool = False) -> Tree:
    """Download and trim Asterisk unless it is there: 12–25 s, about 33 MB. Raises Unavailable."""
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree = cached(cache, suites)
        if tree is not None and not again:
            return tree
        with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as work:
            os.chmod(work, 0o755)
            return _fetch(cache, Path(work), suites)


def _fetch(cache: Path, work: Path, suites: Iterable[str]) -> Tree:
    for suite in suites:
        apt = Apt(work / f"apt-{suite}", suite)
        apt.update()
        if apt.has("asterisk"):
            break
    else:
        raise Unavailable(f"no asterisk in {', '.join(suites)}")
    debs = apt.download(closure(apt), work / "debs")
    tree = Tree(work / "tree")
    tree.root.mkdir()
    for deb in debs:
        subprocess.run(["dpkg-deb", "-x", deb, tree.root], check=True)
    _gather_libraries(tree)
    _trim(tree)
    version = apt.version("asterisk")
    (tree.root / _MARK).write_text(f"asterisk {version} from {suite}: {len(debs)} packages\n")
    target = cache / ("asterisk-" + re.sub(r"[^\w.+~-]", "_", version))
    shutil.rmtree(target, ignore_errors=True)
    tree.root.chmod(0o755)
    tree.root.rename(target)
    link = cache / f"{suite}.new"
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)
    link.rename(cache / suite)
    return Tree(target)


def _gather_libraries(tree: Tree) -> None:
    """Older suites keep some libraries in /lib and Asterisk's own in /usr/lib: bring them to the others."""
    home = tree.libraries
    for path in [
        *tree.root.glob("lib/*-linux-gnu*/*"),
        *tree.root.glob("usr/lib/libasterisk*"),
        tree.root / "usr/lib/asterisk",
    ]:
        target = home / path.name
        if path.is_dir() and target.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        elif os.path.lexists(path) and not os.path.lexists(target):  # also a link whose file has moved already
            path.rename(target)


def _listed(tree: Tree, binary: Path) -> str:
    command = [str(tree.loader), "--library-path", str(tree.libraries), "--list", str(binary)]
    return subprocess.run(command, text=True, capture_output=True, check=False).stdout


def _binaries(tree: Tree) -> list[Path]:
    return [tree.root / "usr/sbin/asterisk", *sorted(tree.modules.glob("*.so"))]


def _trim(tree: Tree) -> None:
    for module in tree.modules.glob("*.so"):
        if module.stem in _DROPPED or not any(fnmatch.fnmatch(module.stem, pattern) for pattern in _MODULES):
            module.unlink()
    if list(tree.libraries.glob("libnss3.so")):
        # there libsrtp2 loads NSS's own modules at run time; without it Asterisk 16 does not start
        (tree.modules / "res_srtp.so").unlink(missing_ok=True)
    used, missing = {os.path.realpath(tree.loader)}, {}
    for binary in _binaries(tree):
        out = _listed(tree, binary)
        used |= {os.path.realpath(found[1]) for found in re.finditer(r"(/\S+) \(0x", out)}
        found_at = re.findall(r"(?m)^\s*(\S+) => (not found|/\S+)", out)
        wrong = [name for name, place in found_at if not place.startswith(str(tree.libraries))]
        if wrong or not out:
            missing[binary.name] = wrong
    if missing:
        raise Unavailable(f"libraries missing from the tree: {missing}")
    for path in tree.libraries.iterdir():
        if path.name != "asterisk" and os.path.realpath(path) not in used:
            _remove(path)
    _keep_sounds(tree)
    _keep_only(tree.root, {"usr"})
    _keep_only(tree.root / "usr", {"sbin", "lib", "share"})
    _keep_only(tree.root / "usr/sbin", {"asterisk"})
    _keep_only(tree.root / "usr/lib", {tree.libraries.name})
    _keep_only(tree.root / "usr/share", {"asterisk"})
    _keep_only(tree.share, {"documentation", "rest-api", "sounds"})


def _keep_sounds(tree: Tree) -> None:
    for path in (tree.share / "sounds").iterdir():
        if path.is_symlink():
            path.unlink()  # Debian's alternatives, which are not installed here
        else:
            path.rename(path.parent / "en")


def _keep_only(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in names:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
