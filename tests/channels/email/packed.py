"""Builds what Outlook packs into winmail.dat, as MS-OXTNEF says."""

import struct

CODEPAGE, CLASS, SUBJECT, BODY, MESSAGE = 0x69007, 0x78008, 0x18004, 0x2800C, 0x69003
BEGINS_FILE, TITLE, DATA, FILE = 0x69002, 0x18010, 0x6800F, 0x69005
TEXT, RTF, HTML, CONTENT, SHORT_NAME, LONG_NAME, KIND, CID = (
    0x1000, 0x1009, 0x1013, 0x3701, 0x3704, 0x3707, 0x370E, 0x3712,
)  # fmt: skip
INTEGER, BOOLEAN, OBJECT, STRING, UNICODE, TIME, BINARY = 3, 11, 13, 30, 31, 64, 258
A_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")  # IID_IMessage


def tnef(*attributes: bytes) -> bytes:
    return b"\x78\x9f\x3e\x22\x01\x00" + b"".join(attributes)


def attribute(name: int, data: bytes) -> bytes:
    level = 2 if name in (BEGINS_FILE, TITLE, DATA, FILE) else 1
    return struct.pack("<BII", level, name, len(data)) + data + struct.pack("<H", sum(data) % 65_536)


def properties(*each: bytes) -> bytes:
    return struct.pack("<I", len(each)) + b"".join(each)


def prop(name: int, kind: int, *values: bytes, many: bool = False, named: str | None = None) -> bytes:
    """Of fixed length for INTEGER, BOOLEAN and TIME; `named` for one that a programme gave a name."""
    head = struct.pack("<HH", kind | 0x1000 * many, name)
    if named is not None:
        words = named.encode("utf-16-le") + b"\0\0"
        head += bytes(16) + struct.pack("<II", 1, len(words)) + padded(words)
    if kind in (INTEGER, BOOLEAN, TIME):
        return head + (struct.pack("<I", len(values)) if many else b"") + b"".join(map(padded, values))
    return head + struct.pack("<I", len(values)) + b"".join(struct.pack("<I", len(v)) + padded(v) for v in values)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def text(words: str, encoding: str = "utf-16-le") -> bytes:
    return (words + "\0").encode(encoding)


def file(name: str, content: bytes, *more: bytes) -> bytes:
    named = prop(LONG_NAME, UNICODE, text(name))
    return b"".join(
        [
            attribute(BEGINS_FILE, bytes(14)),
            attribute(TITLE, b"SHORT~1.TXT\0"),
            attribute(DATA, content),
            attribute(FILE, properties(named, *more)),
        ]
    )
