"""compare_csv.py ROWS.jsonl FILE.csv [FORMULAS_MIN]: the file holds these rows, to Python's csv and to DuckDB.
Exit code 1 and a message where not."""

import csv
import json
import sys
import unicodedata

import duckdb

import rows
from rows import INT32, INT64, KINDS, NAMES, OUTLINKS, TEXTS, TIMES, same

FORMULA = set("=+-@\t\r\n＝＋－＠")
DROPPED = set("\"'\ufeff\u200b\u200c\u200d\u200e\u200f\u2060")


def is_formula(text):
    """Whether a spreadsheet may run it, said a second time."""
    for character in text:
        if character in FORMULA:
            return True
        if character in DROPPED or character.isspace() or unicodedata.category(character) == "Cc":
            continue
        return False
    return False


def expected_rows(path):
    """Each row as cells: None, text, or for numbers and JSON the value itself."""
    def cell(name, row):
        value = row.get(name)
        if isinstance(value, str) and is_formula(value):
            return "'" + value
        return value

    return [[cell(name, row) for name in NAMES] for row in rows.lines(path)]


def compare(reader, found, expected, null):
    same(f"{reader}: rows", len(found), len(expected))
    for number, (row, wanted) in enumerate(zip(found, expected), 1):
        same(f"{reader}: cells of row {number}", len(row), len(NAMES))
        for name, value, want in zip(NAMES, row, wanted):
            if value is not None and want is not None:
                if KINDS[name] in (INT32, INT64):
                    value = int(value)
                elif KINDS[name] in (TEXTS, OUTLINKS, TIMES):
                    value = json.loads(value)
            same(f"{reader}: row {number}, {name}", value, null if want is None else want)


def by_python(path, expected):
    csv.field_size_limit(1 << 30)
    with open(path, encoding="utf-8", newline="") as file:
        header, *found = list(csv.reader(file, strict=True))
    same("csv: header", header, NAMES)
    compare("csv", found, expected, "")


def by_duckdb(path, expected):
    found = duckdb.sql(
        f"SELECT * FROM read_csv('{path}', all_varchar = true, header = true, delim = ',', "
        "quote = '\"', escape = '\"', allow_quoted_nulls = false, max_line_size = 67108864, "
        "buffer_size = 268435456, auto_detect = false, new_line = '\\n', parallel = false, "
        "columns = {" + ", ".join(f"'{name}': 'VARCHAR'" for name in NAMES) + "})"
    ).fetchall()
    compare("DuckDB", found, expected, None)


def main():
    source, path, *rest = sys.argv[1:]
    formulas_min = int(rest[0]) if rest else 0
    expected = expected_rows(source)
    by_python(path, expected)
    by_duckdb(path, expected)
    guarded = sum(
        isinstance(cell, str) and cell.startswith("'") and is_formula(cell[1:])
        for row in expected for cell in row
    )
    if guarded < formulas_min:
        sys.exit(f"{guarded} cells of these rows are formulas: too few are tested")
    print(f"{len(expected)} rows are the same in csv and DuckDB, {guarded} cells guarded")


main()
