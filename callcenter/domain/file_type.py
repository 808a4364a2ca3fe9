"""What a file is by its content, and whether it may be uploaded: what could run on a reader's machine may not."""

import re
import unicodedata

from callcenter.errors import Invalid

LONGEST_NAME = 120
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
ZIP = "application/zip"

# First bytes, from a place on, and what they say (the signatures of the formats' own documents).
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", ZIP),
    (0, b"PK\x05\x06", ZIP),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
)
# Programs: Windows, Linux, macOS (each byte order), Java, Android, scripts, shortcuts.
_PROGRAMS = (
    b"MZ", b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe", b"dex\n", b"L\x00\x00\x00\x01\x14\x02\x00",
)  # fmt: skip
_PROGRAM_NAMES = re.compile(
    "apk|app|appx|bat|chm|cmd|com|cpl|deb|desktop|dll|dmg|exe|gadget|hta|inf|ins|iso|jar|js|jse|lnk|msc|msi|msix|msp|mst|"
    "pif|pkg|ps1|psm1|reg|rpm|scf|scr|sct|sh|sys|url|vb|vbe|vbs|wsc|wsf|wsh|xll"
)
# Pages act in the name of whoever shows them.
_PAGE_NAMES = re.compile("s?html?|mht|mhtml|svgz?|swf|xht|xhtml|xml|xslt?")
_PAGE = re.compile(rb"<(?:!doctype|html|head|body|script|svg|iframe|\?xml|!entity)\b|<\?xml", re.IGNORECASE)
# By the name alone, where the content is a container or plain text.
_WITHIN = {
    (ZIP, "docx"): "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    (ZIP, "xlsx"): "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    (ZIP, "pptx"): "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    (ZIP, "odt"): "application/vnd.oasis.opendocument.text",
    (ZIP, "ods"): "application/vnd.oasis.opendocument.spreadsheet",
    ("application/x-ole-storage", "doc"): "application/msword",
    ("application/x-ole-storage", "xls"): "application/vnd.ms-excel",
    ("application/x-ole-storage", "ppt"): "application/vnd.ms-powerpoint",
    (TEXT, "csv"): "text/csv",
    (TEXT, "json"): "application/json",
    (TEXT, "ics"): "text/calendar",
    (TEXT, "md"): "text/markdown",
    (TEXT, "eml"): "message/rfc822",
}
_SAID = frozenset((container, kind) for (container, _), kind in _WITHIN.items())
_PAGES = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"})


def clean_name(name: str) -> str:
    """The last part of a path, without what cannot be printed or turns writing around; never empty."""
    # Of both kinds of paths: some browsers and programs send whole ones.
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name.encode(errors="replace").decode()))[-1]
    kept = "".join(" " if char.isspace() else char for char in last if char.isprintable() or char.isspace())
    kept = " ".join(re.sub(r'[<>:"|?*]', "_", kept).split()).lstrip(".").rstrip(". ")
    if not kept:
        return "file"
    if len(kept) <= LONGEST_NAME:
        return kept
    stem, dot, ending = kept.rpartition(".")
    return f"{stem[: LONGEST_NAME - 12]}.{ending}" if dot and len(ending) <= 10 else kept[:LONGEST_NAME]


def ending_of(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def type_of(name: str, declared: str | None, data: bytes) -> str:
    """What it is by its content, and where that leaves it open by the name's ending, or by what the sender says it is.

    Raises Invalid in words for programs, scripts and pages, whatever they are called.
    """
    ending = ending_of(name)
    if _PROGRAM_NAMES.fullmatch(ending) or data.startswith(_PROGRAMS) or _is_script(data):
        raise Invalid(f"{name} is a program; programs are not taken. Photos, documents and text are.", field="file")
    if _PAGE_NAMES.fullmatch(ending) or declared in _PAGES or _is_page(data):
        raise Invalid(
            f"{name} is a web page or drawing that can run scripts; send it as a picture or PDF.", field="file"
        )
    found = _by_content(data)
    said = declared if (found, declared) in _SAID else found
    return _WITHIN.get((found, ending), said or found)


def _is_script(data: bytes) -> bool:
    return data.startswith(b"#!") and not data.startswith(b"#!AMR")


def _is_page(data: bytes) -> bool:
    """Browsers that guess look at the first 1,445 bytes (WHATWG MIME sniffing); UTF-16 is looked through too."""
    return _PAGE.search(data[:2048].replace(b"\x00", b"")) is not None and _by_content(data) in (TEXT, UNKNOWN)


def _by_content(data: bytes) -> str:
    for at, magic, kind in _MAGIC:
        if data[at : at + len(magic)] == magic:
            return kind
    return TEXT if _is_text(data) else UNKNOWN


def _is_text(data: bytes) -> bool:
    head = data[:4096]
    if any(byte < 32 and byte not in (9, 10, 12, 13, 27) for byte in head):
        return False
    for charset in ("utf-8", "gb18030"):
        try:
            # The head may end in the middle of a letter.
            head.decode(charset)
        except UnicodeDecodeError as error:
            if error.start < len(head) - 4 or len(data) <= len(head):
                continue
        return True
    return False
