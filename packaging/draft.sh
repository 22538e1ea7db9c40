#!/usr/bin/env bash
# packaging/draft.sh TAG: makes a draft of a release with everything in target/dist. Needs GitHub's `gh`, signed in.
# untried: it needs a repository on GitHub
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:?name the tag}

notes=$(packaging/notes.sh "$tag")
gh release create "$tag" --draft --verify-tag --title "mmd-elevate ${tag#v}" --notes "$notes" target/dist/*
