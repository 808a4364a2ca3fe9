"""HTTP and WebSocket clients that cost as little as they can, so that the machine's time goes to what is measured."""

import asyncio
import base64
import json
import os
from collections import deque
from collections.abc import Callable, Mapping

_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA


class Socket(asyncio.Protocol):
    """A WebSocket that only listens: `on_text(frame)` for each text, in the turn of the loop that completed it."""

    def __init__(self, path: str, headers: Mapping[str, str], on_text: Callable[[bytes], None]) -> None:
        self._request = (path, dict(headers))
        self._on_text = on_text
        self._buffer = bytearray()
        self._upgraded = False
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        path, headers = self._request
        headers |= {
            "Host": "127.0.0.1",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[:end])
            del self._buffer[: end + 4]
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.opened.set_exception(ConnectionError(head.decode(errors="replace")))
                return
            self._upgraded = True
            self.opened.set_result(None)
        self._read_frames()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("closed before the upgrade"))

    def close(self) -> None:
        """End the connection without ceremony."""
        if self._transport:
            self._transport.abort()

    def _read_frames(self) -> None:
        buffer = self._buffer
        while len(buffer) >= 2:
            length, at = buffer[1] & 0x7F, 2
            if length >= 126:
                at = 4 if length == 126 else 10
                length = int.from_bytes(buffer[2:at])
            if len(buffer) < max(at, 2) + length:
                return
            opcode, payload = buffer[0] & 0x0F, bytes(buffer[at : at + length])
            del buffer[: at + length]
            if opcode == _TEXT:
                self._on_text(payload)
            elif opcode == _PING:
                self._pong(payload)
            elif opcode == _CLOSE:
                self.close()

    def _pong(self, payload: bytes) -> None:
        assert self._transport is not None
        # A mask of zeros is a mask.
        self._transport.write(bytes([0x80 | _PONG, 0x80 | len(payload)]) + bytes(4) + payload)


class Client(asyncio.Protocol):
    """One HTTP/1.1 connection that is kept; requests wait for their turn."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._port = port
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._buffer = bytearray()
        self._waiting: deque[asyncio.Future[tuple[int, bytes]]] = deque()
        self._transport: asyncio.Transport | None = None
        self._connecting = asyncio.Lock()

    async def send(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        """Send JSON (None: no body) and give status and body of the answer. Raises ConnectionError on a hang-up."""
        loop = asyncio.get_running_loop()
        async with self._connecting:
            if self._transport is None or self._transport.is_closing():
                await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{self._head}"
        answer: asyncio.Future[tuple[int, bytes]] = loop.create_future()
        self._waiting.append(answer)
        assert self._transport is not None
        self._transport.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        return await answer

    def close(self) -> None:
        """End the connection."""
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).decode("latin-1")
            length = 0
            for line in head.split("\r\n")[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "content-length":
                    length = int(value)
            if len(self._buffer) < end + 4 + length:
                return
            body = bytes(self._buffer[end + 4 : end + 4 + length])
            del self._buffer[: end + 4 + length]
            self._waiting.popleft().set_result((int(head.split(" ", 2)[1]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        self._buffer.clear()
        while self._waiting:
            self._waiting.popleft().set_exception(ConnectionError("the server closed the connection"))
