"""Tables in, eras of arrays out: reading files, aligning tables of any library, and handing scores back."""
