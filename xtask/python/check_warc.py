"""check_warc.py CRAWL_DIRECTORY...: the WARC files of a crawl pass warcio's and FastWARC's checks,
hold each answer of the rows (pages/*.jsonl) once with its status and length, and their CDXJ leads to
each. Exit code 1 and a message where not."""

import glob
import json
import os
import subprocess
import sys

from fastwarc.warc import ArchiveIterator, WarcRecordType
from rows import same

# Outcomes of answers that came whole.
WHOLE = {"fetched", "redirected", "http_error", "not_modified", "too_many_redirects"}


def dechunked(body):
    out, rest = b"", body
    while True:
        line, rest = rest.split(b"\r\n", 1)
        size = int(line.split(b";")[0], 16)
        if size == 0:
            return out
        out, rest = out + rest[:size], rest[size + 2 :]


def records(path):
    """Each record with what a reader that checks digests says of it."""
    found = []
    stream = open(path, "rb")
    for record in ArchiveIterator(stream, parse_http=False, strict_mode=True):
        if record.record_type != WarcRecordType.revisit:
            same(f"{path}: {record.record_id}: block digest", record.verify_block_digest(), True)
        content = record.reader.read()
        found.append((record.record_type, dict(record.headers.items()), content))
    return found


def response(content, has_body):
    """Status and bytes of the body without chunk framing; a revisit has the head alone."""
    head, body = content.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    names = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:]}
    if has_body and names.get("transfer-encoding", "").lower() == "chunked":
        body = dechunked(body)
    return int(lines[0].split()[1]), len(body)


def check_with_warcio(path):
    # warcio reads no zstd.
    if path.endswith(".zst"):
        return
    command = [sys.executable, "-m", "warcio.cli", "check", "-v", path]
    done = subprocess.run(command, capture_output=True, text=True)
    wrong = [line for line in done.stdout.splitlines() if "fail" in line.lower()]
    same(f"warcio check {path}: {done.stdout[:400]}{done.stderr[:400]}", (done.returncode, wrong), (0, []))


def check_index(path, offsets):
    index = os.path.splitext(path[: path.index(".warc")])[0] + ".cdxj"
    with open(index, encoding="utf-8") as file:
        lines = file.read().splitlines()
    same(f"{index}: sorted", lines, sorted(lines))
    for line in lines:
        entry = json.loads(line.split(" ", 2)[2])
        stream = open(path, "rb")
        stream.seek(int(entry["offset"]))
        record = next(iter(ArchiveIterator(stream, parse_http=False)))
        same(f"{index}: {line}", record.headers["WARC-Target-URI"], entry["url"])
    same(f"{index}: lines", len(lines), offsets)


def check(directory):
    rows = {}
    for path in sorted(glob.glob(f"{directory}/pages/*.jsonl")):
        with open(path, encoding="utf-8") as file:
            for row in map(json.loads, file):
                if row["kind"] == "page" and row["outcome"] in WHOLE and row["digest"]:
                    rows[row["url"]] = row
    answers, revisits, bodies = {}, 0, set()
    paths = sorted(glob.glob(f"{directory}/warc/*.warc.*"))
    same("files", bool(paths), True)
    for path in paths:
        check_with_warcio(path)
        found = records(path)
        same(f"{path}: begins with", found[0][0], WarcRecordType.warcinfo)
        same(f"{path}: its name", found[0][1]["WARC-Filename"], os.path.basename(path))
        count = 0
        for kind, headers, content in found:
            url = headers.get("WARC-Target-URI")
            count += kind in (WarcRecordType.response, WarcRecordType.revisit)
            if kind == WarcRecordType.response:
                bodies.add(url)
            if kind == WarcRecordType.revisit:
                revisits += 1
                same(f"{url}: refers to a response", headers["WARC-Refers-To-Target-URI"] in bodies, True)
            elif kind != WarcRecordType.response:
                continue
            if url in rows:
                same(f"{url}: answers", url in answers, False)
                answers[url] = response(content, kind == WarcRecordType.response)
        check_index(path, count)
    same("archived URLs", sorted(answers), sorted(rows))
    for url, (status, length) in answers.items():
        same(f"{url}: status", status, rows[url]["status"])
        if url in bodies:
            same(f"{url}: bytes", length, rows[url]["wire_bytes"])
    print(f"{directory}: {len(paths)} files, {len(answers)} answers, {revisits} revisits")


for crawl in sys.argv[1:]:
    check(crawl)
