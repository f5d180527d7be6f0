#!/usr/bin/env bash
# Makes a virtual environment with locked packages and this checkout of mlci in it.
# Usage: setup.sh [main|dev] [FOLDER] [PYTHON]      (default: main .venv python3)
set -euo pipefail
cd "$(dirname "$0")/.."
lock="requirements/${1:-main}.txt"
folder="${2:-.venv}"
python="${3:-python3}"

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "mlci needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1)" >&2
  exit 2
}
stamp="$("$python" --version) $(cat "$lock" pyproject.toml | cksum)"
if [ "$(cat "$folder/.mlci-setup" 2>/dev/null)" = "$stamp" ]; then
  exit 0
fi
echo "setting up $folder (a few minutes the first time)" >&2
unset UV_SYSTEM_PYTHON UV_PYTHON VIRTUAL_ENV
export UV_PYTHON_DOWNLOADS=never
[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
# uv installs these packages ten times faster than pip; its version is part of the lock's meaning.
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "uv==0.13.9"
"$folder/bin/uv" pip install --quiet --python "$folder/bin/python" --require-hashes --compile-bytecode -r "$lock"
"$folder/bin/uv" pip install --quiet --python "$folder/bin/python" --no-deps --editable .
echo "$stamp" > "$folder/.mlci-setup"
