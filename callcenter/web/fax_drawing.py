"""Draws pages of faxes, in a process of its own: it imports little, as that process begins with the first fax."""

import io
import resource
import signal
import struct
import warnings
from contextlib import suppress

import pypdfium2
from PIL import Image, ImageSequence

# Of one fax; what is behind is in the attachment.
MOST_PAGES = 100
_WIDTH = 1240  # pixels: A4 at 150 dpi
_LONGEST = 4 * _WIDTH
_MOST_PIXELS = 60_000_000  # a page of a fax has four million
_MOST_MEMORY = 512 * 1024 * 1024
_MOST_SECONDS = 10
# What the libraries were seen to raise at damaged files.
_BROKEN = (
    pypdfium2.PdfiumError, Image.DecompressionBombError, OSError, EOFError, SyntaxError, ValueError, TypeError,
    AttributeError, ArithmeticError, LookupError, struct.error,
)  # fmt: skip


def limit_memory() -> None:
    with suppress(ValueError, OSError):  # where the system has no such limit
        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))


def draw_in_time(content: bytes, kind: str, n: int) -> tuple[int, bytes | None]:
    """`draw` in the worker process: beyond its seconds of this page the system ends it, whatever it is at."""
    signal.setitimer(signal.ITIMER_PROF, _MOST_SECONDS)
    try:
        return draw(content, kind, n)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def draw(content: bytes, kind: str, n: int) -> tuple[int, bytes | None]:
    """How many pages there are (none: it cannot be read), and page number `n` as PNG."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # broken files are nothing new
            return _pdf(content, n) if kind == "pdf" else _tiff(content, n)
    except _BROKEN:
        return 0, None


def _pdf(content: bytes, n: int) -> tuple[int, bytes | None]:
    document = pypdfium2.PdfDocument(content)
    try:
        pages = min(len(document), MOST_PAGES)
        if not 1 <= n <= pages:
            return pages, None
        page = document[n - 1]
        width, height = page.get_size()
        scale = min(_WIDTH / max(width, 1), _LONGEST / max(height, 1))
        return pages, _png(page.render(scale=scale, grayscale=True).to_pil())
    finally:
        document.close()


def _tiff(content: bytes, n: int) -> tuple[int, bytes | None]:
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS // 2  # twice that is refused
    with Image.open(io.BytesIO(content), formats=("TIFF",)) as image:
        pages = min(getattr(image, "n_frames", 1), MOST_PAGES)
        if not 1 <= n <= pages:
            return pages, None
        frame = next(each for at, each in enumerate(ImageSequence.Iterator(image), 1) if at == n)
        if frame.width * frame.height > _MOST_PIXELS:
            return 0, None
        # Lines of a fax in its low resolution are twice as high as wide.
        across, down = (float(each) or 1.0 for each in frame.info.get("dpi", (1, 1)))
        height = round(_WIDTH * frame.height / frame.width * across / down)
        return pages, _png(frame.convert("L").resize((_WIDTH, max(1, min(height, _LONGEST)))))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.convert("L").save(buffer, "PNG", optimize=False)
    return buffer.getvalue()
