"""Writes the AWS service models that botocore carries to a folder, one JSON file per service.

usage: unpack_models.py FOLDER WHEEL

WHEEL is the older botocore of `requirements-models.txt`; its model of SQS becomes `sqs-query.json`.
"""

import gzip
import sys
import zipfile
from pathlib import Path

import botocore

SERVICES = ("ec2", "iam", "kms", "organizations", "sqs", "sts")


def main(folder: Path, wheel: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data = Path(botocore.__file__).parent / "data"
    for service in SERVICES:
        # Folders are named by the date of the API's version, so the last one is the newest.
        packed = sorted((data / service).glob("*/service-2.json.gz"))[-1]
        (folder / f"{service}.json").write_bytes(gzip.decompress(packed.read_bytes()))
    with zipfile.ZipFile(wheel) as older:
        (folder / "sqs-query.json").write_bytes(older.read("botocore/data/sqs/2012-11-05/service-2.json"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
