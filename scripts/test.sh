#!/usr/bin/env bash
# Sets up and runs every check of mlci: style, types, layers, generated files, fast tests on the newest
# Python of this machine, and all tests on its default one. Options are passed on to the last pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE # without compiled bytecode every process of a test compiles everything again

bash scripts/setup.sh dev .venv python3
bin="$PWD/.venv/bin"
"$bin/ruff" format --check --quiet .
"$bin/ruff" check --quiet .
"$bin/mypy"
"$bin/lint-imports" --no-logo
"$bin/python" -m mlci.sync --check

# The oldest and the newest Python that mlci supports: one of them is the default one, or both are others.
find_python() {
  for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
    # A pyenv shim may stand for a version that is not switched on: ask it, do not only look for it.
    if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}
main="$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
for version in 3.11 3.13; do
  python="$(find_python "$version")"
  if [ "$version" != "$main" ] && [ -n "$python" ]; then
    bash scripts/setup.sh dev ".venv-$version" "$python"
    ".venv-$version/bin/python" -m pytest -q -m "not slow" -p no:cacheprovider tests/unit tests/golden tests/house
  fi
done
# What users get on GitHub and GitLab, run by real runners; they are not packages of this project. Tests that
# really install mlci take their time, and come with the rest.
tools="${SURFACES_TOOLS:-.venv-surfaces}"
bash scripts/setup_surfaces.sh "$tools" "$bin/python"
SURFACES_TOOLS="$(cd "$tools" && pwd)"
export SURFACES_TOOLS
"$bin/python" -m pytest -q -n 2 --dist loadfile -m "surfaces and not slow" tests/surfaces
exec "$bin/python" -m pytest -n 2 --dist loadfile -m "not surfaces or slow" "$@"
