"""What people have put into mail to make a reader's browser run, load or open something (hostile.txt)."""

import re
from base64 import b64encode
from pathlib import Path

RUN = "alert(document.domain)"
OUT = "https://evil.example"
_VALUES = {
    "@RUN@": RUN,
    "@OUT@": OUT,
    "@SVG@": b64encode(f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}'/>".encode()).decode(),
    "@PAGE@": b64encode(f"<script>{RUN}</script>".encode()).decode(),
}
_ESCAPES = {"n": "\n", "t": "\t", "0": "\x00", "1": "\x01", "\\": "\\"}


def _read(line: str) -> str:
    for name, value in _VALUES.items():
        line = line.replace(name, value)
    return re.sub(r"\\u([0-9a-f]{4})|\\(.)", lambda m: chr(int(m[1], 16)) if m[1] else _ESCAPES[m[2]], line)


def _corpus() -> dict[str, list[str]]:
    section: list[str] = []
    found: dict[str, list[str]] = {}
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split("\n"):
        if line.startswith("## "):
            found[line[3:]] = section = []
        elif line and not line.startswith("# "):
            section.append(_read(line))
    return found


CORPUS = _corpus()
NAMES = next(vectors for title, vectors in CORPUS.items() if title.startswith("names"))
BODIES = [vector for vectors in CORPUS.values() if vectors is not NAMES for vector in vectors]
