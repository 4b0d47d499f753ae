# shellcheck shell=bash
# What all scripts share: where things lie, how work is shown, how a failure is told. Source it, after `set -euo pipefail`.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Nothing slow lives in the checkout, so that a second clone on the same machine does not start again.
CACHE=${RIEMANN_LORA_CACHE:-$HOME/.cache/riemann-lora}
TOOLS=$CACHE/tools
LOGS=$CACHE/logs
mkdir -p "$TOOLS/bin" "$LOGS"

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
export PATH="$TOOLS/bin:$PATH"
# Either of them would replace the flags in .cargo/config.toml, without which the wasm modules do not build.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
# What the tools write goes to logs.
export NO_COLOR=1

# shellcheck source=scripts/versions.sh
source "$ROOT/scripts/versions.sh"

# die CAUSE WAY_OUT...
die() {
    printf '\n%s\n' "$1" >&2
    shift
    if [ $# -gt 0 ]; then printf '  %s\n' "$@" >&2; fi
    exit 1
}

# stage NAME COMMAND...
# Runs a command with its output in a log, and prints one line with the time it took. HINT says what to do when it fails;
# DETAIL is a function that prints how far it is, for the last line of the log says that only of a compiler.
# Not for use in a condition: there bash ignores failures inside functions.
stage() {
    local name=$1 started=$SECONDS log ticker status
    shift
    log=$(log_of "$name")
    : >"$log"
    show_progress "$name" "$log" "$started" &
    ticker=$!
    set +e
    (
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null
    status=$?
    set -e
    end_stage "$name" "$started" "$ticker" "$status"
}

# begin NAME COMMAND...: a stage beside what the script does meanwhile, until `finish NAME`, with what that leaves of the
# processors. It asks for no password.
declare -A BEGUN BEGUN_AT
begin() {
    local name=$1
    shift
    # Its own process group, so that all of it can be ended: bash lets what runs in the background ignore Ctrl-C.
    set -m
    (
        set -e
        renice -n 19 "$BASHPID" >/dev/null
        "$@"
    ) >"$(log_of "$name")" 2>&1 </dev/null &
    BEGUN[$name]=$!
    BEGUN_AT[$name]=$SECONDS
    set +m
}

# finish NAME: nothing where it has not begun.
finish() {
    local name=$1 ticker status=0
    if [ -z "${BEGUN[$name]:-}" ]; then return; fi
    show_progress "$name" "$(log_of "$name")" "${BEGUN_AT[$name]}" &
    ticker=$!
    wait "${BEGUN[$name]}" || status=$?
    unset "BEGUN[$name]"
    end_stage "$name" "${BEGUN_AT[$name]}" "$ticker" "$status"
}

# end_begun: ends what has begun and is not finished.
end_begun() {
    local pid
    for pid in ${BEGUN[@]+"${BEGUN[@]}"}; do kill -- "-$pid" 2>/dev/null || true; done
}

log_of() { printf '%s' "$LOGS/${1//[^A-Za-z0-9]/-}.log"; }

# end_stage NAME STARTED TICKER STATUS
end_stage() {
    local name=$1 log
    log=$(log_of "$name")
    kill "$3" 2>/dev/null || true
    wait "$3" 2>/dev/null || true
    if [ -t 1 ]; then printf '\r\033[K'; fi
    if [ "$4" -ne 0 ]; then
        printf '%-44s FAILED after %s\n\n' "$name" "$(duration $((SECONDS - $2)))"
        tail -n 50 "$log"
        die "'$name' failed with exit status $4." "${HINT:-Above is the end of its log.}" "The whole log: $log"
    fi
    printf '%-44s %s%s\n' "$name" "$(duration $((SECONDS - $2)))" "$(tests_passed_in "$log" ', % tests passed')"
}

# show_progress NAME LOG STARTED
# The line of a running stage: redrawn each second on a terminal, else written once a minute, so that a CI log shows life.
show_progress() {
    local name=$1 log=$2 started=$3 seconds room
    # A line that wraps could not be redrawn.
    room=$(($(tput cols 2>/dev/null || echo 80) - 58))
    # It ends with the script, also when that is killed.
    while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
        seconds=$((SECONDS - started))
        if [ -t 1 ]; then
            printf '\r\033[K%-44s %s  %.*s' "$name" "$(duration "$seconds")" "$room" "$("${DETAIL:-last_line}" "$log")"
        elif [ $((seconds % 60)) -eq 0 ]; then
            printf '  %s: %s  %s\n' "$name" "$(duration "$seconds")" "$("${DETAIL:-last_line}" "$log")"
        fi
    done
}

last_line() {
    tail -c 500 "$1" | tr '\r' '\n' | tr -cd '[:print:]\n' | grep . | tail -n 1 | cut -c 1-100 || true
}

duration() {
    if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# tests_passed_in LOG FORMAT: FORMAT with % replaced by the sum over cargo's, wasm-bindgen's, vitest's and Playwright's
# closing lines, nothing where there is none.
tests_passed_in() {
    sed 's/\x1b\[[0-9;]*m//g' "$1" | awk -v format="$2" '
        /^test result:/ || /^ +Tests +[0-9]+ passed/ || /^ +[0-9]+ passed \(/ {
            for (i = 2; i <= NF; i++) if ($i ~ /^passed/) { sum += $(i - 1); found = 1 }
        }
        END { if (found) { sub("%", sum, format); print format } }'
}

# version_at_least HAVE WANTED
version_at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

# A stamp is a file that holds what its neighbours were made from.
is_made_from() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }
write_stamp() { printf '%s\n' "$2" >"$1"; }

# hash_files PATH...: one hash of all files below, names included. A path that does not exist has no files.
hash_files() {
    { find "$@" -type f -print0 2>/dev/null || true; } | sort -z | xargs -0 sha256sum | hash_text
}
hash_text() { sha256sum | cut -d ' ' -f 1; }

# apt_install PACKAGE...
apt_install() {
    local sudo=""
    command -v apt-get >/dev/null ||
        die "These are missing, and only Debian and Ubuntu are known here: $*" "Install them in your system's way and start again."
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            die "These are missing, and installing them needs root: $*" "As root: apt-get update && apt-get install $*"
        sudo=sudo
    fi
    # Without the update a fresh machine knows no package.
    $sudo apt-get update
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}
