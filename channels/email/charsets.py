"""Bytes of a message as text, whatever their sender says they are; pure, and without errors."""

import codecs
import re
from functools import lru_cache

from channels.email import japan
from channels.email.east import chinese_instead

# What senders say, and what they mean: the larger set that includes it, as browsers read it (WHATWG Encoding Standard).
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030", "gb_2312-80": "gb18030",
    "euc-cn": "gb18030", "chinese": "gb18030", "big5": "cp950", "x-x-big5": "cp950", "cn-big5": "cp950",
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "euc-kr": "cp949", "shift_jis": "cp932", "shift-jis": "cp932",
    "x-sjis": "cp932", "sjis": "cp932", "iso-2022-jp": "iso2022_jp_ext", "iso-2022-jp-ms": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext", "cp50221": "iso2022_jp_ext", "cp50222": "iso2022_jp_ext",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "ansi": "cp1252", "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874", "tis-620": "cp874", "utf8": "utf-8", "utf8mb4": "utf-8", "utf-8-mac": "utf-8",
    "unicode-1-1-utf-7": "utf-7", "unicode": "utf-16", "hz": "hz", "hz-gb-2312": "hz",
}  # fmt: skip
# Of the codecs of Python those that are sets of characters: some others expand, run for long, or are no text at all.
_SETS = re.compile(
    r"utf_(7|8|8_sig|16|16_le|16_be|32|32_le|32_be)|(iso8859|cp|mac|koi8|gb|big5|euc|shift|iso2022|hz|johab|latin|ptcp|kz)\w*"
)

_SEVERAL_BYTES = ("gb", "big5", "cp932", "cp949", "cp950", "euc", "utf_8")
_DAMAGED = 5  # one in so many
_WINDOWS_JP = "cp50221"  # of which Python has no codec
_ESCAPED = re.compile(rb"\x1b\$[@AB(]|\x1b\([JI]")
_HANZI_GB = re.compile(rb"[\xb0-\xf7][\xa1-\xfe]")
_COMMON_GB = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]")
_HANZI_BIG5 = re.compile(rb"[\xa4-\xf9][\x40-\x7e\xa1-\xfe]")
_COMMON_BIG5 = re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]")
_KANA_SJIS = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]")
_HALVES = re.compile("[\ud800-\udfff]")
_HIGH = re.compile(rb"[\x80-\xff]+")
_META = re.compile(rb"<meta\s[^<>]{0,200}?charset\s{0,3}=\s{0,3}[\"']?\s{0,3}([\w.:-]{1,40})", re.IGNORECASE | re.ASCII)
_META_WITHIN = 4_096  # bytes; browsers look at 1,024, and programs for mail put styles before it
_LOOKED_AT = 4_000  # bytes on which a guess is made
_SURE = 4  # characters beyond ASCII that are UTF-8 by chance with less than one in 10,000 texts


@lru_cache(maxsize=256)
def codec_of(charset: str) -> str | None:
    """Python's name of a set of characters; None when nobody knows it or it says nothing (unknown-8bit)."""
    name = charset.strip().strip("\"'").lower()[:40]
    name = _MEANT.get(name, name)
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        return None
    found = found.replace("-", "_")
    return found if _SETS.fullmatch(found) else None


def charset_in(html: bytes) -> str | None:
    """What HTML says of itself at its beginning. UTF-16 it cannot be, as that could be read."""
    found = _META.search(html[:_META_WITHIN])
    name = None if found is None else found[1].decode("ascii")
    return name if codec_of(name or "") not in _SHIFTED else None


def decode(data: bytes, charset: str | None, *, hint: str | None = None) -> tuple[str, bool]:
    """The text, and whether all of it could be read. `hint`: a set that other parts of the message are in."""
    if data.isascii() and b"\x1b" not in data and codec_of(charset or "") not in _SHIFTED:
        return data.decode("ascii"), True
    for codec in _candidates(data, charset, hint):
        if codec == "utf-8" and (text := _nearly(data, codec_of(charset or ""))) is not None:
            return text, False
        try:
            return _whole(japan.decode(data) if codec == _WINDOWS_JP else data.decode(codec)), True
        except (UnicodeError, ValueError):
            continue
    codec = codec_of(charset or "") or guess(data, hint) or "cp1252"
    return _whole(data.decode(codec, "replace")), False


