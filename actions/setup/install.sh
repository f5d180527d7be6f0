#!/usr/bin/env bash
# Installs mlci from the checkout that this script is part of, so that action and program cannot drift apart.
#
#   install.sh               in an environment apart, or in that of MLCI_PYTHON; not at all when MLCI_INSTALL is false
#   install.sh add-to-path   the same, and puts the command (nothing else) on the PATH of later steps
set -euo pipefail
# shellcheck source=actions/setup/place.sh
source "$(dirname "${BASH_SOURCE[0]}")/place.sh"

# These would send the packages to another place than the environment that is meant.
unset UV_SYSTEM_PYTHON UV_PYTHON UV_PROJECT_ENVIRONMENT PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

locked="$root/requirements/main.txt"
build_locked="$root/requirements/build.txt"

main() {
  if [ -n "${MLCI_INSTALL:-}" ] && ! is_true MLCI_INSTALL; then
    use_existing
  elif [ -n "${MLCI_PYTHON:-}" ]; then
    install_into_project
  else
    install_apart
  fi
  if [ "${1:-}" = add-to-path ]; then
    add_to_path
  fi
}

use_existing() {
  if [ -z "${MLCI_PYTHON:-}" ] && ! command -v mlci > /dev/null; then
    give_up "$usage" "install is false and there is no mlci on PATH" "install it before, or leave install out"
  fi
}

install_into_project() {
  if ! is_new_enough "$MLCI_PYTHON"; then
    give_up "$usage" "'$MLCI_PYTHON' is not a Python of version 3.11 or newer" "see the input mlci-python"
  fi
  # The project's own versions of its packages count here, so nothing is locked.
  group "Install mlci into the environment of $MLCI_PYTHON"
  install_with "$MLCI_PYTHON" "$root"
  end_group
}

install_apart() {
  if [ -e "$home/.complete" ]; then
    return
  fi
  group "Install mlci in an environment apart"
  rm -rf "$home"
  make_environment
  if [ -e "$locked" ]; then
    install_with "$home/bin/python" --require-hashes -r "$locked"
  fi
  if [ -e "$locked" ] && [ -e "$build_locked" ]; then
    install_with "$home/bin/python" --require-hashes -r "$build_locked"
    install_with "$home/bin/python" --no-deps --no-build-isolation "$root"
  elif [ -e "$locked" ]; then
    install_with "$home/bin/python" --no-deps "$root"
  else
    install_with "$home/bin/python" "$root"
  fi
  touch "$home/.complete"
  end_group
}

make_environment() {
  local python
  for python in python3 python python3.13 python3.12 python3.11; do
    if is_locked_for "$python"; then
      "$python" -m venv "$home" && return
      give_up "$usage" "'$python -m venv' failed" "use actions/setup-python, or install python3-venv"
    fi
  done
  give_up "$usage" "there is no Python of version 3.11 to 3.13 on PATH" "use actions/setup-python before this action"
}

is_new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1
}

# The locked requirements were resolved for these versions.
is_locked_for() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' > /dev/null 2>&1
}

install_with() { # install_with PYTHON ARGUMENTS...
  local python="$1"
  shift
  if command -v uv > /dev/null; then
    uv pip install --quiet --python "$python" "$@" || failed
  else
    "$python" -m pip install --quiet --disable-pip-version-check --no-input "$@" || failed
  fi
}

failed() {
  # Never exit code 1: a package server that is down must not look like a bad model.
  give_up "$service" "mlci could not be installed" "the lines above say why; run the job again when a server was down"
}

add_to_path() {
  if [ -z "${MLCI_PYTHON:-}" ] && [ ! -e "$home/.complete" ]; then
    return # not installed here: the mlci that is on PATH already stays the one that is found
  fi
  mkdir -p "$home/command"
  # A folder of its own, so that the python of this environment does not hide the project's.
  {
    echo '#!/usr/bin/env bash'
    if [ -n "${MLCI_PYTHON:-}" ]; then
      # Later steps do not have this step's variables, and may be in another folder.
      printf 'export MLCI_PYTHON="${MLCI_PYTHON:-$(printf %%s %q)}"\n' "$(absolute "$MLCI_PYTHON")"
    fi
    printf 'exec bash %q "$@"\n' "$root/actions/setup/run.sh"
  } > "$home/command/mlci"
  chmod +x "$home/command/mlci"
  echo "$home/command" >> "$GITHUB_PATH"
}

absolute() { # absolute PROGRAM: where it is, without following links: that of an environment is one
  local found
  found="$(command -v "$1")"
  printf '%s/%s' "$(cd "$(dirname "$found")" && pwd)" "$(basename "$found")"
}

group() { echo "::group::$1"; }
end_group() { echo "::endgroup::"; }

main "$@"
