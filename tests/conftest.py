"""Hypothesis without a stop-watch: on a busy machine a slow first example is no failure."""

from hypothesis import settings

settings.register_profile("crowdalpha", deadline=None, print_blob=True)
settings.load_profile("crowdalpha")
