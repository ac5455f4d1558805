"""The tournament's rules: rounds, stakes, money and proof, as pure functions that know no disk, no wire, no clock."""
