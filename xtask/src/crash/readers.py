"""Reads one file a line of standard input, `FORM<tab>PATH`, until that ends.

Answers with a JSON value a line (a row of a Parquet file, a record of a WARC file), and then with
a line `.`, or with a line `!` and what is wrong.
"""

import json
import sys

import pyarrow.parquet
import warcio.archiveiterator

COLUMNS = ["url", "kind", "outcome", "status", "digest", "hops"]


def parquet(path):
    # memory_map is off: the file may be removed while it is read.
    yield from pyarrow.parquet.ParquetFile(path).read(columns=COLUMNS).to_pylist()


def warc(path):
    with open(path, "rb") as file:
        for record in warcio.archiveiterator.ArchiveIterator(file, check_digests="raise"):
            record.content_stream().read()
            headers = record.rec_headers
            yield {"kind": record.rec_type, "url": headers.get_header("WARC-Target-URI") or ""}


FORMS = {"parquet": parquet, "warc": warc}

for line in sys.stdin:
    form, path = line.rstrip("\n").split("\t", 1)
    try:
        for value in FORMS[form](path):
            print(json.dumps(value))
        print(".", flush=True)
    except Exception as error:
        print("!" + repr(error).replace("\n", " "), flush=True)
