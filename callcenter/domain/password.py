"""Passwords: what makes a good one, and how one is kept (argon2id)."""

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH = 10
_MAXIMUM_LENGTH = 256
_COMMON = frozenset(
    {
        "1234567890", "12345678910", "0123456789", "0987654321", "1q2w3e4r5t", "qwertyuiop", "qwerty12345",
        "password12", "password123", "password1234", "passw0rd123", "letmein123", "iloveyou12", "administrator",
        "callcenter", "callcenter1", "welcome123", "welcome1234", "changeme123", "woaini1314", "woaini520520",
        "a123456789", "5201314520", "1qaz2wsx3edc", "qazwsxedcrfv",
    }
)  # fmt: skip

# OWASP's smaller set (19 MiB, 2 passes): a few sign-ins at once must not take the memory that calls need.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# The hash of nothing that anybody knows: who tries an unknown name waits as long as one who tries a known one.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IGhlcmUh$w6SUr3w4wFSGZUk7hGgZ8hp7sB4xJ4d1pIrxtYv6o0o"


def complaint(password: str, *, name: str) -> str | None:
    """What is wrong with a password that the owner of the sign-in name wants; None when nothing is."""
    folded = password.casefold()
    if len(password) < MINIMUM_LENGTH:
        return f"A password needs at least {MINIMUM_LENGTH} characters."
    if len(password) > _MAXIMUM_LENGTH:
        return f"A password has at most {_MAXIMUM_LENGTH} characters."
    if len(set(folded)) < 5:
        return "A password needs at least five different characters."
    if folded in _COMMON:
        return "This password is among those that everybody tries first."
    if name.casefold() in folded and len(folded.replace(name.casefold(), "")) < MINIMUM_LENGTH - 2:
        return "A password must be more than the sign-in name with something added."
    return None


def protect(password: str) -> str:
    """The argon2id hash to keep; takes about 20 ms and 19 MiB, so call it in a thread."""
    return _HASHER.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether it is the password; as slow for nobody's (None) as for somebody's. Call it in a thread."""
    if len(password) > _MAXIMUM_LENGTH:
        return False
    try:
        _HASHER.verify(kept or NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(kept)
