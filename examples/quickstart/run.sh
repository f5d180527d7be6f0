#!/usr/bin/env bash
# Sets up mlci in this checkout and runs the whole pipeline of this example.
set -euo pipefail
cd "$(dirname "$0")"
bash ../../scripts/setup.sh main
exec ../../.venv/bin/mlci run "$@"
