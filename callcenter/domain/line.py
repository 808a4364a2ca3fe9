"""One line of text as people type and paste it: names, titles, words in lists."""

import re
import unicodedata

# Blanks of every width and the ends of lines, as lists and web pages have them within a name.
_BLANKS = re.compile("[\t\n\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
# Soft hyphens, spaces of no width and marks of direction come along when a name is copied from a page.
_STRAY = str.maketrans("", "", "\u00ad\u200b\u200e\u200f\u2060\ufeff")
# Persian and Indic names are written with these.
_JOINERS = str.maketrans("", "", "\u200c\u200d")


def tidied(text: str) -> str:
    """In Unicode's form C, with single spaces: what looks the same is the same.

    Not form KC, which takes away the width of letters that somebody chose.
    """
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", text).translate(_STRAY)).strip()


def can_be_read(text: str) -> bool:
    """Whether there is something to see, no control characters and nothing that turns the direction of what follows."""
    seen = text.translate(_JOINERS)
    return bool(seen.strip()) and seen.isprintable()