def _nearly(data: bytes, named: str | None) -> str | None:
    """The text in a set of several bytes a character where only a few are damaged: a Western set would always fit."""
    if named is None or not named.startswith(_SEVERAL_BYTES) or (named.startswith("gb") and not _in_runs(data)):
        return None
    text = data.decode(named, "replace")
    beyond = sum(char > "\x7f" for char in text)
    return text if text.count("\ufffd") * _DAMAGED <= beyond else None


def _in_runs(sample: bytes) -> bool:
    """A byte beyond ASCII between letters is Western; those of East Asia come in runs."""
    runs = list(map(len, _HIGH.findall(sample)))
    return sum(length for length in runs if length > 1) * 2 > sum(runs)


def _whole(text: str) -> str:
    """UTF-7 has a way to write half of a pair, which is no text."""
    if _HALVES.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


_SHIFTED = frozenset({"utf_7", "hz", "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"})


def _candidates(data: bytes, charset: str | None, hint: str | None) -> list[str]:
    """In the order in which they are believed."""
    named = codec_of(charset or "")
    if named is not None and named.startswith("iso2022_jp"):
        return [named, _WINDOWS_JP, "iso2022_jp_2004", "utf-8"]
    if named in _SHIFTED or (named is not None and named.startswith("iso2022")):
        return [named, "utf-8"]
    if is_utf8(data) or data.startswith(codecs.BOM_UTF8):
        return ["utf-8-sig"]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    instead = chinese_instead(data, named) if named is not None else None
    found = [each for each in (instead, named) if each is not None]
    if "cp950" in found:
        found += ["big5hkscs"]
    guessed = guess(data, hint)
    if guessed is not None:
        found += [guessed, _WINDOWS_JP] if guessed.startswith("iso2022") else [guessed]
    return [*found, "utf-8", "cp1252"]


def is_utf8(data: bytes) -> bool:
    """Whether it surely is, whatever it is said to be."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(char > "\x7f" for char in text[:_LOOKED_AT]) >= _SURE


def guess(data: bytes, hint: str | None = None) -> str | None:
    """The set of a text of which nobody says it; None when it is any of the Western ones."""
    sample = data[:_LOOKED_AT]
    if _ESCAPED.search(sample):
        return "iso2022_jp_ext"
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= _LOOKED_AT - 4:
            return "utf-8"
    else:
        return "utf-8"
    known = codec_of(hint or "")
    instead = chinese_instead(data, known) if known is not None else None
    if instead is not None and _reads(data, instead):
        return instead
    if known is not None and known != "ascii" and _reads(data, known):
        return known
    high = sum(map(len, _HIGH.findall(sample)))
    runs = _in_runs(sample)
    if _reads(data, "cp932") and 2 * len(_KANA_SJIS.findall(sample)) * 3 > high:
        return "cp932"
    instead = chinese_instead(data, "ascii")
    if instead is not None and _reads(data, instead):
        return instead
    gb, big5 = _share(sample, _COMMON_GB, _HANZI_GB), _share(sample, _COMMON_BIG5, _HANZI_BIG5)
    options = [(gb, "gb18030"), (big5, "cp950")] if runs else []
    options = [(share, codec) for share, codec in options if share > 0.5 and _reads(data, codec)]
    if not options:
        return "cp950" if runs and _reads(data, "cp950") else None
    return max(options)[1]


def _share(sample: bytes, common: "re.Pattern[bytes]", any_of: "re.Pattern[bytes]") -> float:
    """Of the characters that it would have, those that people write every day."""
    found = len(any_of.findall(sample))
    bytes_of_it = 2 * found
    high = sum(map(len, _HIGH.findall(sample))) or 1
    return len(common.findall(sample)) / found * min(bytes_of_it / high, 1) if found else 0.0


def _reads(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except (UnicodeError, ValueError):
        return False
    return True
