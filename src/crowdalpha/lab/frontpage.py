"""A search as a page: every design as a dot, the front as a table, in one file that loads nothing."""

from __future__ import annotations

from collections.abc import Sequence

from crowdalpha.diagnostics.axes import Frame, Scale, cross_grid, extent, value_grid
from crowdalpha.diagnostics.formats import plain, signed, signed_percent
from crowdalpha.diagnostics.report import both_widths
from crowdalpha.diagnostics.svg import Svg, element, group, picture, template, text
from crowdalpha.lab.tuning import Candidate, Tuned

SMALL, LARGE = 4.0, 13.0
INTRO = (
    "Every dot is a payout design with its bags, measured on the same simulated crowds. Further up, the metamodel "
    "gained more while stakes followed payouts; further left, attacks may earn less; larger, honest models are paid "
    "more steadily. Filled dots are the front: no design is better than one of them by everything that was wanted. "
    "Pick from these. Red dots are designs that an attack surely milks: do not pick them."
)
END = "All crowds and stakes are simulated. This page is one file and loads nothing."
HEADS = (
    "#",
    "Design",
    "Bags",
    "Metamodel gains",
    "99% interval",
    "Attack may earn",
    "by",
    "Honest Sharpe",
    "Swing",
    "",
)


def front_page(tuned: Tuned, title: str, says: str) -> str:
    """The page of a search as one HTML document."""
    styles = Svg(template("page.css") + template("charts.css"))
    head = [
        Svg('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Svg('<meta name="color-scheme" content="light dark">'),
        element("title", title),
        element("style", styles),
    ]
    chart = both_widths(draw_front, tuned, "front")
    body = [
        element("header", element("p", "Payout designs, searched", class_="eyebrow"), element("h1", title),
                element("p", says, class_="intro")),
        element("main", element("section", element("h2", "What is left to choose from"), element("p", INTRO),
                                element("div", chart, class_="card"), _table(tuned)), id="main"),
        element("footer", element("p", END)),
    ]  # fmt: skip
    return "<!doctype html>\n" + element("html", element("head", *head), element("body", *body), lang="en")


def draw_front(tuned: Tuned, *, name: str, width: int = 1040, height: int = 520) -> Svg:
    """Every candidate as a dot, those of the front filled and numbered as in the table."""
    frame = Frame(58, 16, width - 14, height - 52)
    shown = sorted(tuned.candidates, key=lambda each: each in tuned.front)
    x = Scale(*extent((_attack(each) for each in shown), margin=0.06), frame.left, frame.right)
    y = Scale(*extent((_gain(each) for each in shown), margin=0.08), frame.bottom, frame.top)
    most = max((each.figures["steady"] for each in shown), default=0.0)
    dots = [_dot(each, x, y, most, each in tuned.front) for each in shown]
    middle = (frame.top + frame.bottom) / 2
    return picture(
        name,
        "Payout designs by what attacks may earn and what the metamodel gains",
        describe(tuned),
        (width, height),
        value_grid(y, frame),
        cross_grid(x, frame, about=6 if width > 600 else 4),
        group(*dots),
        group(*(_number(k, each, x, y) for k, each in enumerate(tuned.front, 1))),
        text((frame.left + frame.right) / 2, height - 8, "an attack may earn, in swings →", "axis", anchor="middle"),
        element("text", "the metamodel's Sharpe ratio gains →", class_="axis", text_anchor="middle",
                transform=f"translate(11 {middle:.0f}) rotate(-90)"),
    )  # fmt: skip


def describe(tuned: Tuned) -> str:
    """What the search found, in sentences."""
    milked = sum(not each.safe for each in tuned.candidates)
    said = f"{len(tuned.candidates)} designs, {len(tuned.front)} on the front, {milked} surely milked by an attack."
    best = max(tuned.safe, key=_gain, default=None)
    return said if best is None else f"{said} The safe one whose metamodel gains most: {best.design}."


def _dot(each: Candidate, x: Scale, y: Scale, most: float, first: bool) -> Svg:
    size = SMALL + (LARGE - SMALL) * max(each.figures["steady"], 0.0) / most if most > 0 else SMALL
    told = element("title", f"{each.design}, {_bags(each)}: {'; '.join(_words(each)[3:])}")
    style = f"dot {'plus' if each.safe else 'minus'}{'' if first else ' hollow'}"
    return element("circle", told, cx=x(_attack(each)), cy=y(_gain(each)), r=size, class_=style)


def _number(k: int, each: Candidate, x: Scale, y: Scale) -> Svg:
    return text(x(_attack(each)), y(_gain(each)) - LARGE - 3, str(k), "label halo", anchor="middle")


def _table(tuned: Tuned) -> Svg:
    heads = element("tr", *(element("th", head, scope="col") for head in HEADS))
    rows = [
        element("tr", *(element("td", cell) for cell in (str(k), *_words(each))))
        for k, each in enumerate(tuned.front, 1)
    ]
    table = element("table", element("thead", heads), element("tbody", *rows))
    return element("div", element("div", table, class_="sweep", tabindex=0), class_="card")


def _words(each: Candidate) -> Sequence[str]:
    """The cells of a row: the design, its bags, its figures, and who milks it."""
    low, high = each.between["metamodel"]
    return (
        str(each.design),
        _bags(each),
        signed(_gain(each)),
        f"{signed(low)} to {signed(high)}",
        signed(_attack(each)),
        each.attacker,
        plain(each.figures["steady"]),
        signed_percent(each.swing),
        f"milked by {', '.join(each.convicted)}" if each.convicted else "safe",
    )


def _bags(each: Candidate) -> str:
    return f"{each.bagging.bags} of {each.bagging.fraction:g}"


def _attack(each: Candidate) -> float:
    return each.figures["attack"]


def _gain(each: Candidate) -> float:
    return each.figures["metamodel"]
