"""Transfer encodings of mail (RFC 2045): the bytes that they stand for, however broken; pure."""

import base64
import binascii
import re
from collections.abc import Iterator

_MOST_BROKEN = 100
_PIECE = re.compile(r"([a-z0-9-]*)\[(\d+):(\d+)\]")
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def from_base64(data: bytes) -> bytes:
    """Whatever does not belong there is passed over, and what is cut off at its end too."""
    clean = data.translate(None, _NOT_BASE64)
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    return base64.b64decode(clean + b"=" * (-len(clean) % 4))


def from_encoding(data: bytes, encoding: str) -> bytes:
    """The bytes that a transfer encoding stands for; broken ones as far as they can be read.

    Of a file that is packed in another one, as `piece_of` writes it, its own.
    """
    if (piece := _PIECE.fullmatch(encoding)) is not None:
        start, length = int(piece[2]), int(piece[3])
        return from_encoding(data, piece[1])[start : start + length]
    match encoding:
        case "base64":
            return from_base64(data)
        case "quoted-printable":
            return binascii.a2b_qp(data)
        case "uuencode":
            return b"".join(_uu_lines(data))
        case _:
            return data


def piece_of(encoding: str, start: int, length: int) -> str:
    """The encoding of so many bytes of what another one stands for."""
    return f"{encoding}[{start}:{length}]"


def _uu_lines(data: bytes) -> Iterator[bytes]:
    inside, broken = False, 0
    for line in data.splitlines():
        if not inside:
            inside = line.startswith(b"begin ")
            continue
        if line.strip() in (b"end", b"`", b"") or broken > _MOST_BROKEN:
            break
        try:
            yield binascii.a2b_uu(line)
        except binascii.Error:
            size = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                yield binascii.a2b_uu(line[:size])
            except binascii.Error:
                broken += 1
