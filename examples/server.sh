# Sourced by the examples: starts a server of their own in a temporary folder, and ends it when the script ends.
#
# `BULLA_BIN` names the binary to run; without it the release build is made. The AWS CLI and boto3 come from `.dev/`,
# which `cargo xtask setup` fills.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ -x "$project/.dev/venv/bin/aws" ] || (cd "$project" && cargo xtask setup) >&2
if [ -z "${BULLA_BIN:-}" ]; then
  (cd "$project" && cargo build --release --package bulla-server) >&2
  BULLA_BIN=${CARGO_TARGET_DIR:-$project/target}/release/bulla
fi
export PATH=$project/.dev/venv/bin:$PATH

# Settings of the caller's must not lead the clients elsewhere.
for name in $(compgen -e | grep -E '^AWS_' || true); do unset "$name"; done
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1

# For SQS, version 1 of the AWS CLI puts the public endpoint before AWS_ENDPOINT_URL, but not before this option.
aws() {
  command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"
}

# Starts the server with the given further options; exports what its first start prints.
start_server() {
  folder=$(mktemp -d)
  trap stop_server EXIT
  "$BULLA_BIN" serve --listen 127.0.0.1:0 --data "$folder/data" --root-key-file "$folder/root.key" "$@" \
    >"$folder/output" 2>"$folder/log" &
  server=$!
  for _ in $(seq 300); do
    grep -q '^bulla is ready on ' "$folder/output" && break
    kill -0 "$server" 2>/dev/null || { cat "$folder/output" "$folder/log" >&2; exit 1; }
    sleep 0.1
  done
  ready=$(grep '^bulla is ready on ' "$folder/output") || { echo "error: the server did not become ready" >&2; exit 1; }
  eval "$(grep -oE 'export AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|CA_BUNDLE)=.*' "$folder/output")"
  AWS_ENDPOINT_URL=$(grep -oE 'https://[^ ]+' <<<"$ready")
  HTTP_ENDPOINT_URL=$(grep -oE 'http://[^ ]+' <<<"$ready")
  export AWS_ENDPOINT_URL HTTP_ENDPOINT_URL
}

stop_server() {
  status=$?
  kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true
  [ "$status" = 0 ] || tail -n 20 "$folder/log" >&2
  rm -rf "$folder"
  exit "$status"
}
