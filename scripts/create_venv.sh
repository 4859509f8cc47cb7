#!/bin/sh
# Creates the virtual environment $1 with $PYTHON.
set -eu

python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$python is not Python 3.11 or newer. Name one that is: make PYTHON=python3.12" >&2
    exit 1
fi

# Debian packs this part of Python on its own.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        sudo=
    elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then
        sudo="sudo -n"
    else
        echo "$python can't create virtual environments. On Debian and Ubuntu type:" >&2
        echo "    sudo apt-get install $package" >&2
        exit 1
    fi
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --no-install-recommends "$package"
fi

exec "$python" -m venv "$1"
