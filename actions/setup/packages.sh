# shellcheck shell=bash
# Chooses a Python, makes environments and installs packages. Sourced by the other scripts of this folder.
# shellcheck disable=SC2154  # the names are those of place.sh

locked_python() { # sets python to the first one on PATH that our requirements are locked for
  for python in python3 python python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' > /dev/null 2>&1; then
      return
    fi
  done
  give_up "$usage" "there is no Python of version 3.11 to 3.13 on PATH" "use actions/setup-python before this action"
}

make_environment() { # make_environment PYTHON FOLDER
  local options=()
  # uv needs no pip in it, and to put one there takes seconds.
  if command -v uv > /dev/null; then options=(--without-pip); fi
  rm -rf "$2"
  "$1" -m venv ${options[@]+"${options[@]}"} "$2" || give_up "$usage" "'$1 -m venv' failed" "use actions/setup-python, or install python3-venv"
}

install_with() { # install_with PYTHON ARGUMENTS...
  local python="$1"
  shift
  if command -v uv > /dev/null; then
    uv pip install --quiet --python "$python" "$@"
  else
    "$python" -m pip --version > /dev/null 2>&1 || "$python" -m ensurepip > /dev/null
    "$python" -m pip install --quiet --disable-pip-version-check --no-input "$@"
  fi
}

absolute() { # absolute PROGRAM: where it is, without following links: that of an environment is one
  local found
  found="$(command -v "$1")"
  printf '%s/%s' "$(cd "$(dirname "$found")" && pwd)" "$(basename "$found")"
}
