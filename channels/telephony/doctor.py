"""Says in words what keeps a PBX from working with this server; the only importer of pyst2, which is sound here."""

from __future__ import annotations

import asyncio
import queue
import threading
import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asterisk.config import Config, ParseError
from asterisk.manager import Manager, ManagerException

from channels.telephony.pbxfiles import plain_text

Sections = dict[str, list[tuple[str, str]]]

CONTEXTS: Final = ("callcenter-inbound", "callcenter-answered", "callcenter-notice", "callcenter-callback")
# events that make two thirds of the traffic and that nobody reads
UNREAD_EVENTS: Final = ("RTCPSent", "RTCPReceived", "VarSet", "Newexten")
READ_RIGHTS: Final = ("system", "call", "user", "dtmf")
WRITE_RIGHTS: Final = ("call", "originate", "reporting")
OLDEST: Final = 16
ANSWER_TIMEOUT: Final = 8.0
# seconds for pyst2's reader to sort out what came right before the end
_LAST_WORD: Final = 1.0

# a right is tried on a channel that does not exist
_NOBODY: Final = "PJSIP/callcenter-check-0"
_TRIED: Final = {
    "Redirect": {"Channel": _NOBODY, "Context": "callcenter-check", "Exten": "s", "Priority": "1"},
    "Hangup": {"Channel": _NOBODY},
    "ControlPlayback": {"Channel": _NOBODY, "Control": "stop"},
    "Originate": {"Channel": _NOBODY, "Context": "callcenter-check", "Exten": "s", "Priority": "1"},
    "CoreStatus": {},
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and what helps; `str()` is a sentence or two for an administrator."""

    problem: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}".strip()


async def check_pbx(
    *,
    host: str,
    port: int,
    user: str,
    secret: str,
    endpoints: Collection[str] = (),
    contexts: Iterable[str] = CONTEXTS,
    timeout: float = ANSWER_TIMEOUT,
) -> list[Finding]:
    """Log in to a PBX and look; empty when all is well. `endpoints` are dial strings such as `PJSIP/1001`.

    pyst2 has no time limit anywhere: it runs in a thread of its own, which is left behind after `timeout` seconds.
    """
    if any(char in user + secret for char in "\r\n\0"):
        return [Finding("The AMI user or secret has a line break in it.")]
    unreachable = await _reach(host, port, timeout)
    if unreachable is not None:
        return [unreachable]
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    with warnings.catch_warnings():
        # pyst2 uses names of threading that Python 3.10 deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        examination = _Examination(host, port, user, secret, endpoints, tuple(contexts))
        thread = threading.Thread(target=examination.run, args=(lambda: _tell(loop, done),), daemon=True)
        thread.start()
        try:
            async with asyncio.timeout(timeout):
                await done.wait()
        except TimeoutError:
            problem = f"AMI at {host}:{port} accepts the connection and does not answer ({examination.step})."
            remedy = "Is it the AMI port (5038), and is Asterisk frozen?"
            return [*examination.findings, Finding(problem, remedy)]
    return examination.findings


async def _reach(host: str, port: int, timeout: float) -> Finding | None:
    """Whether anybody listens; pyst2 would leave its socket open where nobody does."""
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "no answer"
        problem = f"AMI at {host}:{port} cannot be reached: {reason}."
        return Finding(problem, "Is Asterisk running, and enabled = yes in [general] of manager.conf?")
    writer.close()
    return None


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(done.set)


class Pyst2(Manager):  # type: ignore[misc]
    """pyst2's client, with an end that does not wait for ever."""

    def __del__(self) -> None:
        """pyst2 would log off here, from whatever thread collects it."""

    def send_action(self, cdict: dict[str, str], **fields: str) -> Any:
        try:
            return super().send_action(cdict, **fields)
        except ValueError:
            # A refusal and the hang-up behind it can be read before pyst2 flushes the file that it then finds closed.
            try:
                return self._response_queue.get(timeout=_LAST_WORD)
            except queue.Empty:
                raise ConnectionError("the connection was closed") from None

    def end(self) -> None:
        """Stop its threads after the PBX has closed the connection; a second log-off would never be answered."""
        self._connected.clear()
        self.close()


class _Examination:
    """What the thread does, in order; `step` says where it is."""

    def __init__(
        self, host: str, port: int, user: str, secret: str, endpoints: Collection[str], contexts: tuple[str, ...]
    ) -> None:
        self.findings: list[Finding] = []
        self.step = "greeting"
        self._host, self._port, self._user, self._secret = host, port, user, secret
        self._endpoints, self._contexts = endpoints, contexts
        self._list: list[Any] = []
        self._list_ended = threading.Event()
        self._manager = Pyst2()

    def run(self, finished: Any) -> None:
        try:
            self._examine()
        except (ManagerException, OSError, ValueError) as error:
            # pyst2 may find its file closed (ValueError) by the answer to the log-off
            if self.step != "log-off":
                reason = (error.args[-1] if error.args else "") or type(error).__name__
                self._find(f"AMI at {self._host}:{self._port} broke off during {self.step}: {reason}.")
        finally:
            self._manager.end()
            finished()

    def _find(self, problem: str, remedy: str = "") -> None:
        self.findings.append(Finding(problem, remedy))

    def _examine(self) -> None:
        self._manager.register_event("*", self._on_event)
        self._manager.connect(self._host, self._port)
        self.step = "log-in"
        # without events: a header ChanVariable in one would kill pyst2's reader
        answer = self._act("Login", Username=self._user, Secret=self._secret, Events="off")
        if answer.get_header("Response") != "Success":
            problem = f"AMI log-in refused for user {self._user}: {answer.get_header('Message')}."
            self._find(problem, "Compare user, secret and permit with manager.conf.")
            return
        self._look_at_version()
        self._look_at_rights()
        self._look_at_contexts()
        self._look_at_endpoints()
        self._look_at_filters()
        self.step = "log-off"
        self._act("Logoff")

    def _act(self, action: str, **fields: str) -> Any:
        # a dictionary of our own: pyst2 keeps keys between calls in a shared default
        return self._manager.send_action({"Action": action, **fields})

    def _on_event(self, event: Any, _: Any) -> None:
        if event.get_header("EventList", "").lower() == "complete":
            self._list_ended.set()
        else:
            self._list.append(event)

    def _list_of(self, action: str, **fields: str) -> tuple[str, list[Any]]:
        """(the message of the refusal or an empty text, the list's events)."""
        self.step = action
        self._list, self._list_ended = [], threading.Event()
        answer = self._act(action, **fields)
        if answer.get_header("Response") != "Success":
            return answer.get_header("Message", "refused"), []
        self._list_ended.wait(ANSWER_TIMEOUT)
        return "", self._list

    def _look_at_version(self) -> None:
        self.step = "CoreSettings"
        version = self._act("CoreSettings").get_header("AsteriskVersion", "")
        major = version.removeprefix("certified-").partition(".")[0].partition("/")[0]
        if major.isdigit() and int(major) < OLDEST:
            self._find(f"Asterisk {version} is too old.", f"Asterisk {OLDEST} or later is needed.")

    def _look_at_rights(self) -> None:
        denied = []
        for action, fields in _TRIED.items():
            self.step = action
            if self._act(action, **fields).get_header("Message", "") == "Permission denied":
                denied.append(action)
        if denied:
            problem = f"AMI user {self._user} may not run {', '.join(denied)}."
            self._find(problem, f"manager.conf: write = {','.join(WRITE_RIGHTS)}")

    def _look_at_contexts(self) -> None:
        for context in self._contexts:
            refusal, _ = self._list_of("ShowDialPlan", Context=context)
            if "Did not find" in refusal:
                remedy = "extensions.conf: #include extensions_callcenter.conf; then asterisk -rx 'dialplan reload'"
                self._find(f"The dialplan has no context {context}.", remedy)

    def _look_at_endpoints(self) -> None:
        refusal, events = self._list_of("PJSIPShowEndpoints")
        known = {f"PJSIP/{event.get_header('ObjectName')}" for event in events}
        if refusal:
            # it needs write = system, which the account need not have
            refusal, events = self._list_of("DeviceStateList")
            known = {event.get_header("Device") for event in events}
        if refusal:
            return
        if not any(name.startswith("PJSIP/") for name in known):
            self._find("The PBX has no PJSIP endpoint.", "Agents' phones are endpoints of pjsip.conf.")
            return
        wanted = (name for name in self._endpoints if name.startswith("PJSIP/"))
        for name in sorted(name for name in wanted if name not in known):
            self._find(f"The PBX has no endpoint {name}, which an agent of the organisation has.")

    def _look_at_filters(self) -> None:
        """Only where the account may read files, which it need not."""
        self.step = "GetConfig"
        answer = self._act("GetConfig", Filename="manager.conf")
        if answer.get_header("Response") != "Success":
            return
        headers = {key: value for key, value in answer.headers.items() if key.startswith(("Category-", "Line-"))}
        number = next(
            (key.removeprefix("Category-") for key, value in headers.items() if value == self._user), None
        )  # fmt: skip
        lines = [value for key, value in headers.items() if key.startswith(f"Line-{number}-")]
        filters = " ".join(line for line in lines if line.startswith("eventfilter"))
        self.findings += missing_filters(self._user, filters)


def missing_filters(user: str, filters: str) -> list[Finding]:
    missing = [name for name in UNREAD_EVENTS if name not in filters]
    if not missing:
        return []
    lines = "; ".join(f"eventfilter = !Event: {name}" for name in missing)
    return [Finding(f"Account {user} of manager.conf gets events that nobody reads.", f"Add: {lines}")]


def check_files(directory: Path, *, user: str = "callcenter") -> list[Finding]:
    """Read the manager.conf and extensions.conf of an existing PBX and say what to add."""
    return [*_check_manager(directory / "manager.conf", user), *_check_dialplan(directory / "extensions.conf")]


def _check_manager(path: Path, user: str) -> list[Finding]:
    sections = _read(path)
    if sections is None:
        return [Finding(f"{path} cannot be read.", "It switches AMI on and holds the server's account.")]
    found = []
    general = dict(sections.get("general", ()))
    if general.get("enabled", "no").lower() not in ("yes", "true", "1", "on"):
        found.append(Finding(f"{path} does not switch AMI on.", "[general]: enabled = yes"))
    if general.get("bindaddr", "0.0.0.0") in ("0.0.0.0", "::"):  # noqa: S104
        remedy = "[general]: bindaddr = 127.0.0.1, or the address that the servers reach"
        found.append(Finding(f"{path} opens AMI on every address.", remedy))
    account = sections.get(user)
    if account is None:
        remedy = f"Add: #include manager_callcenter.conf, then [{user}](+) with secret = …"
        return [*found, Finding(f"{path} has no account {user}.", remedy)]
    values = dict(account)
    if not values.get("secret"):
        found.append(Finding(f"Account {user} of {path} has no secret.", f"[{user}](+): secret = …"))
    for key, needed in (("read", READ_RIGHTS), ("write", WRITE_RIGHTS)):
        has = {right.strip() for right in values.get(key, "").split(",")}
        missing = [right for right in needed if right not in has and "all" not in has]
        if missing:
            problem = f"Account {user} of {path} lacks {key} = {','.join(missing)}."
            found.append(Finding(problem, f"[{user}](+): {key} = {','.join(needed)}"))
    filters = " ".join(f"{key} {value}" for key, value in account if key.startswith("eventfilter"))
    return found + missing_filters(user, filters)


def _check_dialplan(path: Path) -> list[Finding]:
    sections = _read(path)
    if sections is None:
        return [Finding(f"{path} cannot be read.", "It leads callers to the server.")]
    missing = [context for context in CONTEXTS if context not in sections]
    if missing:
        remedy = "Add: #include extensions_callcenter.conf"
        return [Finding(f"{path} has no context {', '.join(missing)}.", remedy)]
    others = (value for name, lines in sections.items() if not name.startswith("callcenter-") for _, value in lines)
    if not any(CONTEXTS[0] in value for value in others):
        remedy = f"In the context of your trunk: exten => 95500,1,Goto({CONTEXTS[0]},${{EXTEN}},1)"
        return [Finding(f"{path} leads no caller to {CONTEXTS[0]}.", remedy)]
    return []


class PlainConfig(Config):  # type: ignore[misc]
    """pyst2's parser, reading what it understands of a file and all that it includes."""

    def load(self) -> None:
        self.raw_lines = plain_text(Path(self.filename)).splitlines()


def _read(path: Path) -> Sections | None:
    """The sections of a file; None when it cannot be read."""
    try:
        config = PlainConfig(path)
    except (OSError, ParseError):
        return None
    sections: Sections = {}
    for category in config.categories:
        # [name](+) adds to a section that is there
        section = sections.setdefault(category.name, [])
        section += [(item.name, item.value.strip()) for item in category.items]
    return sections
