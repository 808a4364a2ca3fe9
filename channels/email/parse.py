"""A message as it came over the wire, understood: whatever its bytes are, notes in plain words and no error; pure."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from mimetypes import MimeTypes

from callcenter.domain.forwarded import find_forwarded
from callcenter.domain.mail import Attachment, Forwarded, Mail, Mailbox, Nature
from callcenter.domain.transfer import piece_of
from channels.email.bodies import Body, in_html, passages_of, read_html
from channels.email.charsets import charset_in, codec_of, decode
from channels.email.headers import date_of, first, ids_of, mailboxes_of, offset_of, one_line, split_fields, text_of
from channels.email.noise import bounce_of, is_robot, nature_of
from channels.email.text import (
    LONGEST_HTML,
    LONGEST_TEXT,
    harmless,
    is_knotted,
    text_of_html,
    tidy,
    unflowed,
    without_entities,
)
from channels.email.tnef import File, unpack
from channels.email.tree import Part, Tree, body_of, tree_of

LONGEST_SUBJECT = 200
_LONGEST_NAME = 150
_LONGEST_BODY = 3 * LONGEST_HTML  # bytes of a text, as it is encoded
_LONGEST_ATTACHED = 2_000_000
_COMPARED = 65_536  # bytes at either end of a part
_RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-delivered-to", "resent-to")
_ENDINGS = {
    "text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "image/png": ".png", "image/jpeg": ".jpg",
    "image/gif": ".gif", "application/pdf": ".pdf", "message/rfc822": ".eml", "application/ms-tnef": ".dat",
}  # fmt: skip
_KIND = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,100}")
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
_BY_NAME = MimeTypes()  # its own list: that of the system differs
_CALENDAR = {"SUMMARY": "What", "DTSTART": "Begins", "DTEND": "Ends", "LOCATION": "Where"}
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
# As mail programs write it above, so that it is folded away like what they quote (callcenter.domain.quotes).
_ENCLOSED = "---------- Forwarded message ----------"


@dataclass(slots=True)
class _Found:
    """What is collected on the way through the parts."""

    bodies: list[Body] = field(default_factory=list)
    calendars: list[str] = field(default_factory=list)
    enclosed: list[str] = field(default_factory=list)  # of messages inside of it
    attachments: list[Attachment] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    room: int = _LONGEST_BODY


def parse(raw: bytes, *, null_sender: bool = False, nested: bool = False) -> Mail:
    """`null_sender`: its envelope came from nobody, as those of bounces and automatic replies do.

    `nested`: it stands in another one, and nobody asks what stands in it.
    """
    tree = tree_of(raw if b"\n" in raw else raw.replace(b"\r", b"\n"))
    hint = next((p.parameters["charset"] for p in tree.parts if "charset" in p.parameters), None)
    fields = tree.fields
    subject = text_of(first(fields, "subject"), hint=hint)[:LONGEST_SUBJECT].strip()
    sender = _mailbox(first(fields, "from"), hint) or _mailbox(first(fields, "sender"), hint)
    null_sender = null_sender or (first(fields, "return-path") or b"").strip() == b"<>"
    found = _Found(notes=dict.fromkeys(tree.notes))
    for part in tree.parts:
        _take(found, raw, part, tree)
    own, text, html = _shown(found)
    if sender is None:
        found.notes["It does not say whom it is from."] = None
    message_id = next(iter(ids_of(first(fields, "message-id"))), None)
    address = sender.address if sender is not None else ""
    bounce = bounce_of(raw, tree, subject, address, text=text, null_sender=null_sender)
    nature = nature_of(tree, subject, text, bounce=bounce, null_sender=null_sender)
    return Mail(
        fingerprint=_fingerprint(raw, tree, message_id),
        message_id=message_id,
        in_reply_to=ids_of(first(fields, "in-reply-to"), most=10),
        references=ids_of(first(fields, "references"), most=50),
        sender=sender,
        reply_to=_mailbox(first(fields, "reply-to"), hint),
        recipients=_recipients(tree),
        date=date_of(first(fields, "date")),
        utc_offset=offset_of(first(fields, "date")),
        subject=subject,
        text=text,
        html=html,
        nature=nature,
        bounce=bounce,
        attachments=found.attachments,
        notes=tuple(found.notes),
        size=len(raw),
        forwarded=_forwarded(raw, tree, own, text, subject) if nature is Nature.PERSON and not nested else None,
        robot=is_robot(tree, subject),
    )


def _forwarded(raw: bytes, tree: Tree, own: str, text: str, subject: str) -> Forwarded | None:
    """The message that this one passes on: in its own text, or attached as the only one.

    What is passed on in the text may have had a message attached itself, which is another matter.
    """
    if (written := find_forwarded(own, subject=subject)) is not None:
        return written
    attached = [part for part in tree.parts if part.kind == "message/rfc822" and "message/rfc822" not in part.inside]
    if len(attached) == 1:
        inner, whole = body_of(raw, attached[0], longest=_LONGEST_ATTACHED)
        found = parse(inner, nested=True)
        if whole and found.sender is not None:
            return Forwarded(
                words=text,
                sender=found.sender,
                subject=found.subject,
                text=found.text,
                message_id=found.message_id,
            )
    return None


def unreadable(raw: bytes, why: str) -> Mail:
    """For a message that could not be looked at within its limits: its head alone, and a note."""
    fields = raw[:64_000].partition(b"\n\n")[0].partition(b"\n\r\n")[0]
    head = parse(fields + b"\n\n")
    fingerprint = head.fingerprint
    if head.message_id is None or head.date is None:
        # Its body tells it from others; lines that servers on the way put into the head do not.
        fingerprint = hashlib.sha256(fingerprint + hashlib.sha256(memoryview(raw)[len(fields) :]).digest()).digest()
    return replace(
        head, fingerprint=fingerprint, text="", html=None, bounce=None, attachments=(), notes=(why,), size=len(raw)
    )


def opaque(raw: bytes, why: str) -> Mail:
    """For one of which nothing can be believed."""
    return Mail(
        fingerprint=hashlib.sha256(raw).digest(), message_id=None, in_reply_to=(), references=(), sender=None,
        reply_to=None, recipients=(), date=None, subject="", text="", html=None, nature=Nature.PERSON, bounce=None,
        attachments=(), notes=(why,), size=len(raw),
    )  # fmt: skip


def _mailbox(raw: bytes | None, hint: str | None) -> Mailbox | None:
    found = mailboxes_of(raw, hint=hint, most=1)
    return Mailbox(*found[0]) if found else None


def _recipients(tree: Tree) -> tuple[str, ...]:
    pairs = [pair for name, value in tree.fields if name in _RECIPIENTS for pair in mailboxes_of(value)]
    return tuple(dict.fromkeys(address for _, address in pairs))[:200]


def _fingerprint(raw: bytes, tree: Tree, message_id: str | None) -> bytes:
    """What no server on the way changes. With an id, sender, date and subject; without, the body too.

    Lists and gateways add footers and encode anew, so a body tells copies apart that are the same message. The id
    alone does not do: there are forms that give all of their messages the same.
    """
    names = ("message-id", "from", "date", "subject")
    said = [b" ".join((first(tree.fields, name) or b"").split()) for name in names]
    if message_id is None or not said[2]:
        said += [
            piece.replace(b"\r\n", b"\n").strip()
            for part in tree.parts
            for piece in (
                raw[part.start : min(part.end, part.start + _COMPARED)],
                raw[max(part.start, part.end - _COMPARED) : part.end],
            )
        ]
    return hashlib.sha256(b"\0".join(said)).digest()


def _take(found: _Found, raw: bytes, part: Part, tree: Tree) -> None:
    nested = "message/rfc822" in part.inside or "multipart/digest" in part.inside
    report = tree.kind == "multipart/report" and part.kind.startswith("message/")
    # Mail programs show a file of text in its place; the words that it was sent with come before.
    named = part.disposition == "attachment" or (
        part.name is not None and (part.disposition != "inline" or bool(found.bodies))
    )
    if part.kind == "text/calendar" and not nested and found.room > 0:
        found.calendars.append(_calendar(_text_in(found, raw, part)))
        _attach(found, raw, part)
    elif nested and part.kind != "message/rfc822":
        # The whole of it stands in the attachment that the message around it is.
        if not named and tree.kind != "multipart/report":
            _take_enclosed(found, raw, part)
    elif part.kind in ("text/plain", "text/html", "text/enriched") and not named and found.room > 0:
        choice = "multipart/alternative" in part.inside
        if part.kind == "text/enriched" and choice and found.bodies:
            return  # a form of old, of which another one came before
        found.bodies.append(Body(_text_in(found, raw, part), part.kind == "text/html", choice))
    elif part.kind in _TNEF or (part.name or "").lower() == "winmail.dat":
        _unpack(found, raw, part)
    elif not report or part.kind == "message/rfc822":
        _attach(found, raw, part)
    if part.kind == "message/rfc822" and tree.kind != "multipart/report":
        found.enclosed.append(_head_of(raw, part))


def _take_enclosed(found: _Found, raw: bytes, part: Part) -> None:
    """The text of a message inside: plain, or where there is no plain one made so."""
    other = part.inside[-1] == "multipart/alternative" and part.nth > 0
    if part.kind not in ("text/plain", "text/html") or other or found.room <= 0:
        return
    text = _text_in(found, raw, part)
    if part.kind == "text/html":
        text = read_html(text)
    found.enclosed.append(text.strip())


def _head_of(raw: bytes, part: Part) -> str:
    head = raw[part.start : min(part.end, part.start + _COMPARED)].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    fields = split_fields(head)
    said = [(name, text_of(first(fields, name))[:LONGEST_SUBJECT]) for name in ("from", "date", "subject")]
    return "\n".join([_ENCLOSED, *(f"{name.title()}: {one_line(text)}" for name, text in said if text.strip())])


def _text_in(found: _Found, raw: bytes, part: Part) -> str:
    data, whole = body_of(raw, part, longest=found.room)
    found.room -= part.end - part.start
    charset = part.parameters.get("charset")
    if part.kind == "text/html" and codec_of(charset or "") in (None, "ascii"):
        charset = charset_in(data) or charset
    text, right = decode(data, charset)
    if not right:
        found.notes["Some of its characters could not be read."] = None
    if not whole:
        found.notes["Its text is too long; the rest is in the message as it came."] = None
    text = text.replace("\r\n", "\n")
    if part.kind != "text/plain":
        return text
    if part.parameters.get("format", "").lower() == "flowed":
        text = unflowed(text, delsp=part.parameters.get("delsp", "").lower() == "yes")
    return without_entities(text)


def _shown(found: _Found) -> tuple[str, str, str | None]:
    """What its sender wrote, the same with what stands in its enclosures, and that formatted."""
    html, below = None, [*found.calendars, *found.enclosed]
    passages = passages_of(found.bodies)
    if any(each.html for each in passages):
        whole = "<hr>".join(each.as_html() for each in passages)
        if len(whole) > LONGEST_HTML:
            found.notes["Its formatted text is too long; the rest is in the message as it came."] = None
        if is_knotted(whole[:LONGEST_HTML]):
            found.notes["Its formatted text is nested too deeply, and is shown without its form."] = None
        else:
            html = harmless(whole[:LONGEST_HTML])
    if html is not None and not any(each.plain for each in passages):
        own = text_of_html(html)  # which is harmless already
    else:
        own = "\n\n".join(each.as_plain().strip("\n") for each in passages)
    text, whole_text = tidy("\n\n".join(filter(None, [own, *below])))
    if not whole_text:
        found.notes[f"Its text has more than {LONGEST_TEXT} characters; the rest is in the message as it came."] = None
    if html is not None:
        html += "".join(f"<hr>{in_html(each)}" for each in below)
    return own, text, html


def _attach(found: _Found, raw: bytes, part: Part) -> None:
    kind = part.kind if _KIND.fullmatch(part.kind) else "application/octet-stream"
    ending = _ENDINGS.get(kind, ".bin")
    name = safe_name(part.name) or f"part-{len(found.attachments) + 1}{ending}"
    found.attachments.append(
        Attachment(
            name=name,
            type=kind,
            size=_size(raw, part),
            start=part.start,
            length=max(part.end - part.start, 0),
            encoding=part.encoding,
            cid=part.cid,
            inline=part.cid is not None and kind.startswith("image/"),
        )
    )


def _unpack(found: _Found, raw: bytes, part: Part) -> None:
    """Its files take its place, unless somebody would miss what else is in it."""
    letter = unpack(body_of(raw, part, longest=part.end - part.start)[0])
    has_text = any(each.text.strip() for each in found.bodies)
    if not (letter.whole and (has_text or letter.says_all)):
        found.notes["Outlook packed what it sent into winmail.dat, which is kept as an attachment."] = None
        _attach(found, raw, part)
    if not has_text:
        found.bodies += [
            Body(letter.text, formatted=False, choice=True),
            Body(letter.html, formatted=True, choice=True),
        ]
    waiting = [letter]
    while waiting:
        each = waiting.pop()
        for file in each.files:
            _attach_packed(found, part, file)
        for inner in each.enclosed:
            text = inner.text or read_html(inner.html)
            found.enclosed.append("\n".join([_ENCLOSED, f"Subject: {one_line(inner.subject)}", "", text]).strip())
        waiting += each.enclosed


def _attach_packed(found: _Found, part: Part, file: File) -> None:
    kind = file.kind or _BY_NAME.guess_type(file.name)[0] or ""
    kind = kind if _KIND.fullmatch(kind) else "application/octet-stream"
    found.attachments.append(
        Attachment(
            name=safe_name(file.name) or f"part-{len(found.attachments) + 1}{_ENDINGS.get(kind, '.bin')}",
            type=kind,
            size=file.length,
            start=part.start,
            length=part.end - part.start,
            encoding=piece_of(part.encoding, file.start, file.length),
            cid=file.cid or None,
            inline=bool(file.cid) and kind.startswith("image/"),
        )
    )


def safe_name(name: str | None) -> str:
    """Of a file: without folders, and without what hides its ending (bidirectional marks, controls)."""
    last = re.split(r"[/\\]", one_line(name or ""))[-1]
    return "".join(char for char in last if char not in '<>:"|?*').strip(". ")[-_LONGEST_NAME:]


def _size(raw: bytes, part: Part) -> int:
    length = max(part.end - part.start, 0)
    if part.encoding != "base64":
        return length
    tail = raw[max(part.start, part.end - 200) : part.end].rstrip()
    breaks = raw.count(b"\n", part.start, part.end) + raw.count(b"\r", part.start, part.end)
    padding = len(tail) - len(tail.rstrip(b"="))
    return max((length - breaks) // 4 * 3 - min(padding, 2), 0)


def _calendar(text: str) -> str:
    """An invitation in a few lines (RFC 5545); the whole is an attachment."""
    unfolded = re.sub(r"\n[ \t]", "", text[:100_000])
    said: dict[str, str] = {}
    begins = unfolded.find("BEGIN:VEVENT")
    for line in unfolded[max(begins, 0) :].split("\n")[:500]:
        name, _, value = line.partition(":")
        key = name.partition(";")[0].upper()
        if key in _CALENDAR:
            plain = one_line(value.replace("\\n", " ").replace("\\,", ",").replace("\\;", ";"))[:300]
            said.setdefault(key, _moment(plain, name) if key.startswith("DT") else plain)
    return "\n".join(f"{title}: {said[key]}" for key, title in _CALENDAR.items() if said.get(key))


def _moment(value: str, name: str) -> str:
    """A date or a time of RFC 5545 as people write it, with the zone that it names."""
    match = _MOMENT.fullmatch(value)
    if match is None:
        return value
    year, month, day, hour, minute, utc = match.groups()
    zone = "UTC" if utc else one_line(name.partition("TZID=")[2].partition(";")[0])[:60]
    return " ".join(filter(None, [f"{year}-{month}-{day}", f"{hour}:{minute}" if hour else "", zone if hour else ""]))
