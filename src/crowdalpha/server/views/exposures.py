"""How much of a model is the features themselves, in the newest round that is resolved.

The sizes are for everybody. The exposures one by one are for the owner: with as many features as ids, they say what the
predictions were.
"""

from __future__ import annotations

from dataclasses import dataclass

from crowdalpha.diagnostics.bars import draw_exposures
from crowdalpha.diagnostics.data import Exposures
from crowdalpha.engine import Engine
from crowdalpha.engine.desk import features_name
from crowdalpha.scoring.exposure import ExposureMetrics, exposure_metrics, exposures
from crowdalpha.server.charts import Chart, Column
from crowdalpha.server.views.memory import Memory
from crowdalpha.server.views.models import ModelView
from crowdalpha.server.views.residuals import Floats, pooled_of, sent_in
from crowdalpha.tournament.evidence import feature_names, features_of, numbers_of
from crowdalpha.tournament.records import Submission
from crowdalpha.tournament.rounds import Round

NAMED = 20


@dataclass(frozen=True, slots=True)
class Exposed:
    """A model in the features of a round, beside the metamodel (None where nobody had a stake)."""

    number: int
    names: tuple[str, ...]
    own: tuple[float, ...]
    sizes: ExposureMetrics
    crowd: ExposureMetrics | None

    @property
    def chart(self) -> Chart:
        """The largest as bars; all of them in the table, the largest first."""
        value = Exposures(self.names, self.own, *_numbers(self.sizes))
        rows = sorted(zip(self.names, self.own, strict=True), key=lambda row: (-abs(row[1]), row[0]))
        some = f"The {NAMED} largest of {len(self.names)} features" if len(self.names) > NAMED else "Every feature"
        return Chart(
            "exposures",
            "Exposure to the features",
            f"Correlation of the predictions with each feature, from −1 to +1. {some}, the largest first.",
            lambda name, width: draw_exposures(value, name=name, width=width),
            (Column("feature"), Column("exposure", "score")),
            tuple(rows),
        )

    @property
    def summary(self) -> tuple[tuple[str, str, float, float | None], ...]:
        """The four sizes: what each is called, what it says, the model's and the metamodel's."""
        crowd = _numbers(self.crowd) if self.crowd else (None,) * 4
        return tuple((*words, own, of) for words, own, of in zip(SIZES, _numbers(self.sizes), crowd, strict=True))


SIZES = (
    ("std", "how much the exposures differ from feature to feature"),
    ("L2", "the length of all of them together; grows with the number of features"),
    ("RMS", "the usual size of one"),
    ("max", "the largest, up or down"),
)


def exposed(engine: Engine, memory: Memory, view: ModelView) -> Exposed | None:
    """The newest resolved round with features that the model took part in; None if there is none."""
    number = _newest_with_features(engine, view)
    if number is None:
        return None
    round, sent, risks = sent_in(engine, number)
    own = next((one for one in sent if one.model == view.model.id), None)
    if own is None:
        return None
    pooled = pooled_of(engine, memory, round, sent, risks)
    return memory.recall(("exposures", own.id), lambda: _exposed(engine, round, own, pooled))


def _newest_with_features(engine: Engine, view: ModelView) -> int | None:
    with engine.store.reading() as work:
        for played in reversed(view.played):
            round = work.get(Round, played.number)
            if round is not None and round.features:
                return played.number
    return None


def _exposed(engine: Engine, round: Round, own: Submission, pooled: Floats | None) -> Exposed:
    content = engine.files.read(features_name(round))
    ranks = numbers_of(engine.files.read(own.predictions))
    features = features_of(content, len(ranks))
    assert features is not None
    values = tuple(exposures(ranks, features).tolist())
    crowd = None if pooled is None else exposure_metrics(pooled, features)
    return Exposed(round.number, feature_names(content), values, exposure_metrics(ranks, features), crowd)


def _numbers(sizes: ExposureMetrics) -> tuple[float, float, float, float]:
    return float(sizes.std), float(sizes.l2), float(sizes.rms), float(sizes.max)
