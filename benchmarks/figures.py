"""What was measured: each figure beside a limit that was measured in the same run, and beside its target."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final, Self

_WHAT: Final = 44
_VALUE: Final = 12
_BESIDE: Final = 37


class Bound(Enum):
    """Which side of its target a figure has to be on."""

    AT_MOST = "<="
    AT_LEAST = ">="


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """What the machine itself can do, measured in the same run."""

    what: str
    value: float
    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """What one thing costs, and what it may cost: `target` is of its ratio to the limit, or, where nothing limits it (memory,
    shares of a core), of the figure itself. Without one it is only told.

    `is_time` says that it was measured by the clock, and not by CPU: whatever else the machine does is in it.
    `details` are other figures of the same measurement, for those who read them by program.
    """

    benchmark: str
    what: str
    value: float
    unit: str
    target: float | None
    limit: Limit | None = None
    bound: Bound = Bound.AT_MOST
    is_time: bool = False
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """What is compared with the target."""
        return self.value if self.limit is None else self.value / self.limit.value

    @property
    def is_met(self) -> bool:
        """Is the target met?"""
        return self.is_met_with(1.0)

    def is_met_with(self, leeway: float) -> bool:
        """Would it be met if it were so many times as easy?"""
        if self.target is None:
            return True
        if self.bound is Bound.AT_MOST:
            return self.ratio <= self.target * leeway
        return self.ratio >= self.target / leeway

    def better(self, other: Self) -> Self:
        """Of two measurements of the same the one that is nearer to its target, or farther beyond."""
        best = min if self.bound is Bound.AT_MOST else max
        return best(self, other, key=lambda figure: figure.ratio)


def table(figures: Sequence[Figure]) -> str:
    """The figures as lines for people, in at most 120 columns, under the name of the benchmark that each is of."""
    lines = [_line("what", "figure", "limit", "ratio", "target", "")]
    benchmark = None
    for figure in figures:
        if figure.benchmark != benchmark:
            benchmark = figure.benchmark
            lines.append(benchmark)
        lines.append(_row(figure))
    return "\n".join(lines)


def append_json(path: Path, figures: Iterable[Figure]) -> None:
    """Add a line of JSON for each figure to a file."""
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(_told(figure)) + "\n" for figure in figures)


def _row(figure: Figure) -> str:
    limit = figure.limit
    return _line(
        f"  {figure.what}",
        f"{_number(figure.value)} {figure.unit}",
        "" if limit is None else f"{_number(limit.value)} {limit.unit}  {limit.what}",
        "" if limit is None else _number(figure.ratio),
        "" if figure.target is None else f"{figure.bound.value} {_number(figure.target)}",
        "" if figure.target is None else "met" if figure.is_met else "MISSED",
    )


def _line(what: str, value: str, beside: str, ratio: str, target: str, verdict: str) -> str:
    return f"{what:{_WHAT}} {value:>{_VALUE}}  {beside:{_BESIDE}} {ratio:>6} {target:>8} {verdict}".rstrip()


def _number(value: float) -> str:
    """With about three digits that say something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _told(figure: Figure) -> dict[str, Any]:
    limit = figure.limit
    return {
        "benchmark": figure.benchmark,
        "what": figure.what,
        "value": figure.value,
        "unit": figure.unit,
        "limit": None if limit is None else limit.what,
        "limit_value": None if limit is None else limit.value,
        "ratio": figure.ratio,
        "bound": figure.bound.value,
        "target": figure.target,
        "is_met": figure.is_met,
        **figure.details,
    }
