"""The header fields of a message (RFC 5322, 2047, 2231), however broken; pure, without errors, in bounded time."""

import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from callcenter.domain.transfer import from_base64
from channels.email.charsets import codec_of, decode

_LONGEST_FIELD = 16_000
_MOST_FIELDS = 1_000
_WORD = re.compile(rb"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_NAME = re.compile(rb"[!-9;-~]{1,80}")
_FOLD = re.compile(rb"\r?\n[ \t]*|\r")
_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f<>()\[\],;:\"\\@]{1,64}@[^\s\x00-\x1f\x7f<>()\[\],;:\"\\@]{1,255}")
# Between what looks like an address in a name, and the one that it is the name of.
_NAME_GOES_ON = re.compile(r"[^,;<>\"]{0,200}<\s*" + _ADDRESS.pattern)
# What has a meaning in a list of addresses has none in an encoded word (RFC 2047, section 5).
_SHIELDED = {sign: 0xE000 + sign for sign in map(ord, '@",;:<>()[]\\')}
_BARED = {shield: sign for sign, shield in _SHIELDED.items()}
_ID = re.compile(r"<([^<>\s\x00-\x1f\x7f]{1,250})>")
_PARAMETER = re.compile(rb';\s*([^\s=;"]{1,60})\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))')
_MOST_PARAMETERS = 50
_FARTHEST = timedelta(hours=14)

Field = tuple[str, bytes]  # its name in lower case, and its value as it came, unfolded


def split_fields(head: bytes) -> list[Field]:
    """Lines that are no fields are left out; of a field and of fields not more than can be meant."""
    found: list[tuple[bytes, list[bytes]]] = []
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            if found:
                found[-1][1].append(line)
            continue
        name, colon, value = line.partition(b":")
        if colon and _NAME.fullmatch(name.rstrip()):
            if len(found) == _MOST_FIELDS:
                break
            found.append((name.rstrip(), [value]))
    return [(name.decode("ascii").lower(), b" ".join(_short(lines))) for name, lines in found]


def _short(lines: Sequence[bytes]) -> list[bytes]:
    taken, size = [], 0
    for line in lines:
        taken.append(line[:_LONGEST_FIELD].strip())
        size += len(taken[-1]) + 1
        if size > _LONGEST_FIELD:
            break
    return taken


def first(fields: Sequence[Field], name: str) -> bytes | None:
    return next((value for each, value in fields if each == name), None)


def text_of(raw: bytes | None, *, hint: str | None = None) -> str:
    """What a field says, its encoded words decoded; in one line, without what does not print."""
    return one_line(words_of(raw or b"", hint=hint))


def one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def words_of(raw: bytes, *, hint: str | None = None, shielded: bool = False) -> str:
    """Encoded words that follow each other in one set are put together before they are read: senders cut characters.

    `shielded`: what they say is told from what stands in the field itself.
    """
    raw = raw[:_LONGEST_FIELD]
    said: list[tuple[str | None, bytes]] = []  # None: as it came
    encoded: list[tuple[str, bytes, bytes]] = []
    at = 0
    for match in _WORD.finditer(raw):
        between = raw[at : match.start()]
        if between.strip() or not encoded:
            said += _flushed(encoded)
            encoded = []
            if between:
                said.append((None, between))
        at = match.end()
        charset = match[1].decode("ascii", "replace")
        if encoded and encoded[-1][0].lower() != charset.lower():
            said += _flushed(encoded)
            encoded = []
        encoded.append((charset, match[2].lower(), match[3]))
    said += _flushed(encoded)
    said.append((None, raw[at:]))
    charsets = [charset for charset, _ in said if charset is not None]
    hint = charsets[0] if charsets and codec_of(charsets[0]) else hint
    read = [(charset, decode(data, charset, hint=hint)[0]) for charset, data in said]
    return "".join(text.translate(_SHIELDED) if shielded and charset is not None else text for charset, text in read)


