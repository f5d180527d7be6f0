# shellcheck shell=bash
# Says where mlci is installed, and ends a script with an exit code that CI systems understand.
# Sourced by the other scripts of this folder; it changes nothing itself.
# shellcheck disable=SC2034  # the names are for those that source this

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# One place for each content of the checkout, so that two versions in one job do not meet, wherever the runner has
# put them. Later steps find there what an earlier one made: a variable of the job would reach steps that have
# nothing to do with mlci.
content="$(cd "$root" && find mlci requirements \( -name '*.py' -o -name '*.txt' \) | LC_ALL=C sort | xargs cat | cksum)"
place="${RUNNER_TEMP:-${TMPDIR:-/tmp}}/mlci-${content%% *}"

apart="$place/apart"             # an environment with all that mlci needs
complete="$place/complete"       # is there when mlci is in it too
light="$place/light"             # an environment with what planning and commenting need
chosen="$place/chosen-python"    # names the Python that mlci was installed into, when that is the project's
project="$place/project-python"  # names the Python that the project's programs run in, when setup knows it

readonly usage=2 service=4

give_up() { # give_up EXIT_CODE MESSAGE HINT
  local message="${2//[$'\r\n']/ }" # a second line could be taken for a command to the runner,
  message="${message//::/: :}"        # and so could what stands between colons
  if [ "${#message}" -gt 500 ]; then message="${message:0:500}…"; fi
  printf '::error title=mlci::%s\n' "${message//%/%25}"
  printf 'error: %s\nhint: %s\n' "$message" "$3" >&2
  exit "$1"
}

# is_true NAME: whether the variable says true; empty is false, and another word than true or false is an error.
is_true() {
  case "${!1:-}" in
    true) return 0 ;;
    false | "") return 1 ;;
    *) give_up "$usage" "$1 is '${!1}', not true or false" "write true or false" ;;
  esac
}

is_switched_off() { # is_switched_off NAME: the same, for an input whose default is true
  if [ -z "${!1:-}" ] || is_true "$1"; then
    return 1
  fi
}

group() { echo "::group::$1"; }
end_group() { echo "::endgroup::"; }
