"""The company of a customer: which mail domains may be a company's own."""

import re
from collections.abc import Iterable

from callcenter.errors import Invalid

LONGEST_NAME = 200
LONGEST_NOTE = 10_000
MOST_DOMAINS = 50
_LONGEST_DOMAIN = 253

# Where anybody gets a mailbox: an address there says nothing of whom somebody works for.
PUBLIC = frozenset(
    {
        "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "yahoo.co.jp",
        "yahoo.co.uk", "yahoo.com.tw", "yahoo.com.hk", "ymail.com", "rocketmail.com", "aol.com", "icloud.com", "me.com",
        "mac.com", "proton.me", "protonmail.com", "pm.me", "tutanota.com", "zoho.com", "fastmail.com", "hey.com",
        "gmx.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "mail.com",
        "mail.ru", "inbox.ru", "list.ru", "bk.ru", "yandex.ru", "yandex.com", "orange.fr", "free.fr", "laposte.net",
        "wanadoo.fr", "libero.it", "virgilio.it", "seznam.cz", "wp.pl", "o2.pl", "onet.pl", "bluewin.ch", "qq.com",
        "foxmail.com",
        "163.com", "126.com", "yeah.net", "188.com", "sina.com", "sina.cn", "sohu.com", "aliyun.com", "139.com",
        "189.cn", "wo.cn", "21cn.com", "tom.com", "hinet.net", "pchome.com.tw", "naver.com", "daum.net", "hanmail.net",
        "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp", "comcast.net", "verizon.net", "att.net", "btinternet.com",
    }
)  # fmt: skip

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# What stands under these is anybody's, as under `com`.
_SECOND = frozenset({"co", "com", "net", "org", "gov", "edu", "ac", "or", "ne"})


def parse_domain(text: str) -> str:
    """A company's mail domain in small letters, as ASCII; a mail address or `@` before it may stand for it.

    Raises Invalid for what is no domain, for one that many companies stand under, and for one of a public mailer.
    """
    said = text.strip().rpartition("@")[2].rstrip(".").lower()
    try:
        domain = said if said.isascii() else said.encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    labels = domain.split(".")
    if (
        len(domain) > _LONGEST_DOMAIN
        or len(labels) < 2
        or labels[-1].isdigit()
        or not all(map(_LABEL.fullmatch, labels))
    ):
        raise Invalid("That is no mail domain.", field="domains")
    if len(labels) == 2 and labels[0] in _SECOND and len(labels[1]) == 2:
        raise Invalid("Many companies stand under this domain.", field="domains")
    if domain in PUBLIC:
        raise Invalid("Anybody may have a mailbox of this domain.", field="domains")
    return domain


def parse_domains(texts: Iterable[str]) -> list[str]:
    """Each once, in their order. Raises Invalid as `parse_domain` does, and for too many."""
    found = list(dict.fromkeys(parse_domain(text) for text in texts if text.strip()))
    if len(found) > MOST_DOMAINS:
        raise Invalid(f"At most {MOST_DOMAINS} domains.", field="domains")
    return found
