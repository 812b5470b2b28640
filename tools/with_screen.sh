#!/usr/bin/env bash
# Runs a command with a screen: the one there is, or a virtual one (Xvfb).
# As root on Debian or Ubuntu it installs the missing packages; else it names them.
set -euo pipefail

packages=(xvfb xauth libgl1 libegl1 libopengl0 libxkbcommon-x11-0 libdbus-1-3 libxcb-cursor0
  libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0
  libxcb-xinerama0 libxcb-xfixes0)

missing() {
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
  done
}

if [ "$(uname -s)" = Linux ] && command -v dpkg-query >/dev/null; then
  mapfile -t absent < <(missing)
  if [ "${#absent[@]}" -gt 0 ]; then
    if [ "$(id -u)" = 0 ]; then
      echo "Installing packages that a Qt window needs: ${absent[*]}" >&2
      export DEBIAN_FRONTEND=noninteractive
      apt-get update -qq && apt-get install -y -qq --no-install-recommends "${absent[@]}" >/dev/null
    else
      echo "A Qt window needs packages that are absent. Install them with" >&2
      echo "    sudo apt-get install ${absent[*]}" >&2
      [ -n "${DISPLAY:-}" ] || exit 1
    fi
  fi
fi

if [ -n "${DISPLAY:-}" ] || [ "$(uname -s)" != Linux ]; then
  exec "$@"
fi
command -v xvfb-run >/dev/null || { echo "There is no screen and no xvfb-run; install xvfb." >&2; exit 1; }
exec xvfb-run --auto-servernum --server-args='-screen 0 1600x1000x24' "$@"
