# What the other scripts share. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Says what is being done, on standard error.
say() {
    if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then printf '\033[1m==> %s\033[0m\n' "$*" >&2; else echo "==> $*" >&2; fi
}

# Runs a command as root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs the Debian packages among those named that are missing; asks no server when there are none.
install_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
    done
    [ "${#missing[@]}" -eq 0 ] && return
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# What building and running need beside Swift and git.
install_requirements() {
    if ! command -v swift >/dev/null; then
        echo "Swift 6.1 or later is needed: https://www.swift.org/install/linux" >&2
        exit 1
    fi
    install_packages libzmq3-dev libhiredis-dev redis-server
    # Debian starts a Redis of its own, which nothing here uses; it is left as it is.
}

# Makes .venv, in which the Python clients are as they are published.
install_python_clients() {
    local wanted=Tests/Integration/python/requirements.txt
    [ -x .venv/bin/python ] && cmp -s "$wanted" .venv/requirements.txt && return
    say "installing the Python clients"
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check -r "$wanted" >&2
    cp "$wanted" .venv/requirements.txt
}

# Builds the program as it is meant to be run, and says where it is.
#
# The Swift runtime is linked in, so that the program needs none beside it.
build_release() {
    local flags=(-c release --product millrace --static-swift-stdlib)
    say "building (some minutes the first time)"
    # A failure here ends no script by itself: what is assigned from a function runs without `set -e`.
    swift build "${flags[@]}" >&2 || return 1
    echo "$(swift build "${flags[@]}" --show-bin-path)/millrace"
}
