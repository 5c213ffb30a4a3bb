"""compare_parquet.py ROWS.jsonl FILE.parquet ROW_GROUPS_MIN: the file holds these rows, to the
readers pyarrow, DuckDB and polars without any option. Exit code 1 and a message where not."""

import sys

import duckdb
import polars
import pyarrow.parquet

import rows
from rows import COLUMNS, INT32, INT64, KINDS, MOMENT, NAMES, OUTLINKS, TEXT, TEXTS, TIMES, same

ARROW = {
    TEXT: "string", INT32: "int32", INT64: "int64", MOMENT: "timestamp[ms, tz=UTC]",
    TEXTS: "list<element: string not null>",
    OUTLINKS: "list<element: struct<url: string not null, text: string not null, "
    "rel: string not null, kind: string not null> not null>",
    TIMES: "struct<" + ", ".join(f"{part}: double not null" for part in rows.TIMES_PARTS) + ">",
}
DUCKDB = {
    TEXT: "VARCHAR", INT32: "INTEGER", INT64: "BIGINT", MOMENT: "TIMESTAMP WITH TIME ZONE",
    TEXTS: "VARCHAR[]",
    OUTLINKS: "STRUCT(" + ", ".join(f"{p} VARCHAR" for p in rows.OUTLINK_PARTS) + ")[]",
    TIMES: "STRUCT(" + ", ".join(f"{p} DOUBLE" for p in rows.TIMES_PARTS) + ")",
}
POLARS = {
    TEXT: polars.String, INT32: polars.Int32, INT64: polars.Int64,
    MOMENT: polars.Datetime("ms", "UTC"), TEXTS: polars.List(polars.String),
    OUTLINKS: polars.List(polars.Struct({part: polars.String for part in rows.OUTLINK_PARTS})),
    TIMES: polars.Struct({part: polars.Float64 for part in rows.TIMES_PARTS}),
}
DICTIONARIES = {
    "host", "kind", "outcome", "content_type", "charset", "http_version", "language",
}


def expected_values(path):
    """Each row as a list of values in the order of the columns."""
    def value(name, row):
        found = row.get(name)
        if KINDS[name] == MOMENT:
            return rows.moment(found)
        if KINDS[name] == TIMES:
            return {part: float(found[part]) for part in rows.TIMES_PARTS}
        if KINDS[name] == OUTLINKS:
            return [{part: link[part] for part in rows.OUTLINK_PARTS} for link in found]
        return found

    return [[value(name, row) for name in NAMES] for row in rows.lines(path)]


def compare(reader, found, expected):
    same(f"{reader}: rows", len(found), len(expected))
    for number, (row, wanted) in enumerate(zip(found, expected), 1):
        for name, value, want in zip(NAMES, row, wanted):
            same(f"{reader}: row {number}, {name}", value, want)


def by_pyarrow(path, expected, row_groups_min):
    table = pyarrow.parquet.read_table(path)
    same("pyarrow: columns", table.schema.names, NAMES)
    for name, kind in COLUMNS:
        same(f"pyarrow: type of {name}", str(table.schema.field(name).type), ARROW[kind])
    compare("pyarrow", [list(row.values()) for row in table.to_pylist()], expected)
    metadata = pyarrow.parquet.ParquetFile(path).metadata
    same("row version", metadata.metadata[b"nephila.row_version"], b"1")
    if metadata.num_row_groups < row_groups_min:
        sys.exit(f"{metadata.num_row_groups} row groups, expected at least {row_groups_min}")
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            name = column.path_in_schema
            same(f"compression of {name}", column.compression, "ZSTD")
            if name in DICTIONARIES and "RLE_DICTIONARY" not in column.encodings:
                sys.exit(f"{name} has no dictionary: {column.encodings}")
            if name == "url" and not column.statistics.has_min_max:
                sys.exit("url has no statistics")


def by_duckdb(path, expected):
    duckdb.sql(f"CREATE VIEW found AS SELECT * FROM '{path}'")
    for (name, kind), column in zip(COLUMNS, duckdb.sql("DESCRIBE found").fetchall(), strict=True):
        same("DuckDB: column", column[0], name)
        same(f"DuckDB: type of {name}", column[1].replace('"', ""), DUCKDB[kind])
    found = duckdb.sql(
        "SELECT * REPLACE (epoch_ms(fetched_at) AS fetched_at) FROM found"
    ).fetchall()
    at = NAMES.index("fetched_at")
    whole = [
        [*row[:at], round(row[at].timestamp() * 1000), *row[at + 1:]] for row in expected
    ]
    compare("DuckDB", found, whole)
    bloom = duckdb.sql(
        f"SELECT count(*) FROM parquet_metadata('{path}') "
        "WHERE path_in_schema = 'url' AND bloom_filter_offset IS NULL"
    ).fetchall()
    same("row groups without a Bloom filter on url", bloom, [(0,)])
    # The filter must never rule out what is there, and does rule out what is not.
    first = expected[0][NAMES.index("url")]
    for url, excluded in ((first, False), ("http://absent.test/", True)):
        probes = duckdb.execute("SELECT * FROM parquet_bloom_probe(?, 'url', ?)", [path, url])
        found = [row[-1] for row in probes.fetchall()]
        same(f"Bloom filter excludes {url}", found[0], excluded)


def by_polars(path, expected):
    frame = polars.read_parquet(path)
    same("polars: columns", frame.columns, NAMES)
    for name, kind in COLUMNS:
        if frame.schema[name] != POLARS[kind]:
            sys.exit(f"polars: type of {name}: {frame.schema[name]}, expected {POLARS[kind]}")
    compare("polars", frame.rows(), expected)


def main():
    source, path, row_groups_min = sys.argv[1:]
    expected = expected_values(source)
    by_pyarrow(path, expected, int(row_groups_min))
    by_duckdb(path, expected)
    by_polars(path, expected)
    print(f"{len(expected)} rows are the same in pyarrow, DuckDB and polars")


main()
