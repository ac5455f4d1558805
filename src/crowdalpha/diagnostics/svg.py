"""SVG as text that cannot be forgotten to be escaped: markup has its own type, all other text is escaped."""

from __future__ import annotations

import html
from functools import cache
from importlib.resources import files

from .formats import legible

NAMESPACE = "http://www.w3.org/2000/svg"


class Svg(str):
    """Markup made here. A plain string put among markup is escaped, an Svg is kept."""

    __slots__ = ()

    def __html__(self) -> str:
        """The markup itself: how template engines recognise text that is already escaped."""
        return self


def escape(text: str) -> Svg:
    """Text as markup, with nothing in it that could be read as a tag, an attribute's end or a control.

    >>> escape('<b x="1">')
    '&lt;b x=&quot;1&quot;&gt;'
    """
    return text if isinstance(text, Svg) else Svg(html.escape(legible(text), quote=True))


def short(value: object) -> str:
    """An attribute's value; numbers with one decimal, a tenth of a pixel.

    >>> short(12.04), short(-0.01), short("4 3")
    ('12', '0', '4 3')
    """
    if not isinstance(value, float):
        return str(value)
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def element(tag: str, *children: str, **attributes: object) -> Svg:
    """One element. Keywords are its attributes: `class_` is class, `text_anchor` is text-anchor.

    >>> element("text", "a < b", x=1.25, class_="tick")
    '<text x="1.2" class="tick">a &lt; b</text>'
    """
    pairs = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items() if value is not None)
    opening = "".join(f' {name}="{escape(short(value))}"' for name, value in pairs)
    inner = "".join(escape(child) for child in children)
    return Svg(f"<{tag}{opening}>{inner}</{tag}>" if inner else f"<{tag}{opening}/>")


def group(*children: str, **attributes: object) -> Svg:
    """Children under one `g`."""
    return element("g", *children, **attributes)


def text(x: float, y: float, words: str, class_: str, *, anchor: str | None = None) -> Svg:
    """Words at a place; `anchor` is start (default), middle or end."""
    return element("text", words, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Svg:
    """A straight line."""
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def picture(name: str, title: str, description: str, size: tuple[float, float], *children: str) -> Svg:
    """A whole drawing, which says its title and description to those who cannot see it.

    `name` is unique in the page and made of letters, digits and dashes; `size` is width and height in pixels.
    """
    width, height = size
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *children,
        viewBox=f"0 0 {short(width)} {short(height)}",
        class_="chart",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


@cache
def template(name: str) -> str:
    """The text of a file shipped beside the page's template."""
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def standalone(drawing: Svg) -> Svg:
    """A drawing as a file of its own: with the namespace and the style that a page would give it."""
    style = element("style", Svg(template("charts.css")))
    head, body = drawing.split(">", 1)
    return Svg(f'{head} xmlns="{NAMESPACE}">{style}{body}')
