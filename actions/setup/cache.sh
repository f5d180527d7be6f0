#!/usr/bin/env bash
# Names the cache of the packages that mlci needs, for actions/cache: writes the outputs key and path.
# No key when nothing is to be installed apart, or the cache is switched off.
set -euo pipefail
# shellcheck source=actions/setup/place.sh
source "$(dirname "${BASH_SOURCE[0]}")/place.sh"
# shellcheck source=actions/setup/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

main() {
  if is_switched_off MLCI_SETUP_CACHE || is_switched_off MLCI_INSTALL || [ -e "$chosen" ] || [ -e "$complete" ]; then
    return
  fi
  locked_python
  # Of our own files: hashFiles would look for them in the caller's checkout.
  local digest
  digest="$(cat "$root"/requirements/{main,build}.txt "$root/mlci/__init__.py" | sha256 | cut -c 1-20)"
  {
    echo "key=mlci-packages-$(system)-$(uname -m)-$(exact_python)-$digest"
    echo "path=$apart"
  } >> "$GITHUB_OUTPUT"
}

system() {
  if [ -r /etc/os-release ]; then
    # shellcheck source=/dev/null
    (. /etc/os-release && printf '%s-%s' "${ID:-linux}" "${VERSION_ID:-rolling}")
  else
    printf '%s-%s' "$(uname -s)" "$(uname -r)"
  fi
}

exact_python() { # version and place: an environment holds links to the Python that it was made with
  "$python" -c 'import platform, sys, zlib
print(f"{platform.python_version()}-{zlib.crc32(sys.base_prefix.encode()):08x}")'
}

sha256() {
  if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi
}

main "$@"
