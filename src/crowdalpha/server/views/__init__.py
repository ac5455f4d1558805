"""What pages show, as values: read from the tournament, computed once, with nothing in it that is not public yet.

Before a round is resolved, nothing of it is shown but its times, how many took part, what they have at risk and their
scores day by day; nothing that predictions could be had back from. What belongs to one account is in `accounts`, and
handed out to nobody else by those who ask for it.
"""

from __future__ import annotations
