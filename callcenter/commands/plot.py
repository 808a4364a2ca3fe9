"""A drawing of the service level over a day."""

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _LEGEND = 860, 360, 56, 24, 22
_COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#65a30d", "#db2777")


def course_svg(
    course: Mapping[str, Sequence[tuple[float, float]]],
    targets: Mapping[str, float],
    unserved: Mapping[str, float],
    length: float,
) -> str:
    """One line a queue, (seconds from the start, share in time); its target dashed. `length` in seconds.

    `unserved`: how many a day nobody answers, told in the legend where there are any.
    """
    inner, tall = _WIDTH - _LEFT - 20, _HEIGHT - _TOP - 60
    bottom = _TOP + tall

    def x(seconds: float) -> float:
        return round(_LEFT + inner * seconds / length, 1)

    def y(share: float) -> float:
        return round(_TOP + tall * (1 - share), 1)

    height = _HEIGHT + _LEGEND * len(course)
    size = f'width="{_WIDTH}" height="{height}"'
    font = 'font-family="system-ui, sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {_WIDTH} {height}" {font}>',
        f'<rect {size} fill="#fff"/>',
    ]
    for tenth in range(0, 11, 2):
        share = tenth / 10
        parts.append(f'<path d="M{_LEFT} {y(share)}H{_LEFT + inner}" stroke="#e2e8f0"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y(share) + 4}" text-anchor="end" fill="#475569">{share:.0%}</text>')
    hours = max(1, round(length / 3600))
    parts += [
        f'<text x="{x(hour * 3600)}" y="{bottom + 18}" text-anchor="middle" fill="#475569">{hour} h</text>'
        for hour in range(0, hours + 1, max(1, hours // 12))
    ]
    for number, (queue, points) in enumerate(course.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        line = " ".join(f"{x(at)},{y(share)}" for at, share in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        dashed = f'stroke="{colour}" stroke-dasharray="4 4" opacity=".6"'
        parts.append(f'<path d="M{_LEFT} {y(targets[queue])}H{_LEFT + inner}" {dashed}/>')
        row = bottom + 44 + number * _LEGEND
        parts.append(f'<rect x="{_LEFT}" y="{row - 9}" width="14" height="4" fill="{colour}"/>')
        left = f"; {unserved[queue]:.1f} a day unserved" if unserved[queue] else ""
        parts.append(
            f'<text x="{_LEFT + 22}" y="{row - 2}" fill="#0f172a">{escape(queue)}: service level, '
            f"target {targets[queue]:.0%}{left}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])
