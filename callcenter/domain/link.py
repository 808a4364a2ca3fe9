"""Links that people get by mail and need no sign-in for: signed, for one purpose, and good until a moment."""

import base64
import hmac
import struct
from datetime import UTC, datetime

from callcenter.errors import Invalid, NotFound

# Id and end (seconds since 1970), then the first 128 bits of the HMAC-SHA256: as many as a guess has to hit.
_FORM = struct.Struct(">QQ")
_PROOF = 16
_LONGEST = 60


class LinkExpired(NotFound):
    """The link was ours, and its time is over."""


def sign(key: bytes, purpose: str, ident: int, *, expires: datetime) -> str:
    """The token of a link to `ident`; letters, digits, - and _ only."""
    said = _FORM.pack(ident, int(expires.timestamp()))
    return base64.urlsafe_b64encode(said + _proof(key, purpose, said)).rstrip(b"=").decode()


def read(key: bytes, purpose: str, token: str, *, now: datetime) -> int:
    """The id that a token leads to. Raises Invalid for one that is not ours or was changed, LinkExpired."""
    raw = _decode(token)
    said, proof = raw[: _FORM.size], raw[_FORM.size :]
    if len(raw) != _FORM.size + _PROOF or not hmac.compare_digest(proof, _proof(key, purpose, said)):
        raise Invalid("This link is not whole; open it from the mail once more.")
    ident, until = _FORM.unpack(said)
    if now >= datetime.fromtimestamp(until, UTC):
        raise LinkExpired("This link is no longer good.")
    return int(ident)


def _proof(key: bytes, purpose: str, said: bytes) -> bytes:
    return hmac.digest(key, purpose.encode() + b"\0" + said, "sha256")[:_PROOF]


def _decode(token: str) -> bytes:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
    # The last character has bits that mean nothing: one link, one token.
    same = base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == token
    return raw if same and len(token) <= _LONGEST else b""
