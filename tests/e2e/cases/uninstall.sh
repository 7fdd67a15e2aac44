# install and uninstall --purge on a server with the packages leave it as it was.
use_fresh "$suite-stack"
before=$(machine)
packages=$(on dpkg-query -W -f '${Package} ${Version}\n')
push_binary
there_and_back() {
    panel install --yes --hostname "$panel_name" >/dev/null 2>&1
    panel site create shop.example
    answers shop.example 200
    panel site set shop.example web.cache=micro web.cache_seconds=600
    answers shop.example 200
    on sh -c 'test -n "$(find /var/cache/lalapanel -type f)"' # a page is kept
    panel uninstall --purge --yes
    machine_is "$before"
    same "$packages" "$(on dpkg-query -W -f '${Package} ${Version}\n')"
}
check "install, a site, uninstall --purge: the machine is the one before" there_and_back
no_panel() { local code=0; push_binary; panel uninstall --yes --json >/dev/null 2>&1 || code=$?; matches $code '^[01]$'; machine_is "$before"; }
check "uninstall where there is nothing changes nothing" no_panel
