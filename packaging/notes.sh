#!/usr/bin/env bash
# packaging/notes.sh TAG: prints what CHANGELOG.md says of the version that TAG (v0.1.0) names. Fails if Cargo.toml has
# another version, or if the changelog says nothing of this one.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:?name the tag}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)

if [ "$tag" != "v$version" ]; then
    echo "packaging/notes.sh: the tag is $tag, and Cargo.toml has version $version" >&2
    echo "hint: name the tag v$version, or change the version first" >&2
    exit 1
fi
notes=$(awk -v heading="## [$version]" 'index($0, "## ") == 1 { found = index($0, heading) == 1; next } found' CHANGELOG.md)
if [ -z "${notes//[[:space:]]/}" ]; then
    echo "packaging/notes.sh: CHANGELOG.md has no section [$version]" >&2
    echo "hint: name the section [Unreleased] so, with the date" >&2
    exit 1
fi
printf '%s\n' "$notes"
