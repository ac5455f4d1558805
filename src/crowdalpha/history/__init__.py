"""A history of eras on disk, ranked once, and scored again whenever a rule or an era changes.

`packing` makes one of tables, `filling` scores it, era by era, on whatever executor it is given; `sharding` spreads a
single huge round over the workers.
"""

from crowdalpha.history.eras import PackedEra, packed_eras, write_era
from crowdalpha.history.filling import Backfill, backfill
from crowdalpha.history.rule import Rule
from crowdalpha.history.sharding import score_sharded

__all__ = ["Backfill", "PackedEra", "Rule", "backfill", "packed_eras", "score_sharded", "write_era"]
