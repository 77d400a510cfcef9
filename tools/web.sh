#!/bin/sh
# Build and check the web application in web/.
#
#   tools/web.sh build|dev|check|format|test [--optional]
#
# A build that is current is left alone: the sum of the sources is kept beside it. Without
# Node.js it says what to do and fails; with --optional it only says it, and the server shows a
# page that says the same.
set -eu
cd "$(dirname "$0")/../web"
verb=${1:?build, dev, check, format or test}
optional=${2:-}
dist=../src/negatoscope/entrypoints/web/site/dist

say() { printf '%s\n' "$*" >&2; }

if ! command -v npm >/dev/null 2>&1 ||
    ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then
    say "ATTENTION: SKIPPED web $verb: Node.js 20.19 or later with npm is not on this machine"
    say "HINT: apt-get install nodejs npm (Debian 13 or later, or nodesource.com), then: make web"
    [ "$optional" = --optional ] && exit 0
    exit 1
fi

sources() {
    find . -name node_modules -prune -o -type f ! -name '*.test.ts' ! -name '*.test.tsx' -print |
        LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d ' ' -f 1
}

installed=node_modules/.installed
modules=$(cat package-lock.json package.json .npmrc | sha256sum | cut -d ' ' -f 1)
built=$dist/.built-from
if [ "$verb" = build ]; then
    sum=$(sources)
    [ "$(cat $built 2>/dev/null)" != "$sum" ] || exit 0
fi
if [ "$(cat $installed 2>/dev/null)" != "$modules" ]; then
    say "negatoscope: installing the packages of web/package-lock.json (once)"
    if ! npm ci --silent --ignore-scripts --no-audit --no-fund >&2; then
        say "ATTENTION: SKIPPED web $verb: npm cannot fetch the packages"
        [ "$optional" = --optional ] && exit 0
        exit 1
    fi
    printf '%s' "$modules" >$installed
fi
case $verb in
    build)
        say "negatoscope: building the web application (once)"
        NEGATOSCOPE_WEB_SOURCES=$sum npm run --silent build >&2
        printf '%s' "$sum" >$built
        ;;
    *) npm run --silent "$verb" ;;
esac
