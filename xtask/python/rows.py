"""What the scripts that compare files with rows have in common."""

import datetime
import json
import sys

TEXT, INT32, INT64, MOMENT, TEXTS, OUTLINKS, TIMES = range(7)

OUTLINK_PARTS = ["url", "text", "rel", "kind"]
TIMES_PARTS = ["queue", "dns", "connect", "tls", "first_byte", "body", "parse"]

# Every column in its order, written down a second time: the files are held against this table.
COLUMNS = [
    ("version", INT32), ("url", TEXT), ("host", TEXT), ("kind", TEXT), ("outcome", TEXT),
    ("status", INT32), ("http_version", TEXT), ("content_type", TEXT), ("charset", TEXT),
    ("wire_bytes", INT64), ("body_bytes", INT64), ("redirect_target", TEXT), ("canonical", TEXT),
    ("title", TEXT), ("description", TEXT), ("language", TEXT), ("robots", TEXT),
    ("digest", TEXT), ("simhash", TEXT), ("duplicate_of", TEXT), ("outlinks", OUTLINKS),
    ("warnings", TEXTS), ("text", TEXT), ("body", TEXT), ("hops", INT32), ("referrer", TEXT),
    ("fetched_at", MOMENT), ("times", TIMES), ("attempts", INT32), ("address", TEXT),
    ("error", TEXT),
]
NAMES = [name for name, _ in COLUMNS]
KINDS = dict(COLUMNS)


def lines(path):
    """The rows of a file of JSON lines."""
    with open(path, encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def moment(text):
    """A moment of a row, with its zone."""
    naive = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return naive.replace(tzinfo=datetime.timezone.utc)


def same(what, found, expected):
    """Ends the script where the two differ."""
    if found != expected or type(found) is not type(expected):
        sys.exit(f"{what}: found {shown(found)}, expected {shown(expected)}")


def shown(value):
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}... ({len(text)} characters)"
