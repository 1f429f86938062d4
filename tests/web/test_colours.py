"""The colours of states can be read, and told apart, also by those who see colours otherwise."""

import math
import re
from itertools import combinations
from typing import Final

import pytest

from tests.rules.pages import REPOSITORY

Rgb = tuple[float, float, float]
Lab = tuple[float, float, float]

_STYLES: Final = REPOSITORY / "schedulerd" / "web" / "static" / "app.css"
_TOKEN: Final = re.compile(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
_THEMES: Final = ("light", "dark")
_GROUNDS: Final = ("bg", "surface")
# Least contrasts (WCAG 2.2, 1.4.3 and 1.4.11): of text, and of what is no text.
_TEXT: Final = 4.5
_SHAPE: Final = 3.0
_APART: Final = 18.0
"""The least difference (CIEDE2000) between the fills of two states, whoever looks."""

# How colours look to those who lack a kind of cone (Machado, Oliveira and Fernandes 2009, severity 1.0), in linear RGB.
_SIGHT: Final = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
_D65: Final = (0.95047, 1.0, 1.08883)


def tokens(theme: str) -> dict[str, Rgb]:
    """The colours of a theme, as linear RGB."""
    at = 2 + _THEMES.index(theme)
    return {found[1]: linear(found[at]) for found in _TOKEN.finditer(_STYLES.read_text())}


def linear(colour: str) -> Rgb:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _one(red), _one(green), _one(blue)


def _one(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def contrast(one: Rgb, other: Rgb) -> float:
    """How much lighter one is than the other, as WCAG counts."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: Rgb) -> float:
    red, green, blue = colour
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def seen(colour: Rgb, sight: str) -> Rgb:
    red, green, blue = (
        min(1.0, max(0.0, sum(part * value for part, value in zip(row, colour, strict=True))))
        for row in _SIGHT[sight]
    )
    return red, green, blue


def lab(colour: Rgb) -> Lab:
    red, green, blue = colour
    x = _root((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / _D65[0])
    y = _root((0.2126729 * red + 0.7151522 * green + 0.0721750 * blue) / _D65[1])
    z = _root((0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / _D65[2])
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(value: float) -> float:
    return math.cbrt(value) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116


def difference(one: Lab, other: Lab) -> float:
    """CIEDE2000 (Sharma, Wu and Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    grey = 0.5 * (1 - math.sqrt(_seventh((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2)))
    a1, a2 = a1 * (1 + grey), a2 * (1 + grey)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    hue = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    of_hue = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    weight = (
        1
        - 0.17 * math.cos(math.radians(hue - 30))
        + 0.24 * math.cos(math.radians(2 * hue))
        + 0.32 * math.cos(math.radians(3 * hue + 6))
        - 0.20 * math.cos(math.radians(4 * hue - 63))
    )
    dl = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2))
    dc = (c2 - c1) / (1 + 0.045 * chroma)
    dh = of_hue / (1 + 0.015 * chroma * weight)
    twist = (
        math.sin(math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2)))) * 2 * math.sqrt(_seventh(chroma))
    )
    return math.sqrt(dl**2 + dc**2 + dh**2 - twist * dc * dh)


def _seventh(chroma: float) -> float:
    return chroma**7 / (chroma**7 + 25.0**7)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ],
)
def test_the_difference_is_that_of_the_published_examples(one: Lab, other: Lab, apart: float) -> None:
    assert difference(one, other) == pytest.approx(apart, abs=1e-4)


@pytest.mark.parametrize("theme", _THEMES)
def test_texts_and_shapes_stand_out_from_both_grounds(theme: str) -> None:
    colours = tokens(theme)
    texts = [name for name in colours if name.startswith("t-") or name in ("text", "muted", "link")]
    shapes = [name for name in colours if name.startswith("f-") or name in ("border", "focus")]

    pale = [
        (name, ground)
        for names, least in ((texts, _TEXT), (shapes, _SHAPE))
        for name in names
        for ground in _GROUNDS
        if contrast(colours[name], colours[ground]) < least
    ]

    assert len(texts) >= 9
    assert len(shapes) >= 7
    assert pale == []


@pytest.mark.parametrize("theme", _THEMES)
@pytest.mark.parametrize("sight", _SIGHT)
def test_fills_of_states_can_be_told_apart(theme: str, sight: str) -> None:
    fills = {
        name: lab(seen(colour, sight)) for name, colour in tokens(theme).items() if name.startswith("f-")
    }

    alike = [
        (one, other, round(difference(fills[one], fills[other]), 1))
        for one, other in combinations(fills, 2)
        if difference(fills[one], fills[other]) < _APART
    ]

    assert len(fills) == 5
    assert alike == []
