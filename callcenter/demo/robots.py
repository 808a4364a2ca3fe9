"""Plays the agents whom nobody plays: they sign in, keep a desk open, go on queue and on breaks, and wrap up."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import structlog

from callcenter.demo.traffic import Traffic
from channels.telephony.fakepbx import FakePbx

log = structlog.get_logger()

_LOOK_EVERY = 2.0
_BREAKS = (
    ("break", "coffee", 60, 240),
    ("break", None, 60, 180),
    ("meal", None, 180, 420),
    ("meeting", None, 120, 360),
    ("training", None, 180, 480),
    ("away", None, 30, 120),
)
_BREAK_CHANCE = 0.004
# A visitor who goes on queue should not wait long, neither for the first call nor for the next one.
_FIRST_CALL = 3.0
_NEXT_CALL = 14.0
_AGAIN = 4.0
_BESIDE_VISITOR = 2
# How long a telephone is busy with something else, or nobody near it.
_ODD = 45.0


@dataclass(frozen=True, slots=True)
class Login:
    name: str
    password: str
    endpoint: str


@dataclass(slots=True, eq=False)
class Robot:
    """One agent's session; `act_at` is when something that waits to be done will be (seconds of the loop's clock)."""

    login: Login
    session: aiohttp.ClientSession
    csrf: str = ""
    signed_in: bool = False
    doing: str = ""
    act_at: float = 0.0
    back_at: float = 0.0
    odd_until: float = 0.0
    desk: asyncio.Task[None] | None = field(default=None)


class Robots:
    """`run` plays until it is cancelled; then everybody goes offline."""

    def __init__(
        self,
        url: str,
        logins: Sequence[Login],
        *,
        visitor: Login | None,
        visitor_queue: str,
        beside_visitor: frozenset[str],
        pbx: FakePbx,
        traffic: Traffic,
        dice: Random,
        speed: float,
    ) -> None:
        self._url = url
        self._logins = logins
        self._visitor = visitor
        self._visitor_queue = visitor_queue
        self._beside_visitor = beside_visitor
        self._pbx = pbx
        self._traffic = traffic
        self._dice = dice
        self._speed = speed
        self._robots: dict[str, Robot] = {}
        self._next_call_at = 0.0
        self._visitor_seen = False
        # Of those beside the visitor, who is on queue.
        self._present: set[str] = set()
        self._next_may_go_at = 0.0

    async def run(self) -> None:
        try:
            for login in self._logins:
                await self._sign_in(login)
            while True:
                await self._look()
                await asyncio.sleep(_LOOK_EVERY / self._speed)
        finally:
            await self._go_home()

    # -- the building

    async def _sign_in(self, login: Login) -> None:
        """Who has another password by now is played by somebody real."""
        # The server is an address, not a name; cookies of addresses are refused unless asked for.
        session = aiohttp.ClientSession(self._url, cookie_jar=aiohttp.CookieJar(unsafe=True))
        robot = self._robots[login.name] = Robot(login, session)
        self._set_phone(robot)
        answer = await self._ask(robot, "POST", "/api/v1/session", {"name": login.name, "password": login.password})
        if answer is None:
            log.warning("demo.not_signed_in", agent=login.name)
            return
        robot.csrf = answer["csrf"]
        robot.signed_in = True
        robot.desk = asyncio.create_task(self._sit_at_the_desk(robot))

    async def _sit_at_the_desk(self, robot: Robot) -> None:
        while True:
            try:
                async with robot.session.ws_connect("/api/v1/desk", origin=self._url) as socket:
                    async for _ in socket:
                        pass
            except aiohttp.ClientError as error:
                log.warning("demo.desk_lost", agent=robot.login.name, error=repr(error))
            await asyncio.sleep(1.0)

    async def _go_home(self) -> None:
        robots = self._robots.values()
        for robot in robots:
            if robot.desk is not None:
                robot.desk.cancel()
        offline = [self._leave(robot) for robot in robots if robot.signed_in]
        try:
            async with asyncio.timeout(2.0):
                await asyncio.gather(*offline, return_exceptions=True)
        except TimeoutError:
            log.warning("demo.went_home_late")
        await asyncio.gather(*[robot.desk for robot in robots if robot.desk is not None], return_exceptions=True)
        for robot in robots:
            await robot.session.close()

    async def _leave(self, robot: Robot) -> None:
        """Nobody goes offline before what they have in hand is ended and wrapped up."""
        item = await self._choose(robot, "offline", None)
        for interaction in (item or {}).get("on", ()):
            path = f"/api/v1/interactions/{interaction}"
            found = await self._ask(robot, "GET", path)
            if (found or {}).get("state") == "active":
                await self._ask(robot, "POST", f"{path}/end")
            while (found or {}).get("state") == "active":
                await asyncio.sleep(0.05)
                found = await self._ask(robot, "GET", path)
            await self._wrap_up(robot, interaction)

    async def _ask(self, robot: Robot, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON ({} when there is none), or None when the server said no or was not there."""
        headers = {"X-CSRF-Token": robot.csrf} if robot.csrf else {}
        try:
            async with robot.session.request(method, path, json=body, headers=headers) as response:
                if response.status >= 400:
                    log.info("demo.refused", agent=robot.login.name, path=path, status=response.status)
                    return None
                return await response.json() if response.content_type == "application/json" else {}
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("demo.unanswered", agent=robot.login.name, path=path, error=repr(error))
            return None

    # -- the day

    async def _look(self) -> None:
        """One look at everybody's state, then each does what is next."""
        somebody = next((robot for robot in self._robots.values() if robot.signed_in), None)
        if somebody is None:
            return
        answer = await self._ask(somebody, "GET", "/api/v1/agents?limit=200")
        now = asyncio.get_running_loop().time()
        items = (answer or {}).get("items", ())
        self._present = {
            item["name"] for item in items if item["name"] in self._beside_visitor and item["presence"] == "on_queue"
        }
        for item in items:
            robot = self._robots.get(item["name"])
            if robot is not None and robot.signed_in:
                await self._act(robot, item, now)
            elif self._visitor is not None and item["name"] == self._visitor.name:
                self._serve_visitor(item, now)

    async def _act(self, robot: Robot, item: Mapping[str, Any], now: float) -> None:
        status = item["routing_status"]
        if status == "wrap_up":
            if self._ripe(robot, "wrap_up", 4, 16, now) and item["on"]:
                await self._wrap_up(robot, item["on"][0])
        elif status == "not_responding":
            if self._ripe(robot, "return", 12, 30, now):
                self._set_phone(robot, odd=False)
                await self._choose(robot, "on_queue", None)
        elif item["presence"] != "on_queue":
            if now >= robot.back_at and self._ripe(robot, "begin", 0, 3, now):
                await self._choose(robot, "on_queue", None)
        else:
            robot.doing = ""
            if robot.odd_until and now >= robot.odd_until:
                self._set_phone(robot, odd=False)
            if status == "idle" and (self._dice.random() < _BREAK_CHANCE or self._may_go(robot)):
                self._present.discard(robot.login.name)
                await self._take_a_break(robot, now)

    def _may_go(self, robot: Robot) -> bool:
        """While the visitor is here, two colleagues are enough, and calls come sooner; they leave one by one."""
        if self._next_call_at == 0.0 or robot.login.name not in self._present or len(self._present) <= _BESIDE_VISITOR:
            return False
        now = asyncio.get_running_loop().time()
        if now < self._next_may_go_at:
            return False
        self._next_may_go_at = now + self._dice.uniform(1, 9) / self._speed
        return True

    def _ripe(self, robot: Robot, doing: str, shortest: float, longest: float, now: float) -> bool:
        """Whether the time that a person needs before doing this has passed; it begins with the first asking."""
        if robot.doing != doing:
            robot.doing = doing
            robot.act_at = now + self._dice.uniform(shortest, longest) / self._speed
        if now < robot.act_at:
            return False
        robot.doing = ""
        return True

    async def _wrap_up(self, robot: Robot, interaction: int) -> None:
        item = await self._ask(robot, "GET", f"/api/v1/interactions/{interaction}")
        if item is None:
            return
        caller = self._traffic.wanted(item["external_id"] or "")
        if item["customer"] is None:
            await self._recognise(robot, interaction)
        body = {"disposition": "call_back", "note": ""}
        if caller is not None:
            body = {"disposition": caller.disposition, "note": caller.note}
        await self._ask(robot, "POST", f"/api/v1/interactions/{interaction}/wrap-up", body)
        self._set_phone(robot)

    async def _recognise(self, robot: Robot, interaction: int) -> None:
        """Several may call from this number; by the end of a conversation one knows who it was."""
        pop = await self._ask(robot, "GET", f"/api/v1/interactions/{interaction}/pop")
        if pop is not None and pop["matches"]:
            body = {"customer": self._dice.choice(pop["matches"])["id"]}
            await self._ask(robot, "POST", f"/api/v1/interactions/{interaction}/identify", body)

    async def _take_a_break(self, robot: Robot, now: float) -> None:
        presence, reason, shortest, longest = self._dice.choice(_BREAKS)
        robot.back_at = now + self._dice.uniform(shortest, longest) / self._speed
        await self._choose(robot, presence, reason)

    async def _choose(self, robot: Robot, presence: str, reason: str | None) -> Any:
        body = {"presence": presence} | ({"reason": reason} if reason else {})
        return await self._ask(robot, "PUT", f"/api/v1/agents/{robot.login.name}/presence", body)

    def _set_phone(self, robot: Robot, *, odd: bool = True) -> None:
        """How the next call finds them: mostly quick, sometimes away from the desk, now and then on the phone."""
        chance = self._dice.random() if odd else 1.0
        robot.odd_until = asyncio.get_running_loop().time() + _ODD / self._speed if chance < 0.05 else 0.0
        after = None if chance < 0.03 else self._dice.uniform(1.5, 6.5) / self._speed
        self._pbx.phone(
            robot.login.endpoint, answers_after=after, busy=0.03 <= chance < 0.045, declines=0.045 <= chance < 0.05
        )

    def _serve_visitor(self, item: Mapping[str, Any], now: float) -> None:
        """Calls ring for the visitor's queue until one of them has reached the visitor."""
        idle = item["presence"] == "on_queue" and item["routing_status"] == "idle"
        if not idle:
            self._visitor_seen = item["presence"] == "on_queue" and self._visitor_seen
            self._next_call_at = 0.0
            return
        if self._next_call_at == 0.0:
            self._next_call_at = now + (_NEXT_CALL if self._visitor_seen else _FIRST_CALL) / self._speed
        self._visitor_seen = True
        if now >= self._next_call_at:
            self._next_call_at = now + _AGAIN / self._speed
            self._traffic.ring_queue(self._visitor_queue)
