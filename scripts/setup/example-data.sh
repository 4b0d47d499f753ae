# shellcheck shell=bash
# The example text that the page opens with. Source it after lib.sh and python.sh.

ensure_example_data() {
    local made_from stamp=$STAMPS/example-data
    made_from=$(hash_text <"$ROOT/scripts/make-example-data")
    if is_made_from "$stamp" "$made_from" && [ -d "$ROOT/www/public/data" ]; then return; fi
    ensure_python
    # A fresh machine has no package lists, and then the script finds nothing to make the data from.
    if command -v apt-get >/dev/null && ! apt-cache show wordnet-base >/dev/null 2>&1; then
        stage "package lists" apt_install
    fi
    stage "example data" "$ROOT/scripts/make-example-data"
    write_stamp "$stamp" "$made_from"
}
