"""Asterisk's side of one FastAGI session as a state machine without IO: an environment, then answers to commands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

# What a channel that has hung up still may be asked (`dead` commands of res_agi).
_DEAD_SAFE = ("SET VARIABLE", "GET VARIABLE", "GET FULL VARIABLE", "NOOP", "VERBOSE", "EXEC", "DATABASE")
_ANSWERED = re.compile(r"U\(callcenter-answered\^([^)]*)\)")
_NOT_ON_A_DEAD_CHANNEL = "511 Command Not Permitted on a dead channel or intercept routine\n"
_REPLIES = {
    "ANSWER": "200 result=0\n",
    "NOOP": "200 result=0\n",
    "SET MUSIC": "200 result=0\n",
    "STREAM FILE": "200 result=0 endpos=8000\n",
    "CHANNEL STATUS": "200 result=6\n",
    "SET": "200 result=1\n",
    "VERBOSE": "200 result=1\n",
}


class Wish(Enum):
    """What the server wants that takes time."""

    DIAL = auto()
    HANG_UP = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back at once, and what the channel has to do before it says more."""

    text: str = ""
    wish: Wish | None = None
    answered_id: str | None = None


@dataclass(slots=True)
class Channel:
    """A caller's leg as res_agi treats it. `dead`: the caller has left."""

    variables: dict[str, str] = field(default_factory=dict)
    dead: bool = False
    _hangup_said: bool = False

    @property
    def done(self) -> bool:
        """The server said that this call is over, so the dialplan does not ask again."""
        return self.variables.get("CC_DONE") == "1"

    def take(self, line: str) -> Answer:
        """Answer one command line."""
        notice = self.notice() if self.dead else ""
        verb = line.upper()
        if self.dead and not verb.startswith(_DEAD_SAFE):
            return Answer(notice + _NOT_ON_A_DEAD_CHANNEL)
        if verb.startswith("EXEC DIAL"):
            if self.dead:
                return Answer(notice + "200 result=-1\n")
            wanted = _ANSWERED.search(line)
            return Answer(wish=Wish.DIAL, answered_id=wanted[1] if wanted else None)
        if verb.startswith("HANGUP"):
            self.dead = True
            return Answer("200 result=1\n" + self.notice(), wish=Wish.HANG_UP)
        return Answer(notice + self._reply(verb, line))

    def notice(self) -> str:
        """The line that tells of a hang-up, once."""
        said, self._hangup_said = self._hangup_said, True
        return "" if said else "HANGUP\n"

    def _reply(self, verb: str, line: str) -> str:
        if verb.startswith("SET VARIABLE"):
            name, _, value = line[13:].partition(" ")
            self.variables[name] = value.strip('"')
            return "200 result=1\n"
        if verb.startswith(("GET VARIABLE", "GET FULL VARIABLE")):
            known = self.variables.get(line.rsplit(" ", 1)[1].strip('"${}'))
            return "200 result=0\n" if known is None else f"200 result=1 ({known})\n"
        if verb.startswith("EXEC"):
            return "200 result=0\n"
        for start, reply in _REPLIES.items():
            if verb.startswith(start):
                return reply
        return "510 Invalid or unknown command\n"


def environment(values: Mapping[str, str]) -> bytes:
    """The block that opens a session, as Asterisk 22 sends it; `values` replace or add to the usual ones."""
    usual = {
        "network": "yes",
        "language": "en",
        "type": "PJSIP",
        "version": "22.10.1",
        "callingpres": "0",
        "callingani2": "0",
        "callington": "0",
        "callingtns": "0",
        "rdnis": "unknown",
        "context": "callcenter",
        "priority": "2",
        "enhanced": "0.0",
        "accountcode": "",
        "threadid": "140000000000",
    }
    return "".join(f"agi_{key}: {value}\n" for key, value in (usual | dict(values)).items()).encode() + b"\n"
