#!/usr/bin/env bash
# benches/instructions.sh [PROGRAM]: prints how many instructions the program (default: the release build) executes in its own
# threads, as valgrind counts them: they tell two builds apart on a busy machine, where times do not. The system's part is not
# counted. It is no test: the numbers depend on the compiler and the processor's features. What waits for something (the
# dashboard, a create) varies from run to run, so the least of three runs is printed.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath -m "${1:-target/release/mmd-elevate}")
if ! command -v valgrind >/dev/null; then
    echo "skipped: valgrind is not installed"
    exit 0
fi
if ! [ -x "$program" ]; then
    echo "benches/instructions.sh: there is no $program" >&2
    echo "hint: cargo build --release --locked" >&2
    exit 1
fi
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

# Nothing but what is set here reaches the program.
environment=(env -i "PATH=$PATH" "HOME=$home" TERM=xterm-256color LANG=C.UTF-8 MMD_ELEVATE_PRACTICE_COLLEAGUES=false)
valgrind=(valgrind --tool=callgrind --callgrind-out-file=/dev/null "--log-file=$home/log")

# count NAME COMMAND...: the least of three runs, each with an empty state folder.
count() {
    local name=$1 least="" counted
    shift
    for _ in 1 2 3; do
        rm -rf "$home/state" "$home/log"
        if ! "$@" >"$home/output" 2>&1 </dev/null || ! [ -s "$home/log" ]; then
            echo "benches/instructions.sh: $name failed" >&2
            cat "$home/output" "$home/log" >&2 || true
            exit 1
        fi
        counted=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$home/log")
        if [ -z "$least" ] || [ "$counted" -lt "$least" ]; then
            least=$counted
        fi
    done
    printf '%-24s %12d\n' "$name" "$least"
}

create=(create --practice --dry-run --state-dir "$home/state" --ticket INC-1 --device MMD-00000000999
    --title "Excel crashes" --category Office --subcategory Excel --plan "Start Excel as administrator")
count version "${environment[@]}" "${valgrind[@]}" "$program" --version
count "create --dry-run" "${environment[@]}" "${valgrind[@]}" "$program" "${create[@]}"

# From the start to the first frame and the end: q is typed ahead.
if command -v script >/dev/null; then
    dashboard() {
        local command
        command=$(printf '%q ' "${valgrind[@]}" "$program" --practice --state-dir "$home/state")
        printf q | "${environment[@]}" SHELL=/bin/sh timeout 60 script --quiet --return --command "$command" /dev/null
    }
    count "dashboard, then q" dashboard
else
    echo "skipped: the dashboard, because script (util-linux) is not installed"
fi