def _flushed(encoded: Sequence[tuple[str, bytes, bytes]]) -> list[tuple[str | None, bytes]]:
    if not encoded:
        return []
    data, waiting = b"", b""
    for _, kind, text in encoded:
        if kind == b"q":
            data += from_base64(waiting) + _from_q(text)
            waiting = b""
        elif text.endswith(b"=") or len(text) % 4 == 0:
            data, waiting = data + from_base64(waiting + text), b""
        else:
            waiting += text  # cut inside a group of four
    return [(encoded[0][0], data + from_base64(waiting))]


def _from_q(text: bytes) -> bytes:
    return binascii.a2b_qp(text.replace(b" ", b"_"), header=True)


def value_of(raw: bytes | None) -> tuple[str, dict[str, str]]:
    """A value with parameters (Content-Type), the value in lower case; parameters of RFC 2231 and its continuations."""
    raw = (raw or b"")[:_LONGEST_FIELD]
    value, _, _ = raw.partition(b";")
    plain: dict[str, bytes] = {}
    for match in list(_PARAMETER.finditer(raw[len(value) :]))[:_MOST_PARAMETERS]:
        quoted, bare = match[2], match[3]
        text = re.sub(rb"\\(.)", rb"\1", quoted) if quoted is not None else bare.strip()
        plain.setdefault(match[1].decode("ascii", "replace").lower(), text)
    parameters: dict[str, str] = {}
    for name in dict.fromkeys(key.partition("*")[0] for key in plain):
        if any(key.startswith(f"{name}*") for key in plain):
            parameters[name] = _extended(name, plain)
        else:
            parameters[name] = text_of(plain[name])
    return decode(value, "ascii")[0].strip().lower()[:100], parameters


def _extended(name: str, plain: dict[str, bytes]) -> str:
    """RFC 2231: `name*`, or `name*0`, `name*1*` … ; the first has set and language before it where it is encoded."""
    pieces, charset = [], None
    keys = [f"{name}*"] if f"{name}*" in plain else []
    keys += [key for n in range(_MOST_PARAMETERS) for key in (f"{name}*{n}", f"{name}*{n}*") if key in plain]
    for number, key in enumerate(keys):
        data = plain[key]
        if key.endswith("*"):
            if number == 0 and data.count(b"'") >= 2:
                said, _, data = data.split(b"'", 2)
                charset = said.decode("ascii", "replace")
            data = unquote_to_bytes(data)
        pieces.append(data)
    whole = b"".join(pieces)
    return one_line(decode(whole, charset)[0]) if charset else text_of(whole)


def mailboxes_of(raw: bytes | None, *, hint: str | None = None, most: int = 100) -> list[tuple[str, str]]:
    """(name, address) of each; the address in lower case. Groups and comments are passed over."""
    found = _mailboxes(words_of(raw or b"", hint=hint, shielded=True), most)
    # Some encode the address as well.
    return found or _mailboxes(words_of(raw or b"", hint=hint), most)


def _mailboxes(text: str, most: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    for match in _ADDRESS.finditer(text):
        if len(found) == most:
            break
        if text.count('"', at, match.start()) % 2:  # inside a quoted name
            continue
        before = text[at : match.start()]
        bracketed = before.rstrip().endswith("<")
        if not bracketed and _NAME_GOES_ON.match(text, match.end()):
            continue
        at = match.end()
        name = before.rpartition("<")[0] if bracketed else ""
        name = name.lstrip(" \t>,;").replace('\\"', '"').translate(_BARED)
        found.append((one_line(name).strip('" ')[:200], match[0].lower()))
    return found


def ids_of(raw: bytes | None, *, most: int = 200) -> list[str]:
    """Message-IDs without their brackets, in their order; of many the first and the latest."""
    found = list(dict.fromkeys(_ID.findall(decode(raw or b"", None)[0])))
    return found if len(found) <= most else [found[0], *found[1 - most :]]


def date_of(raw: bytes | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(decode((raw or b"")[:100], None)[0])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def offset_of(raw: bytes | None) -> timedelta | None:
    """How far the sender's clock is ahead of UTC; None where it does not say, as those do that write in UTC."""
    try:
        found = parsedate_to_datetime(decode((raw or b"")[:100], None)[0]).utcoffset()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found and abs(found) <= _FARTHEST else None
