"""Asterisk's side of FastAGI for the fake PBX: environment, answers, and what a hung-up channel does to them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from channels.telephony.fakepbx_channel import UNKNOWN, Channel, ChannelState
from channels.telephony.fakepbx_dial import dial

# AGI_BUF_LEN of res_agi.c, without the final NUL: what is longer is read as another command
_LINE: Final = 2047
_CONNECT_SECONDS: Final = 5.0

_DEAD_OK: Final = frozenset(
    {"GET VARIABLE", "GET FULL VARIABLE", "SET VARIABLE", "VERBOSE", "NOOP", "EXEC", "DATABASE GET", "DATABASE PUT"}
)
# fewest arguments
_COMMANDS: Final = {
    "ANSWER": 0, "CHANNEL STATUS": 0, "CONTROL STREAM FILE": 2, "EXEC": 1, "GET FULL VARIABLE": 1, "GET VARIABLE": 1,
    "HANGUP": 0, "NOOP": 0, "SAY DIGITS": 2, "SAY NUMBER": 2, "SET MUSIC": 1, "SET VARIABLE": 2, "STREAM FILE": 2,
    "VERBOSE": 1, "WAIT FOR DIGIT": 1,
}  # fmt: skip
_DEAD: Final = "511 Command Not Permitted on a dead channel or intercept routine"


class AgiLink(asyncio.Protocol):
    """The socket: whole lines in, and a poke of the channel that runs AGI."""

    __slots__ = ("buffer", "channel", "eof", "lines", "note", "transport")

    def __init__(self, channel: Channel, note: Callable[[str, str], None]) -> None:
        self.channel = channel
        self.note = note
        self.buffer = b""
        self.lines: deque[str] = deque()
        self.eof = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            for start in range(0, max(len(line), 1), _LINE):
                self.lines.append(line[start : start + _LINE].decode("utf-8", "replace"))
                self.note(">", self.lines[-1])
        self.channel.poke()

    def connection_lost(self, exc: Exception | None) -> None:
        self.eof = True
        self.channel.poke()


class AgiSession:
    """One run of the application AGI on a channel; `history` gets (seconds since its start, way, line)."""

    __slots__ = ("_dead", "_interrupted", "began", "channel", "history", "link")

    def __init__(self, channel: Channel, history: list[tuple[float, str, str]] | None) -> None:
        self.channel = channel
        self.history = history
        self.began = channel.pbx.loop.time()
        self.link = AgiLink(channel, self._note)
        self._dead = False
        self._interrupted = False

    async def run(self, host: str, port: int, script: str) -> str:
        """Gives AGISTATUS: SUCCESS also after the server died, FAILURE only when nobody listens."""
        channel, loop = self.channel, self.channel.pbx.loop
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await loop.create_connection(lambda: self.link, host, port)
        except (OSError, TimeoutError):
            return "FAILURE"
        self._write(self._environment(f"agi://{host}:{port}/{script}", script))
        try:
            while not (self.link.eof and not self.link.lines):
                if channel.left and not self._dead:
                    await self._say_hangup()
                    if channel.pbx.exit_on_hangup:
                        break
                elif self.link.lines:
                    await self._handle(self.link.lines.popleft())
                else:
                    await channel.changed()
        finally:
            self._note("<", "EOF")
            if self.link.transport is not None:
                self.link.transport.close()
        return "HANGUP" if self._dead else "SUCCESS"

    async def _say_hangup(self) -> None:
        """HANGUP comes at once on an idle channel, and shortly after the reply of an application that was cut off."""
        pbx = self.channel.pbx
        until = pbx.loop.time() + pbx.aftermath
        while self._interrupted and not (self.link.lines or self.link.eof) and pbx.loop.time() < until:
            await self.channel.changed(until)
        self._dead = True
        self.channel.stop_music()
        self._send("HANGUP")
        if self._interrupted and pbx.dead_delay:
            until = pbx.loop.time() + pbx.dead_delay
            while pbx.loop.time() < until and not self.link.eof:
                await self.channel.changed(until)

    def _note(self, way: str, line: str) -> None:
        if self.history is not None:
            self.history.append((round(self.channel.pbx.loop.time() - self.began, 4), way, line))

    def _send(self, line: str) -> None:
        self._note("<", line)
        self._write(line + "\n")

    def _write(self, text: str) -> None:
        if self.link.transport is not None and not self.link.eof:
            self.link.transport.write(text.encode("utf-8", "surrogateescape"))

    def _environment(self, request: str, script: str) -> str:
        channel = self.channel
        number = "unknown" if channel.caller_num == UNKNOWN else channel.caller_num
        name = "unknown" if channel.caller_name == UNKNOWN else channel.caller_name
        lines = {
            "network": "yes", "network_script": script, "request": request, "channel": channel.name, "language": "en",
            "type": channel.name.partition("/")[0], "uniqueid": channel.uniqueid, "version": channel.pbx.version,
            "callerid": number, "calleridname": name, "callingpres": "0", "callingani2": "0", "callington": "0",
            "callingtns": "0", "dnid": channel.variables.get("DNID", "unknown"), "rdnis": "unknown",
            "context": channel.context, "extension": channel.exten, "priority": channel.priority, "enhanced": "0.0",
            "accountcode": "", "threadid": str(id(self)),
        }  # fmt: skip
        return "".join(f"agi_{key}: {value}\n" for key, value in lines.items()) + "\n"

    async def _handle(self, line: str) -> None:
        words = split_words(line)
        name = command_name(words)
        if name is None:
            self._send("510 Invalid or unknown command")
            return
        args = words[len(name.split(" ")) :]
        if self._dead and name not in _DEAD_OK:
            self._send(_DEAD)
            return
        if len(args) < _COMMANDS[name]:
            for text in ("520-Invalid command syntax.  Proper usage follows:", f" Usage: {name}"):
                self._send(text)
            self._send("520 End of proper usage.")
            return
        was_gone = self.channel.left
        reply = await self._execute(name, args)
        self._interrupted = self.channel.left and not was_gone
        if not self.link.eof:
            self._send(reply)

    async def _execute(self, name: str, args: list[str]) -> str:
        channel = self.channel
        match name:
            case "EXEC":
                return f"200 result={await self._exec(args[0], args[1] if len(args) > 1 else '')}"
            case "GET VARIABLE" | "GET FULL VARIABLE":
                value = variable(channel, args[0].removeprefix("${").removesuffix("}"))
                return "200 result=0" if value is None else f"200 result=1 ({value})"
            case "SET VARIABLE":
                channel.variables[args[0]] = args[1]
                return "200 result=1"
            case "SET MUSIC":
                self._set_music(args)
            case "ANSWER":
                channel.answer()
            case "HANGUP":
                channel.soft_hang_up()
                return "200 result=1"
            case "CHANNEL STATUS":
                return f"200 result={int(channel.state)}"
            case "VERBOSE":
                return "200 result=1"
            case _:
                return await self._execute_slow(name, args)
        return "200 result=0"

    async def _execute_slow(self, name: str, args: list[str]) -> str:
        match name:
            case "STREAM FILE" | "CONTROL STREAM FILE":
                return await self._stream(args[0], args[1])
            case "SAY DIGITS":
                return (await self._stream(f"digits/{args[0]}", args[1])).partition(" endpos")[0]
            case "SAY NUMBER":
                return (await self._stream(f"digits/{args[0]}")).partition(" endpos")[0]
            case "WAIT FOR DIGIT":
                self.channel.tell("asked")
                await self._until_key("0123456789*#", self.channel.pbx.loop.time() + float(args[0]) / 1000)
                return f"200 result={self._key('0123456789*#')}"
        return "200 result=0"

    def _set_music(self, args: list[str]) -> None:
        if args[0].upper() == "ON":
            self.channel.start_music(args[1] if len(args) > 1 else "default")
            self.channel.tell("waiting")
        else:
            self.channel.stop_music()

    async def _until_key(self, keys: str, until: float) -> None:
        """Until the moment, or one of the keys is pressed, or the application has to let go."""
        channel = self.channel
        while channel.pbx.loop.time() < until and not channel.left and not set(keys) & set(channel.keys):
            await channel.changed(until)

    def _key(self, keys: str) -> int:
        """The code of the first of these keys that was pressed, which is used up; 0: none, -1: gone."""
        if self.channel.left:
            return -1
        pressed = next((key for key in self.channel.keys if key in keys), None)
        if pressed is None:
            return 0
        self.channel.keys.clear()
        return ord(pressed)

    async def _stream(self, name: str, escape: str = "") -> str:
        channel, loop = self.channel, self.channel.pbx.loop
        if name in channel.pbx.missing:
            return "200 result=-1 endpos=0"
        music, channel.music = channel.music, None
        began = loop.time()
        until = began + channel.pbx.prompts.get(name, channel.pbx.prompt_seconds)
        channel.playback = True
        if until > began:
            channel.tell("playing")
        if music is not None:
            channel.emit("MusicOnHoldStop")
        while loop.time() < until and channel.playback and not channel.left and not set(escape) & set(channel.keys):
            await channel.changed(until)
        channel.playback = False
        return f"200 result={self._key(escape)} endpos={int((loop.time() - began) * 8000)}"

    async def _exec(self, application: str, data: str) -> int:
        channel = self.channel
        channel.application, channel.data = application, data
        if self._dead:
            return -1 if application.lower() in ("dial", "musiconhold", "wait", "playback") else 0
        match application.lower():
            case "answer":
                channel.answer()
            case "dial":
                result = await dial(channel, data)
                channel.keys.clear()  # what was pressed in the conversation was for who was there
                return result
            case "musiconhold":
                music_class, _, seconds = data.partition(",")
                channel.start_music(music_class or "default")
                channel.tell("waiting")
                played = await channel.pause(float(seconds or 1e9))
                channel.stop_music()
                return 0 if played else -1
            case "wait":
                return 0 if await channel.pause(float(data or 0)) else -1
            case "playback":
                return -1 if "-1" in await self._stream(data) else 0
            case "hangup":
                channel.soft_hang_up()
                return -1
            case "noop" | "ringing" | "progress" | "set" | "startmusiconhold" | "stopmusiconhold":
                pass
            case _:
                return -2
        return 0


def split_words(line: str) -> list[str]:
    """The words of a command as res_agi.c's parse_args() splits them."""
    words: list[str] = []
    word: list[str] | None = None
    quoted = escaped = False
    for char in line:
        if char == '"' and not escaped:
            quoted = not quoted
            if quoted and word is None:
                word = []
        elif char in " \t" and not quoted and not escaped:
            if word is not None:
                words.append("".join(word))
            word = None
        elif char == "\\" and not escaped:
            escaped = True
        else:
            word = [] if word is None else word
            word.append(char)
            escaped = False
    if word is not None:
        words.append("".join(word))
    return words


def command_name(words: list[str]) -> str | None:
    for count in (3, 2, 1):
        name = " ".join(words[:count]).upper()
        if name in _COMMANDS:
            return name
    return None


def variable(channel: Channel, name: str) -> str | None:
    """A channel variable, or one of the functions and built-ins that are of use here."""
    match name:
        case "UNIQUEID":
            return channel.uniqueid
        case "CHANNEL":
            return channel.name
        case "EXTEN":
            return channel.exten
        case "CONTEXT":
            return channel.context
        case "CALLERID(num)":
            return "" if channel.caller_num == UNKNOWN else channel.caller_num
        case "CHANNEL(state)":
            return "Up" if channel.state is ChannelState.UP else "Ring"
        case "CDR(billsec)":
            since = channel.answered_at
            return "0" if since is None else str(int(channel.pbx.loop.time() - since))
    return channel.variables.get(name)
