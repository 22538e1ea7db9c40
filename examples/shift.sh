#!/bin/sh
# A shift without the screen, as a ticket system may do it: opens a request, and closes it when the work is done. Where the
# outcome of the create is unknown, it looks until that is known, and opens no second one.
#
#     examples/shift.sh TICKET DEVICE
#
# PROGRAM names the program, PAUSE the seconds between two looks, DO_WORK a command that does the work.
set -u
program=${PROGRAM:-mmd-elevate}

# Outcome, id, intent, ticket, device and title stand on one line, separated by two blanks.
field() {
    printf '%s\n' "$result" | awk -F '  ' -v field="$1" '{ print $field }'
}

result=$("$program" create --plain --ticket "$1" --device "$2" --title 'Excel add-in crashes' \
    --category Office --subcategory Excel --plan 'Remove the add-in and test with the user')
code=$?
looks=0
while [ "$code" -eq 6 ] && [ "$looks" -lt 10 ]; do
    sleep "${PAUSE:-60}"
    result=$("$program" resolve --plain "$(field 3)")
    code=$?
    looks=$((looks + 1))
done
if [ "$code" -ne 0 ]; then
    echo "not opened, or not known: exit code $code" >&2
    exit "$code"
fi
id=$(field 2)
echo "opened $id"

${DO_WORK:-true} || exit 1

# Closing again is harmless, so that any failure of the service may be tried again.
tries=0
while :; do
    printf 'Removed the add-in. The user has tested it.\n' | "$program" close --plain "$id" --actions -
    code=$?
    tries=$((tries + 1))
    case $code in
        6 | 7) [ "$tries" -lt 10 ] && sleep "${PAUSE:-60}" && continue ;;
    esac
    exit "$code"
done
