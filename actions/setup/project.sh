#!/usr/bin/env bash
# Finds or makes the environment of the project, and notes for later steps which Python its programs run in,
# and whether mlci belongs into it. Everything that it may touch was asked for.
set -euo pipefail
# shellcheck source=actions/setup/place.sh
source "$(dirname "${BASH_SOURCE[0]}")/place.sh"
# shellcheck source=actions/setup/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

folder="${MLCI_SETUP_FOLDER:-.}"

main() {
  one_of MLCI_SETUP_ENVIRONMENT isolated project
  one_of MLCI_SETUP_PROJECT auto uv pip venv conda
  if [ "${MLCI_SETUP_ENVIRONMENT:-}" = isolated ] && [ -n "${MLCI_PYTHON:-}" ]; then
    give_up "$usage" "environment is isolated, and mlci-python names an environment to install into" "leave one of them out"
  fi
  mkdir -p "$place"
  rm -f "$chosen" "$chosen.complete" "$project"
  choose_kind
  case "$kind" in
    uv) with_uv ;;
    pip) with_pip ;;
    venv) with_venv ;;
    conda) with_conda ;;
    none) return ;;
  esac
  echo "$found" > "$project"
  if [ "${MLCI_SETUP_ENVIRONMENT:-}" = project ] || [ -n "${MLCI_PYTHON:-}" ]; then
    echo "${launcher:-$found}" > "$chosen"
  fi
  echo "project-python=$found" >> "$GITHUB_OUTPUT"
}

one_of() { # one_of NAME WORDS...
  local name="$1" word
  shift
  for word in "" "$@"; do
    if [ "${!name:-}" = "$word" ]; then return; fi
  done
  give_up "$usage" "$name is '${!name}', not one of: $*" "see the inputs of actions/setup"
}

choose_kind() { # sets kind
  kind="${MLCI_SETUP_PROJECT:-}"
  if [ -n "$kind" ] && [ "$kind" != auto ]; then
    return
  elif [ -n "${MLCI_PYTHON:-}" ]; then
    kind=venv
  elif [ -n "${MLCI_SETUP_CONDA_ENVIRONMENT:-}" ]; then
    kind=conda
  elif [ -n "${MLCI_SETUP_REQUIREMENTS:-}" ]; then
    kind=pip
  elif [ -z "$kind" ] && [ "${MLCI_SETUP_ENVIRONMENT:-}" != project ]; then
    kind=none # programs run in whatever Python the job has
  elif find_above uv.lock; then
    kind=uv
  elif find_above .venv/bin/python || [ -n "${VIRTUAL_ENV:-}" ]; then
    kind=venv
  elif find_above requirements.txt; then
    kind=pip
  else
    give_up "$usage" "no environment of the project was found: no uv.lock, .venv or requirements.txt in '$folder'" \
      "name one by the inputs project, requirements, mlci-python or conda-environment"
  fi
}

find_above() { # find_above NAME: sets at to the folder that has it, the project's or the top of the checkout
  for at in "$folder" .; do
    if [ -e "$at/$1" ]; then return; fi
  done
  return 1
}

with_uv() {
  find_above uv.lock || give_up "$usage" "there is no uv.lock in '$folder'" "commit the one that 'uv lock' writes"
  command -v uv > /dev/null || give_up "$usage" "there is no uv on PATH" "use astral-sh/setup-uv before this action"
  group "Make the environment of uv.lock"
  local code=0
  (cd "$at" && uv sync --locked --quiet) || code=$?
  if [ "$code" = 1 ]; then
    give_up "$usage" "'uv sync --locked' failed" "the lines above say why; run 'uv lock' and commit uv.lock"
  elif [ "$code" != 0 ]; then
    give_up "$service" "'uv sync --locked' failed" "the lines above say why; run the job again when a server was down"
  fi
  end_group
  found="$(cd "$at" && uv run --no-sync --quiet python -c 'import sys; print(sys.executable)')"
}

with_pip() {
  local file="${MLCI_SETUP_REQUIREMENTS:-}"
  if [ -z "$file" ]; then
    find_above requirements.txt || give_up "$usage" "there is no requirements.txt in '$folder'" "name it by the input requirements"
    file="$at/requirements.txt"
  fi
  [ -f "$file" ] || give_up "$usage" "there is no file '$file'" "see the input requirements; it counts from the top of the checkout"
  locked_python
  group "Make an environment of $file"
  make_environment "$python" "$place/requirements"
  found="$place/requirements/bin/python"
  install_with "$found" -r "$file" \
    || give_up "$service" "'$file' could not be installed" "the lines above say why; run the job again when a server was down"
  end_group
}

with_venv() {
  local candidate
  if [ -n "${MLCI_PYTHON:-}" ]; then
    candidate="$MLCI_PYTHON"
  elif find_above .venv/bin/python; then
    candidate="$at/.venv/bin/python"
  else
    candidate="${VIRTUAL_ENV:+$VIRTUAL_ENV/bin/python}"
  fi
  [ -n "$candidate" ] || give_up "$usage" "there is no .venv in '$folder', and none is activated" "name it by the input mlci-python"
  "$candidate" -c '' > /dev/null 2>&1 || give_up "$usage" "'$candidate' is not a Python" "see the input mlci-python"
  found="$(absolute "$candidate")"
}

with_conda() {
  local name="${MLCI_SETUP_CONDA_ENVIRONMENT:-}" conda place_of options=()
  [ -n "$name" ] || give_up "$usage" "project is conda, and conda-environment is empty" "give the name or the folder of an environment"
  conda="$(command -v conda || command -v "${CONDA:-}/bin/conda" || command -v micromamba)" \
    || give_up "$usage" "there is no conda or micromamba on PATH" "use conda-incubator/setup-miniconda before this action"
  case "$name" in */*) place_of=--prefix ;; *) place_of=--name ;; esac
  # micromamba never holds output back, and does not know the option.
  [ "$(basename "$conda")" = micromamba ] || options=(--no-capture-output)
  # By conda itself, so that what the environment's activation sets is there.
  found="$("$conda" run "$place_of" "$name" python -c 'import sys; print(sys.executable)')" \
    || give_up "$usage" "there is no Python in the conda environment '$name'" "make it before this action"
  launcher="$place/conda-python"
  printf '#!/usr/bin/env bash\nexec %s python "$@"\n' "$(printf '%q ' "$conda" run "${options[@]}" "$place_of" "$name")" > "$launcher"
  chmod +x "$launcher"
}

main "$@"
