# shellcheck shell=bash
# What the pieces of the study share. Source it after lib.sh.

STATE=$CACHE/study
PROGRAM=$STATE/riemann-lora-$(git rev-parse --short HEAD)
mkdir -p "$STATE"

# study_program: $PROGRAM, a copy, so that later builds do not disturb it.
study_program() {
    if [ -x "$PROGRAM" ]; then return; fi
    # As a test's, because the tests' dependencies are there already.
    stage "The native program" cargo test --locked --no-run --test program
    cp "$CARGO_TARGET_DIR/debug/riemann-lora" "$PROGRAM"
}

# in_idle_time: from here on this process has only what others leave of the processors.
in_idle_time() {
    # The scheduler weighs sessions against each other before processes.
    echo 19 >/proc/self/autogroup 2>/dev/null || true
    # Else glibc gives the memory of each tensor back and asks for it anew, page by page.
    export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=2000000000 MALLOC_TOP_PAD_=67108864
    echo "process $$"
}
