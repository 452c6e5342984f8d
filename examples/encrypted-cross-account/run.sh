#!/usr/bin/env bash
# An encrypted queue shared across accounts: who can send, who cannot, and which error tells why.
#
# The set-up and half of the attempts run through the AWS CLI, the other half through boto3, all against a server that
# is started for the purpose. Ends with an error when any attempt ends otherwise than expected.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../server.sh"
start_server
python3 "$here/attempts.py"
