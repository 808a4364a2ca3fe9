"""One console connected by a socket: a bounded buffer, so that nobody ever waits for a slow one."""

import asyncio
from collections import deque

import orjson
from aiohttp import ClientConnectionResetError, WSMsgType, web

from callcenter.domain.events import Cursor
from screenpop.i18n import Language

_BUFFERED = 64  # frames; a desk that is so far behind is told to load its regions anew instead
_STALLED = 30.0  # seconds that one frame may take before the connection is cut


class Client:
    """`put` never blocks; `write` is the connection's own task."""

    def __init__(
        self, socket: web.WebSocketResponse, *, agent: int, view: str, language: Language, session: str | None = None
    ) -> None:
        self.agent = agent
        self.session = session
        self.view = view
        self.language = language
        self.overflows = 0
        self.resumed = False
        self._socket = socket
        self._frames: deque[tuple[bytes, asyncio.Future[bool] | None]] = deque()
        self._wake = asyncio.Event()

    def put(self, frame: bytes, *, written: "asyncio.Future[bool] | None" = None) -> None:
        """`written` becomes true when the frame has gone to the socket, unless something else has settled it before."""
        if len(self._frames) >= _BUFFERED:
            self.overflows += 1
            self._frames.clear()
            self._frames.append((orjson.dumps({"type": "resync"}), None))
        self._frames.append((frame, written))
        self._wake.set()

    async def hang_up(self) -> None:
        """Its page connects again, if its session still is one."""
        await self._socket.close(code=1008, message=b"session")

    async def write(self) -> None:
        """Until the connection is gone, or a frame takes longer than a living one would."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._frames:
                    frame, written = self._frames.popleft()
                    async with asyncio.timeout(_STALLED):
                        await self._socket.send_frame(frame, WSMsgType.TEXT)
                    if written is not None and not written.done():
                        written.set_result(True)
        except (TimeoutError, ClientConnectionResetError):
            return


def hint(regions: tuple[str, ...], cursor: Cursor) -> bytes:
    return orjson.dumps({"type": "hint", "regions": regions, "cursor": str(cursor)})


def resync(cursor: Cursor) -> bytes:
    return orjson.dumps({"type": "resync", "cursor": str(cursor)})
