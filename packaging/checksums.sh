#!/usr/bin/env bash
# packaging/checksums.sh: writes target/dist/SHA256SUMS over everything else there, and checks it.
set -euo pipefail
cd "$(dirname "$0")/../target/dist"
sum=(sha256sum)
command -v sha256sum >/dev/null || sum=(shasum -a 256)

rm -f SHA256SUMS
files=(*)
if [ ! -e "${files[0]}" ]; then
    echo "packaging/checksums.sh: target/dist is empty" >&2
    echo "hint: run packaging/archive.sh or packaging/deb.sh first" >&2
    exit 1
fi
sums=$("${sum[@]}" "${files[@]}")
printf '%s\n' "$sums" >SHA256SUMS
"${sum[@]}" -c SHA256SUMS
