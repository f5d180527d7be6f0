#!/usr/bin/env bash
# Locks the requirements again, with hashes and without addresses of package indexes. Needs uv.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
    --no-emit-index-url --no-emit-find-links "$@"
}

compile pyproject.toml --group dev "${@}" --output-file requirements/dev.txt
compile pyproject.toml --constraint requirements/dev.txt --output-file requirements/main.txt
compile requirements/plan.in --constraint requirements/dev.txt --output-file requirements/plan.txt
compile requirements/build.in --output-file requirements/build.txt
