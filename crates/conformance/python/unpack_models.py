"""Writes the AWS service models that botocore carries to a folder, one JSON file per service.

usage: unpack_models.py FOLDER
"""

import gzip
import sys
from pathlib import Path

import botocore

SERVICES = ("iam", "kms", "organizations", "sqs", "sts")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data = Path(botocore.__file__).parent / "data"
    for service in SERVICES:
        # Folders are named by the date of the API's version, so the last one is the newest.
        packed = sorted((data / service).glob("*/service-2.json.gz"))[-1]
        (folder / f"{service}.json").write_bytes(gzip.decompress(packed.read_bytes()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
