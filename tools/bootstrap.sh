#!/bin/sh
# Make .venv hold exactly what a locked list names, and this source tree on top.
#
#   tools/bootstrap.sh run    what the program needs
#   tools/bootstrap.sh dev    what developers and tests need (contains the above)
#
# Says nothing and takes a few milliseconds when all is in place: the sums of the lists are kept
# in .venv beside what they installed.
set -eu
cd "$(dirname "$0")/.."
profile=${1:-run}
venv=.venv
lock=requirements/$profile.lock

say() { printf '%s\n' "$*" >&2; }

sum_of() { cat "$@" | sha256sum | cut -d ' ' -f 1; }

is_recent() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if is_recent "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
    say "negatoscope: no Python 3.11 or later found"
    say "HINT: install one (apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3"
    exit 1
}

install_venv_module() {
    # Debian ships the venv module without ensurepip; the package python3-venv brings it.
    if command -v apt-get >/dev/null 2>&1; then
        version=$("$1" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
        if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo -n"; fi
        say "negatoscope: installing the Debian package $version-venv"
        $as_root apt-get update -qq >&2 &&
            DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq "$version-venv" >&2 && return
    fi
    say "negatoscope: $1 cannot make virtual environments"
    say "HINT: apt-get install python3-venv, then call make again"
    exit 1
}

if [ ! -x $venv/bin/python ] || ! is_recent $venv/bin/python; then
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_module "$python"
    say "negatoscope: creating $venv with $("$python" --version)"
    rm -rf $venv
    "$python" -m venv $venv
fi

# The developers' list contains the program's: an environment made for them serves `make run` too.
for stamp in "$profile" dev; do
    if [ "$(cat "$venv/.installed-$stamp" 2>/dev/null)" = "$(sum_of requirements/$stamp.lock)" ]; then
        lock=""
    fi
done
if [ -n "$lock" ]; then
    say "negatoscope: installing the packages of $lock (once)"
    $venv/bin/python -m pip install -qq --require-hashes --disable-pip-version-check -r "$lock" >&2
    rm -f "$venv/.installed-run" "$venv/.installed-dev"
    sum_of "$lock" >"$venv/.installed-$profile"
fi

if [ "$(cat $venv/.installed-source 2>/dev/null)" != "$(sum_of pyproject.toml)" ] || [ ! -x $venv/bin/negatoscope ]; then
    $venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e . >&2
    sum_of pyproject.toml >$venv/.installed-source
fi
