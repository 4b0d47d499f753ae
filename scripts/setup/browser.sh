# shellcheck shell=bash
# The browser that the tests run in, with a driver of the same version. webdriver.json has its flags. Source it after lib.sh.

ensure_browser() {
    if [ -x /usr/bin/chromium ] && command -v chromedriver >/dev/null; then return; fi
    HINT="The tests need Debian's packages chromium and chromium-driver." stage "Chromium" apt_install chromium chromium-driver
}
