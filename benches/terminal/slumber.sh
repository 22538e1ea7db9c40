#!/usr/bin/env bash
# benches/terminal/slumber.sh: measures the program in turns with slumber, a terminal program with a collection of 200 requests.
# slumber is taken from the path: `cargo install slumber --version 5.4.0 --locked`.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! command -v slumber >/dev/null; then
    echo "skipped: slumber is not there; hint: cargo install slumber --version 5.4.0 --locked" >&2
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
    printf 'profiles:\n  local:\n    data:\n      host: http://127.0.0.1:9\nrequests:\n'
    for number in $(seq -f '%04g' 0 199); do
        printf '  req%s:\n    name: REQ-%s\n    method: POST\n' "$number" "$number"
        printf '    url: "http://127.0.0.1:9/things/%s"\n    body:\n      type: json\n      data: {"id": "%s"}\n' "$number" "$number"
    done
} >"$folder/slumber.yml"
benches/terminal/run.sh start,keys,mem --runs 10 --nkeys 60 \
    --vs-name slumber --vs "$(command -v slumber) -f $folder/slumber.yml" --vs-ready REQ-0 --vs-env "HOME=$folder"
