#!/usr/bin/env bash
# Least privilege on an encrypted queue: policies from an intent, attached, and tried from their allowed and their
# denied side through the AWS CLI and boto3. Ends with an error when any attempt ends otherwise than expected.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../server.sh"
start_server
export BULLA_BIN POLICIES=$folder/policies
python3 "$here/attempts.py"
