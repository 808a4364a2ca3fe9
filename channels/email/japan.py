"""ISO-2022-JP as Windows writes it (code page 50221): with signs of NEC and IBM that the standard has not; pure."""

import re

_ESCAPE = re.compile(rb"\x1b(?P<set>\$@|\$B|\(B|\(J|\(I)")


def decode(data: bytes) -> str:
    """Its two-byte signs are those of Shift JIS in another order. Raises UnicodeError."""
    parts = _ESCAPE.split(data)
    if any(b"\x1b" in part for part in parts):
        raise UnicodeError("a set that is not of this code page")
    text = [parts[0].decode("ascii")]
    for name, piece in zip(parts[1::2], parts[2::2], strict=True):
        match name:
            case b"(B" | b"(J":
                text.append(piece.decode("ascii"))
            case b"(I":
                text.append(bytes(sign | 0x80 for sign in piece).decode("cp932"))
            case _:
                text.append(_two_bytes(piece))
    return "".join(text)


def _two_bytes(piece: bytes) -> str:
    """Line ends stand between them as they are. Rows and cells to Shift JIS as in JIS X 0208, appendix 1."""
    shifted = bytearray()
    signs = iter(piece)
    for row in signs:
        if row < 0x21:
            shifted.append(row)
            continue
        cell = next(signs, 0)
        if row > 0x7E or not 0x21 <= cell <= 0x7E:
            raise UnicodeError("no sign of two bytes")
        shifted.append((row + 1) // 2 + (0x70 if row < 0x5F else 0xB0))
        shifted.append(cell + (0x7E if row % 2 == 0 else 0x1F if cell < 0x60 else 0x20))
    return shifted.decode("cp932")
