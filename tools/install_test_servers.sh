#!/usr/bin/env bash
# Installs Debian's Chromium and PostgreSQL, which some tests start; these skip where they are missing.
set -u
missing=()
command -v chromium > /dev/null || missing+=(chromium)
compgen -G "/usr/lib/postgresql/*/bin/postgres" > /dev/null || missing+=(postgresql)
if [ "${#missing[@]}" -eq 0 ]; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
    echo "not installed, so that their tests skip: ${missing[*]} (apt-get install ${missing[*]})"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
if ! { timeout 60 apt-get update && timeout 150 apt-get install --yes --no-install-recommends "${missing[@]}"; } > /tmp/install_test_servers.log 2>&1; then
    echo "not installed, so that their tests skip: ${missing[*]}; see /tmp/install_test_servers.log"
fi
