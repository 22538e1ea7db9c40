#!/usr/bin/env bash
# packaging/generate.sh PROGRAM FOLDER: has the built program write its man pages and completions to FOLDER.
set -euo pipefail
program=$(realpath "${1:?name the built program}")
folder=${2:?name a folder}

rm -rf "$folder"
mkdir -p "$folder/man" "$folder/completions"
"$program" man "$folder/man" >/dev/null
"$program" completions bash >"$folder/completions/mmd-elevate.bash"
"$program" completions zsh >"$folder/completions/_mmd-elevate"
"$program" completions fish >"$folder/completions/mmd-elevate.fish"
