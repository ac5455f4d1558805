"""Words can be read in light and in dark: WCAG AA, 4.5 to 1, computed from the style sheets themselves."""

from __future__ import annotations

import re

import pytest

from crowdalpha.diagnostics.heatmap import SHADES
from crowdalpha.diagnostics.svg import template

DARK = "@media (prefers-color-scheme:dark)"
Colour = tuple[float, float, float]


def colours(sheet: str, theme: str) -> dict[str, Colour]:
    light, dark = template(sheet).split(DARK)[:2]
    found = dict(re.findall(r"--([\w-]+):(#[0-9a-f]+)", light))
    if theme == "dark":
        found |= dict(re.findall(r"--([\w-]+):(#[0-9a-f]+)", dark.split("\n")[0]))
    return {name: parsed(value) for name, value in found.items()}


def parsed(value: str) -> Colour:
    digits = value[1:] if len(value) == 7 else "".join(2 * c for c in value[1:])
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


def luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def over(colour: Colour, opacity: float, ground: Colour) -> Colour:
    red, green, blue = (opacity * c + (1 - opacity) * g for c, g in zip(colour, ground, strict=True))
    return red, green, blue


themes = pytest.mark.parametrize("theme", ["light", "dark"])


@themes
def test_words_on_the_page_can_be_read(theme):
    c = colours("page.css", theme)
    for words in ("ink", "soft", "accent"):
        for ground in ("page", "card", "hover"):
            assert contrast(c[words], c[ground]) >= 4.5, (words, ground)
    assert contrast(c["ink"], c["warn"]) >= 4.5


@themes
def test_words_and_lines_in_charts_can_be_read(theme):
    c = colours("charts.css", theme)
    for words in ("ink", "soft", "plus", "minus", "target", "v1", "v2", "v3", "v4", "v5", "v6", "v7"):
        assert contrast(c[words], c["card"]) >= 4.5, words


@themes
@pytest.mark.parametrize("hue", ["v1", "v2"])
@pytest.mark.parametrize("depth", range(1, SHADES + 1))
def test_numbers_in_the_squares_can_be_read(theme, hue, depth):
    c, sheet = colours("charts.css", theme), template("charts.css")
    given = [float(value) for value in re.findall(rf"\.d{depth}\{{fill-opacity:([.\d]+)", sheet)]
    opacity = given[-1 if theme == "dark" else 0] if given else 1.0
    inverted = depth >= (9 if theme == "light" else 7)
    words = c["card"] if inverted else c["ink"]
    assert contrast(words, over(c[hue], opacity, c["card"])) >= 4.5
