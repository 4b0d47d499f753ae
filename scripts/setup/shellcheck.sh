# shellcheck shell=bash
# The linter of these scripts, for the tests only. Source it after lib.sh.

ensure_shellcheck() {
    if command -v shellcheck >/dev/null; then return; fi
    HINT="The tests need Debian's package shellcheck." stage "shellcheck" apt_install shellcheck
}
