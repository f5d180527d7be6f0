#!/usr/bin/env bash
# Installs mlci from the checkout that this script is part of, so that action and program cannot drift apart.
#
#   install.sh               in an environment apart, or in the project's: that of MLCI_PYTHON, or the one that
#                            actions/setup chose; not at all when MLCI_INSTALL is false
#   install.sh add-to-path   the same, and puts the command (nothing else) on the PATH of later steps
#   install.sh packages      what mlci needs without mlci, in the environment apart: what a cache may keep
#   install.sh light         only what planning and commenting need, unless more is there already
set -euo pipefail
# shellcheck source=actions/setup/place.sh
source "$(dirname "${BASH_SOURCE[0]}")/place.sh"
# shellcheck source=actions/setup/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

# These would send the packages to another place than the environment that is meant.
unset UV_SYSTEM_PYTHON UV_PYTHON UV_PROJECT_ENVIRONMENT PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

locked="$root/requirements/main.txt"
build_locked="$root/requirements/build.txt"
light_locked="$root/requirements/plan.txt"

main() {
  if [ "${1:-}" = packages ]; then
    install_packages
    return
  fi
  if is_switched_off MLCI_INSTALL; then
    use_existing
  elif [ -n "${MLCI_PYTHON:-}" ]; then
    install_into "$MLCI_PYTHON"
  elif [ -e "$chosen" ]; then
    install_once_into "$(cat "$project")"
  elif [ ! -e "$complete" ]; then
    if [ "${1:-}" = light ]; then install_light; else install_apart; fi
  fi
  if [ "${1:-}" = add-to-path ]; then
    add_to_path
  fi
}

use_existing() {
  if [ -z "${MLCI_PYTHON:-}" ] && [ ! -e "$chosen" ] && ! command -v mlci > /dev/null; then
    give_up "$usage" "install is false and there is no mlci on PATH" "install it before, or leave install out"
  fi
}

install_once_into() { # install_once_into PYTHON
  if [ ! -e "$chosen.complete" ]; then
    install_into "$1"
    touch "$chosen.complete"
  fi
}

install_into() { # install_into PYTHON: the project's
  if ! "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1; then
    give_up "$usage" "'$1' is not a Python of version 3.11 or newer" "see the input mlci-python"
  fi
  # The project's own versions of its packages count here, so nothing is locked.
  group "Install mlci into the environment of $1"
  install_with "$1" "$root" || failed
  end_group
}

install_apart() {
  install_packages
  group "Install mlci in an environment apart"
  if [ -e "$locked" ] && [ -e "$build_locked" ]; then
    install_with "$apart/bin/python" --no-deps --no-build-isolation "$root" || failed
  else
    install_with "$apart/bin/python" "$root" || failed
  fi
  touch "$complete"
  end_group
}

install_packages() {
  # A cache may have brought the environment back; what it was made for may be gone, or another version.
  if [ -e "$apart/.packages" ] && "$apart/bin/python" -c '' > /dev/null 2>&1; then
    return
  fi
  group "Install what mlci needs in an environment apart"
  locked_python
  make_environment "$python" "$apart"
  if [ -e "$locked" ] && [ -e "$build_locked" ]; then
    install_with "$apart/bin/python" --require-hashes -r "$locked" || failed
    install_with "$apart/bin/python" --require-hashes -r "$build_locked" || failed
  fi
  touch "$apart/.packages"
  end_group
}

install_light() {
  if [ -e "$light/.complete" ]; then
    return
  fi
  group "Install mlci with what planning and commenting need"
  locked_python
  make_environment "$python" "$light"
  install_with "$light/bin/python" --require-hashes -r "$light_locked" -r "$build_locked" || failed
  install_with "$light/bin/python" --no-deps --no-build-isolation "$root" || failed
  touch "$light/.complete"
  end_group
}

failed() {
  # Never exit code 1: a package server that is down must not look like a bad model.
  give_up "$service" "mlci could not be installed" "the lines above say why; run the job again when a server was down"
}

add_to_path() {
  if [ ! -e "$chosen" ] && [ ! -e "$complete" ]; then
    return # not installed here: the mlci that is on PATH already stays the one that is found
  fi
  mkdir -p "$place/command"
  # A folder of its own, so that the python of this environment does not hide the project's.
  {
    echo '#!/usr/bin/env bash'
    # Else an mlci that was not to be installed again would look for the one on PATH, which is this.
    echo 'unset MLCI_INSTALL'
    printf 'exec bash %q "$@"\n' "$root/actions/setup/run.sh"
  } > "$place/command/mlci"
  chmod +x "$place/command/mlci"
  echo "$place/command" >> "$GITHUB_PATH"
}

main "$@"
