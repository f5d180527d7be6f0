#!/usr/bin/env bash
# Runs mlci with the inputs of an action: run.sh COMMAND [ARGUMENTS...]
#
# Most inputs are variables that mlci reads itself. Here are those that it takes as options only, and those
# that must not be there at all when they are empty.
set -euo pipefail
# shellcheck source=actions/setup/place.sh
source "$(dirname "${BASH_SOURCE[0]}")/place.sh"

main() {
  arguments=("$@")
  case "${1:-}" in
    comment) add_comment ;;
    plan) add_plan && add_run ;;
    *) add_run ;;
  esac
  export_tracking
  start
}

add_run() {
  add_option --from "${MLCI_FROM:-}"
  add_option --until "${MLCI_UNTIL:-}"
  add_flag --force MLCI_FORCE
  add_flag --warn-exit-code MLCI_WARN_EXIT_CODE
  add_flag --dry-run MLCI_DRY_RUN
  add_lines --set "${MLCI_SET:-}"
  # They are options now, and this script may be what is started next.
  unset MLCI_FROM MLCI_UNTIL MLCI_FORCE MLCI_WARN_EXIT_CODE MLCI_DRY_RUN MLCI_SET
}

add_plan() {
  add_flag --all MLCI_PLAN_ALL
  add_option --base "${MLCI_PLAN_BASE:-}"
  unset MLCI_PLAN_ALL MLCI_PLAN_BASE
}

add_comment() {
  add_option --plan "${MLCI_COMMENT_PLAN:-}"
  add_option --id "${MLCI_COMMENT_ID:-}"
  add_option --mode "${MLCI_COMMENT_MODE:-}"
  add_flag --untrusted MLCI_COMMENT_UNTRUSTED
  if [ -n "${MLCI_COMMENT_REPORTS:-}" ]; then
    arguments+=(--) # what follows is a path, whatever it begins with
    add_lines "" "$MLCI_COMMENT_REPORTS"
  fi
  unset MLCI_COMMENT_PLAN MLCI_COMMENT_ID MLCI_COMMENT_MODE MLCI_COMMENT_UNTRUSTED MLCI_COMMENT_REPORTS
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

add_lines() { # add_lines OPTION VALUES: one of each line; without the option when it is empty
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    line="${line%$'\r'}"
    line="${line#"${line%%[![:space:]]*}"}"
    if [ -n "$line" ]; then
      arguments+=(${1:+"$1"} "$line")
    fi
  done <<< "$2"
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

start() {
  if [ -n "${MLCI_PYTHON:-}" ]; then
    # -P: a folder of the project that is called like a package must not hide it
    exec "$MLCI_PYTHON" -P -m mlci "${arguments[@]}"
  elif ! is_switched_off MLCI_INSTALL && [ -e "$chosen" ]; then
    exec "$(cat "$chosen")" -P -m mlci "${arguments[@]}"
  fi
  use_project_python
  if is_switched_off MLCI_INSTALL; then
    exec mlci "${arguments[@]}"
  fi
  keep_python
  if [ -e "$complete" ]; then
    exec "$apart/bin/mlci" "${arguments[@]}"
  fi
  exec "$light/bin/mlci" "${arguments[@]}"
}

# The Python that actions/setup found for the project's programs counts as activated.
use_project_python() {
  if [ -e "$project" ]; then
    local python
    python="$(cat "$project")"
    VIRTUAL_ENV="$("$python" -c 'import sys; print(sys.prefix)')"
    export VIRTUAL_ENV PATH="${python%/*}:$PATH"
  fi
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
