"""What pages show, as values: read from the tournament, computed once, with nothing in it that is not public yet.

Before a round is resolved, nothing of it is shown but its times, how many took part and what they have at risk in
all. What belongs to one account is in `accounts`, and handed out to nobody else by those who ask for it.
"""

from __future__ import annotations
