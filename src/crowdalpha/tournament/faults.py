"""What can be wrong with a submission: one row a rule, with the words participants know.

`code: text` is stable: clients of the real tournaments match on it. The sentences of `invalid_submission_headers`,
`_ids`, `_values` and `_eras` are those of numerai-tools and its operator where a rule of theirs exists. [NT]
"""

from __future__ import annotations

from dataclasses import dataclass

from crowdalpha.scoring.problems import Problem


@dataclass(frozen=True, slots=True)
class Fault(Problem):
    """A problem of a submission. `text` is the rule's sentence, `row` the row at fault (0: no single one).

    Rows count as an editor shows them in a CSV, whose header is line 1, and from 1 in a Parquet file.
    """

    text: str = ""
    row: int = 0

    @property
    def message(self) -> str:
        """The stable words: `code: text`."""
        return f"{self.code}: {self.text}"

    @property
    def reason(self) -> str:
        """What was found there."""
        return self.found

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{self.message} ({place}found {self.found}; {self.fix})"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that a submission can break: its code, its sentence, what it asks for, and what to do."""

    code: str
    text: str
    expected: str
    fix: str

    def broken(self, found: str, row: int = 0, **words: object) -> Fault:
        """The fault of breaking this rule; `words` fill the braces of its texts."""
        where = f"row {row}" if row else ""
        expected, text = self.expected.format(**words), self.text.format(**words)
        return Fault(self.code, expected, found, self.fix, where, text, row)


HEADERS = "invalid_submission_headers"
IDS = "invalid_submission_ids"
VALUES = "invalid_submission_values"
FILE = "invalid_submission_file"
ROUND = "invalid_submission_round"
ERAS = "invalid_submission_eras"

LIVE = "download the ids of the open round"
SHRINK = "send one row for each id of the round and nothing else"
AGAIN = "write the file again"

RULES = {
    "headers": Rule(
        HEADERS,
        "headers must be one of {ids} and one of {predictions}",
        "two columns: one of {ids}, then one of {predictions}",
        "rename, reorder or drop columns",
    ),
    "date": Rule(HEADERS, "submission must contain a date column", "a date column", "add the date of every row"),
    "id_kind": Rule(HEADERS, "the round has no ids of this kind", "one of {kinds}", "name ids as the round does"),
    "id_missing": Rule(
        IDS, "Submission must not contain NaNs in the {column} column.", "an id in every row", "fill it in"
    ),
    "id_twice": Rule(
        IDS, "Duplicates detected in {column} for live period.", "each id of the round once", "keep one row for each"
    ),
    "too_few": Rule(
        IDS,
        "Not enough stocks submitted. Are you using the latest live ids or live universe?",
        "{needed} ids of the round",
        LIVE,
    ),
    "id_type": Rule(IDS, "ids must be text or whole numbers", "text or whole numbers", "convert the column to text"),
    "id_long": Rule(IDS, "ids must not be longer than {limit} characters", "at most {limit} characters", LIVE),
    "missing": Rule(VALUES, "submission must not contain NaNs", "a number for each id", "fill it in"),
    "range": Rule(
        VALUES, "values must be between {lowest} and {highest} exclusive", "{lowest} to {highest}", "rank or rescale"
    ),
    "spread": Rule(
        VALUES, "submission must have non-zero standard deviation", "values that differ", "predict something"
    ),
    "numeric": Rule(VALUES, "values must be numeric", "plain numbers, as in 0.5 or 5e-1", "correct the cell"),
    "eras": Rule(ERAS, "Incomplete eras uploaded: {eras}", "{needed} ids of each era", "complete or drop these eras"),
    "no_era": Rule(ERAS, "no era uploaded", "at least one era", "download the validation data"),
    "closed": Rule(ROUND, "Current round not open for submissions", "a round that is open", "see when the next opens"),
    "unknown_round": Rule(ROUND, "no such round", "a round of this tournament", "leave the round out"),
    "nothing": Rule(FILE, "nothing was uploaded", "a file", "upload the file itself"),
    "large": Rule(FILE, "larger than {limit} bytes", "at most {limit} bytes", SHRINK),
    "packed": Rule(FILE, "compressed files and archives are not read", "CSV or Parquet as it is", "unpack it first"),
    "format": Rule(FILE, "only CSV in UTF-8 and Parquet are read", "CSV in UTF-8 or Parquet", "convert the file"),
    "encrypted": Rule(FILE, "encrypted files are not read", "a file without encryption", AGAIN),
    "damaged": Rule(FILE, "the file is damaged", "a whole file", AGAIN),
    "text": Rule(FILE, "the file is not text in UTF-8", "text in UTF-8 without NUL", "save the file as UTF-8"),
    "quote": Rule(FILE, "a quote is never closed", "quotes in pairs", "close the quote"),
    "fields": Rule(
        FILE, "a row has more fields than the header", "{expected} fields in every row", "quote fields with commas"
    ),
    "line": Rule(FILE, "a line is longer than {limit} characters", "lines of at most {limit} characters", SHRINK),
    "rows": Rule(FILE, "more than {limit} rows", "at most {limit} rows", SHRINK),
    "groups": Rule(FILE, "more than {limit} row groups", "at most {limit} row groups", "write larger row groups"),
    "costly": Rule(
        FILE, "the file cannot be read within the limits of time and memory", "a plain table of two columns", AGAIN
    ),
}
"""The rules by the name that code uses for them."""


def broken(rule: str, found: str, row: int = 0, **words: object) -> Fault:
    """The fault of breaking the rule of that name.

    >>> broken("range", "1.2", 7, lowest=0, highest=1).message
    'invalid_submission_values: values must be between 0 and 1 exclusive'
    >>> broken("closed", "round 12, closed at noon").code
    'invalid_submission_round'
    """
    return RULES[rule].broken(found, row, **words)
