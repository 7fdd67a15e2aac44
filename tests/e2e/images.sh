#!/bin/bash
# Makes the images SUITE-stack and SUITE-panel for $suite (run starts this).
# The first is kept between runs while "packages" stays the same; the second is made
# from this run's binary, with its output kept beside it for the case "install".
. "$(dirname "$0")/lib.sh"
. "$here/checks.sh"
version=$(php_version)

stack_stamp=$dir/images/$suite-stack.stamp
stamp=$(cat "$here/packages" <(stat -c %Y "$dir/images/$suite.img") | sha256sum)
if [ "$(cat "$stack_stamp" 2>/dev/null)" != "$stamp" ] || [ ! -f "$dir/images/$suite-stack.img" ]; then
    use_fresh "$suite" make-stack
    sh_on "export DEBIAN_FRONTEND=noninteractive; apt-get -qq update
        apt-get -qq -y install nginx php$version-{fpm,cli,mysql,xml,mbstring,curl,gd,intl,zip,bcmath,soap,readline,opcache} \
            mariadb-server mariadb-client libnginx-mod-http-brotli-{filter,static} logrotate acl strace </dev/null; sync"
    "$here/host" stop "$host"
    "$here/host" save "$host" "$suite-stack"
    "$here/host" destroy "$host"
    echo "$stamp" >"$stack_stamp"
fi

use_fresh "$suite-stack" make-panel
"$here/host" push "$host" "$LALAPANEL_BINARY" /usr/local/bin/lalapanel
panel install --yes --hostname "$panel_name" >"$dir/images/$suite-panel.stdout" 2>"$dir/images/$suite-panel.stderr" || {
    cat "$dir/images/$suite-panel.stdout" "$dir/images/$suite-panel.stderr"
    die "lalapanel install failed"
}
"$here/host" stop "$host"
"$here/host" save "$host" "$suite-panel"
"$here/host" destroy "$host"
