"""Layers: how the parts of a whole moved over the rounds, stacked from the bottom up and named at their ends."""

from __future__ import annotations

from itertools import accumulate, pairwise

from .axes import Frame, Scale, era_names
from .formats import percent, pinch, shorten
from .labels import LINE, breadth, stack
from .season import Layer, Layers
from .svg import Svg, element, group, line, picture, text

HUES = 7
"""How many layers have a hue of their own; those that are not named are grey."""
MARKS = (0.0, 0.25, 0.5, 0.75, 1.0)
Edge = tuple[float, ...]


def describe(value: Layers) -> str:
    """What the layers show, in sentences."""
    if not value.eras:
        return "0 rounds."
    named = [layer for layer in value.layers if layer.named]
    moved = ", ".join(f"{shorten(x.name, 40)} {percent(x.values[0])} to {percent(x.values[-1])}" for x in named)
    return f"{value.unit} over {len(value.eras)} rounds. From the first to the last: {moved}."


def draw_layers(value: Layers, *, name: str, width: int = 1040, height: int = 420) -> Svg:
    """The layers as a drawing, the first at the bottom; `name` is its unique id in the page."""
    styles = [f"v{i % HUES + 1}" if layer.named else "others" for i, layer in enumerate(value.layers)]
    words = [_words(layer, width) for layer in value.layers]
    gutter = max((breadth(each) for each in words), default=0.0) + 24
    frame = Frame(46, 14, width - gutter, height - 34)
    x = Scale(0, max(1, len(value.eras) - 1), frame.left, frame.right)
    y = Scale(0, 1, frame.bottom, frame.top)
    edges = _edges(value)
    return picture(
        name,
        value.title,
        describe(value),
        (width, height),
        group(*(text(frame.left - 8, y(mark) + 4, percent(mark, 0), "tick", anchor="end") for mark in MARKS)),
        era_names(value.eras, x, frame),
        group(
            *(
                _layer(layer, low, high, style, x, y)
                for layer, low, high, style in zip(value.layers, edges, edges[1:], styles, strict=False)
            )
        ),
        group(*(line(frame.left, y(mark), frame.right, y(mark), "unit") for mark in MARKS[1:-1])),
        _ends(words, styles, edges, y, frame) if value.eras else Svg(""),
    )


def _edges(value: Layers) -> list[Edge]:
    """The heights between the layers, from the bottom to the top."""
    bottom = tuple(0.0 for _ in value.eras)
    return list(
        accumulate(
            (layer.values for layer in value.layers),
            lambda below, own: tuple(a + b for a, b in zip(below, own, strict=True)),
            initial=bottom,
        )
    )


def _layer(layer: Layer, low: Edge, high: Edge, style: str, x: Scale, y: Scale) -> Svg:
    """A layer as a closed path: along its top, and back along its bottom."""
    top = [f"{x(i):.1f} {y(value):.1f}" for i, value in enumerate(high)]
    bottom = [f"{x(i):.1f} {y(value):.1f}" for i, value in enumerate(low)]
    if len(top) == 1:  # one round is as wide as the picture
        top, bottom = (
            [f"{at:.1f} {y(high[0]):.1f}" for at in (x.start, x.stop)],
            [f"{at:.1f} {y(low[0]):.1f}" for at in (x.start, x.stop)],
        )
    drawn = f"M{'L'.join([*top, *reversed(bottom)])}Z"
    return element("path", element("title", layer.name), d=drawn, class_=f"layer {style}")


def _words(layer: Layer, width: int) -> str:
    """A layer's name and its last share."""
    limit = 24 if width > 600 else 11
    share = percent(layer.values[-1], 1 if width > 600 else 0) if layer.values else ""
    return f"{pinch(layer.name, limit)} {share}"


def _ends(words: list[str], styles: list[str], edges: list[Edge], y: Scale, frame: Frame) -> Svg:
    """Every layer's name beside its end, pushed apart where layers are thin."""
    middles = [y((low[-1] + high[-1]) / 2) for low, high in pairwise(edges)]
    places = stack(middles, gap=LINE + 1, low=frame.top + 6, high=frame.bottom - 2)
    marks: list[str] = []
    for said, style, middle, place in zip(words, styles, middles, places, strict=True):
        marks.append(line(frame.right + 1, middle, frame.right + 10, place, "leader"))
        marks.append(text(frame.right + 14, place + 4, said, f"label {style}"))
    return group(*marks)
