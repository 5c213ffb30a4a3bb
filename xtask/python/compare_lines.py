"""compare_lines.py ROWS.jsonl FILE: the file (.jsonl, .jsonl.gz or .jsonl.zst) holds the same bytes,
to Python's gzip and to pyarrow's zstd, and DuckDB reads its rows. Exit code 1 where not."""

import gzip
import sys

import duckdb
import pyarrow

from rows import same


def content(path):
    if path.endswith(".gz"):
        with gzip.open(path) as file:
            return file.read()
    if path.endswith(".zst"):
        with pyarrow.input_stream(path, compression="zstd") as file:
            return file.read()
    with open(path, "rb") as file:
        return file.read()


def main():
    source, path = sys.argv[1:]
    with open(source, "rb") as file:
        expected = file.read()
    same("bytes", content(path), expected)
    found = duckdb.sql(
        f"SELECT count(DISTINCT url) FROM read_json('{path}', format = 'newline_delimited', "
        "columns = {url: 'VARCHAR'}, maximum_object_size = 67108864)"
    ).fetchall()
    same("DuckDB: rows", found, [(expected.count(b"\n"),)])
    print(f"{len(expected)} bytes are the same")


main()
