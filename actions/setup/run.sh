#!/usr/bin/env bash
# Runs mlci with the inputs of an action: run.sh COMMAND [ARGUMENTS...]
#
# Most inputs are variables that mlci reads itself. Here are those that it takes as options only, and those
# that must not be there at all when they are empty.
set -euo pipefail
# shellcheck source=actions/setup/place.sh
source "$(dirname "${BASH_SOURCE[0]}")/place.sh"

main() {
  local arguments=("$@")
  add_option --from "${MLCI_FROM:-}"
  add_option --until "${MLCI_UNTIL:-}"
  add_flag --force MLCI_FORCE
  add_flag --warn-exit-code MLCI_WARN_EXIT_CODE
  add_flag --dry-run MLCI_DRY_RUN
  add_settings
  export_tracking
  if [ -n "${MLCI_PYTHON:-}" ]; then
    # -P: a folder of the project that is called like a package must not hide it
    exec "$MLCI_PYTHON" -P -m mlci "${arguments[@]}"
  elif [ -n "${MLCI_INSTALL:-}" ] && ! is_true MLCI_INSTALL; then
    exec mlci "${arguments[@]}"
  fi
  keep_python
  exec "$home/bin/mlci" "${arguments[@]}"
}

add_option() { # add_option OPTION VALUE
  if [ -n "$2" ]; then
    arguments+=("$1" "$2")
  fi
}

add_flag() { # add_flag OPTION VARIABLE
  if is_true "$2"; then
    arguments+=("$1")
  fi
}

add_settings() {
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    line="${line%$'\r'}"
    line="${line#"${line%%[![:space:]]*}"}"
    if [ -n "$line" ]; then
      arguments+=(--set "$line")
    fi
  done <<< "${MLCI_SET:-}"
}

# The training program may speak to MLflow itself, and knows only MLflow's own variables.
export_tracking() {
  if [ -n "${MLCI_TRACKING_URI:-}" ]; then
    export MLFLOW_TRACKING_URI="$MLCI_TRACKING_URI"
  fi
  if [ -n "${MLCI_MLFLOW_TOKEN:-}" ]; then
    export MLFLOW_TRACKING_TOKEN="$MLCI_MLFLOW_TOKEN"
  fi
  unset MLCI_MLFLOW_TOKEN
}

# mlci puts the environment it runs in first on the PATH of a training command, unless one is activated or
# the project has a .venv. This one is not the project's, so the caller's Python counts as activated.
keep_python() {
  local folder="${MLCI_CONFIG:-.}" python
  [ -d "$folder" ] || folder="$(dirname "$folder")"
  if [ -n "${VIRTUAL_ENV:-}" ] || [ -x "$folder/.venv/bin/python" ]; then
    return
  fi
  if python="$(command -v python || command -v python3)"; then
    VIRTUAL_ENV="$("$python" -c 'import sys; print(sys.prefix)')"
    export VIRTUAL_ENV
  fi
}

main "$@"
