"""Hypothesis without a stop-watch: on a busy machine a slow first example is no failure."""

from hypothesis import Phase, settings

settings.register_profile("crowdalpha", deadline=None, print_blob=True)
settings.register_profile(  # of `make mutants`: the same examples for every mutant, and no time spent on shrinking
    "mutants", deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("crowdalpha")
