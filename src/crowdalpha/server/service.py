"""The service: every verb that a face of the server has, once. Faces translate, and know no rule of the tournament.

    service = Service(engine, settings)
    who = service.people.by_token("Token ada$secret", service.now())
    service.submissions.submit(who, model, content, filename="live.csv")

Each verb takes the caller first, who carries the time of the request. It raises `Refusal`, or what `catalogue.told`
makes one of; ownership and scopes are looked at here and nowhere else. Results are records, or small frozen
dataclasses of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from crowdalpha.engine import Engine
from crowdalpha.server.callers import Caller, anybody
from crowdalpha.server.datasets import Datasets
from crowdalpha.server.diagnostics import Diagnostics
from crowdalpha.server.downloads import Downloads
from crowdalpha.server.models import Models
from crowdalpha.server.notices.verbs import Notices
from crowdalpha.server.office import Office, utc_now
from crowdalpha.server.people import People
from crowdalpha.server.refusals import Refusals
from crowdalpha.server.results import Results
from crowdalpha.server.rounds import Rounds
from crowdalpha.server.signing import key_from
from crowdalpha.server.staking import Staking
from crowdalpha.server.standings import Standings
from crowdalpha.server.submissions import Submissions
from crowdalpha.settings import Settings
from crowdalpha.settings.opening import read_secret

__all__ = ["Caller", "Service", "anybody"]


class Service:
    """A tournament as its server sees it.

    `people` come in and have accounts and tokens, `rounds` are what they play, `models` what they play with,
    `submissions` what they send, `staking` what they put on it, `results` and `standings` what comes
    of it; `datasets` are what they work with, `downloads` links to those and to what they sent, `diagnostics` what
    their predictions of past eras are worth; `notices` what they are told, `refusals` what of theirs was not taken.
    """

    def __init__(self, engine: Engine, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        office = Office(engine, settings, clock, key_from(read_secret(settings.secret)))
        self.engine, self.settings, self.office = engine, settings, office
        self.people, self.rounds, self.models = People(office), Rounds(office), Models(office)
        self.submissions, self.staking, self.results = Submissions(office), Staking(office), Results(office)
        self.datasets, self.standings = Datasets(office), Standings(office)
        self.notices, self.refusals = Notices(office), Refusals(office)
        self.diagnostics = Diagnostics(office)
        self.downloads = Downloads(office, self.submissions, self.datasets)

    def now(self) -> datetime:
        """The time, to be taken once a request."""
        return self.office.clock()
