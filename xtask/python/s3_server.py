"""s3_server.py BUCKET...: an S3 of moto's on a free port of 127.0.0.1 with these buckets.

Prints its endpoint on a line. Then, for each line on standard input: `fetch BUCKET KEY FILE` stores
the object's bytes in the file by boto3, `keys BUCKET` and `uploads BUCKET` list objects and
unfinished uploads; each is answered with one line of JSON. Ends with its standard input."""

import json
import logging
import sys

import boto3
from moto.server import ThreadedMotoServer


def answer(s3, command, bucket, rest):
    if command == "fetch":
        key, path = rest
        s3.download_file(bucket, key, path)
        return True
    if command == "keys":
        found = s3.list_objects_v2(Bucket=bucket)
        return [entry["Key"] for entry in found.get("Contents", [])]
    found = s3.list_multipart_uploads(Bucket=bucket)
    return [entry["Key"] for entry in found.get("Uploads", [])]


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    s3 = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
    )
    for bucket in sys.argv[1:]:
        s3.create_bucket(Bucket=bucket)
    print(endpoint, flush=True)
    for line in sys.stdin:
        command, bucket, *rest = line.split()
        print(json.dumps(answer(s3, command, bucket, rest)), flush=True)
    server.stop()


main()
