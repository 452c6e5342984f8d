#!/usr/bin/env bash
# Least privilege on an encrypted queue: policies from an intent, attached, and tried from their allowed and their
# denied side through the AWS CLI and boto3. Ends with an error when any attempt ends otherwise than expected.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../server.sh"
# VPC endpoints listen in a subnet: an address of this machine and some ports.
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
export VPC_ID=vpc-0a1b2c3d
start_server --subnet "subnet-0a1b2c3d,vpc=$VPC_ID,address=127.0.0.1,ports=$port-$((port + 3))"
export BULLA_BIN POLICIES=$folder/policies
python3 "$here/attempts.py"
