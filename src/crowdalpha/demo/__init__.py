"""The shipped real data and the crowds that play on it: `crowdalpha.demo.flusight` and `crowdalpha.demo.equities`.

Nothing heavy is imported until a crowd is asked for.
"""
