#!/bin/bash
# Runs one case: case.sh NAME (run starts this, with suite, results and logs set).
case_name=$1
. "$(dirname "$0")/lib.sh"
. "$here/checks.sh"
set +e
finish() {
    local h code=$?
    [ -z "${keep:-}" ] || exit $code
    for h in "${hosts_of_case[@]}"; do
        [ ! -d "$dir/hosts/$h" ] || "$here/host" destroy "$h"
    done
    exit $code
}
trap finish EXIT
# shellcheck source=/dev/null
. "$here/cases/$case_name.sh"
true
