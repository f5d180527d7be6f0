# Says where mlci is installed, and ends a script with an exit code that CI systems understand.
# Sourced by the other scripts of this folder; it changes nothing itself.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# One environment for each checkout of the action, so that two versions in one job do not meet.
home="${RUNNER_TEMP:-${TMPDIR:-/tmp}}/mlci-$(printf '%s' "$root" | cksum | cut -d ' ' -f 1)"

readonly usage=2 service=4

give_up() { # give_up EXIT_CODE MESSAGE HINT
  local message="${2//[$'\r\n']/ }" # a second line could be taken for a command to the runner
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
