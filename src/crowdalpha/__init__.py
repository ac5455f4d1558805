"""crowdalpha: what each model adds to the stake-weighted crowd."""
