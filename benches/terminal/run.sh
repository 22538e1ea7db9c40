#!/usr/bin/env bash
# benches/terminal/run.sh [SCENARIOS [OPTION...]]: measures the program in a pseudo-terminal, in turns with the floor: a program that
# shows a comparable screen with the same library and does nothing else. SCENARIOS is `all`, or a list such as `start,keys`;
# the options are those of ttybench.py beside it. Needs Linux, Python and pyte (`pip install pyte`).
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! python3 -c 'import pyte' 2>/dev/null; then
    echo "skipped: pyte is not there; hint: pip install pyte" >&2
    exit 0
fi
cargo build --release --locked --quiet
cargo build --release --locked --quiet --manifest-path benches/terminal/peers/Cargo.toml

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
# About 300 closed requests of colleagues, who then do nothing more.
program="$PWD/target/release/mmd-elevate --practice --state-dir"
MMD_ELEVATE_PRACTICE_COLLEAGUES=true $program "$home/prepared" list --quiet >/dev/null
python3 benches/terminal/ttybench.py "${1:-all}" \
    --name ours --cmd "$program $home/state" --before "rm -rf $home/state && cp -r $home/prepared $home/state" --ready 'Tenant [1-9]' --pre '4 until:Closed\\s[1-9]' --keys 'Down*10 Up*10' \
    --burst-pre 'n' --quit 'q' --env "HOME=$home" --env MMD_ELEVATE_PRACTICE_COLLEAGUES=false \
    --vs-name floor --vs "$PWD/benches/terminal/peers/target/release/floor" --vs-ready 'REQ-0000' --vs-pre '' \
    --vs-burst-pre 'i' --vs-quit 'q' "${@:2}"
