"""What `make run` says when it is ready: where, who, and how to stop."""

import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

from callcenter.domain.agent import Role
from callcenter.domain.organisation import UserEntry

_ORDER = {Role.AGENT: 1, Role.SUPERVISOR: 2, Role.ADMINISTRATOR: 3}


def banner(
    *,
    name: str,
    url: str,
    shop: str,
    users: Sequence[UserEntry],
    visitor: str,
    traffic: bool,
    command: str,
    colour: bool,
) -> str:
    """The whole text. `visitor`: the agent whom the reader may be; `command`: how to run ours."""

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    shown = [user for user in users if user.name == visitor or user.role is not Role.AGENT]
    shown.sort(key=lambda user: (user.name != visitor, _ORDER[Role(user.role)]))
    widths = [max(_width(text) for text in column) for column in zip(*[_cells(user) for user in shown], strict=True)]
    lines = ["", f"  {paint(name, '1')}  {paint('callcenter demo', '2')}", ""]
    lines += [f"    Console   {paint(url, '1;36')}", f"    Wall      {paint(f'{url}/wall', '36')}"]
    lines += [f"    Shop      {paint(shop, '36')}  {paint('its pages have the chat', '2')}", ""]
    lines += [f"    {paint('Sign in as', '2')}"]
    for user in shown:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(_cells(user), widths, strict=True)]
        lines.append(f"      {paint(cells[0], '1')}   {cells[1]}   {cells[2]}   {paint(cells[3], '33')}")
    lines.append("")
    if traffic:
        lines += [
            f"    Sign in as {visitor}, go on queue: calls come, the telephone answers by itself.",
            "    The other agents are played. One call by hand:",
        ]
    else:
        lines += ["    No calls come by themselves. One by hand:"]
    lines += [f"      {paint(f'{command} call --from +8613800138000 --to 95500', '36')}", ""]
    lines += [f"    {paint('Ctrl-C stops everything; the next start finds its data again.', '2')}", ""]
    return "\n".join(lines)


def _cells(user: UserEntry) -> tuple[str, str, str, str]:
    return user.name, str(user.role), user.full_name, user.password or ""


def _width(text: str) -> int:
    """Columns of a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def in_colour(stream: TextIO = sys.stdout) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ
