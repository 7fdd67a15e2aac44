# Servers that install must refuse, with a reason, and leave as they are.
# Runs on one suite.
use_fresh "$suite"
push_binary
before=$(machine)
refuses() { # refuses CODE [COMMAND PREFIX...]
    local want=$1 out code=0
    shift
    out=$(on "$@" lalapanel install --yes --hostname "$panel_name" --json 2>"$logs/$suite.preflight.err") || code=$?
    is "$code" 1
    is "$(jq -r .error.code <<<"$out")" "$want"
    [ -n "$(jq -r '.error.hint // empty' <<<"$out")" ]
    machine_is "$before"
}
not_root() {
    on chmod 755 /usr/local/bin/lalapanel
    refuses install.not_root setpriv --reuid=nobody --regid=nogroup --clear-groups
}
check "without root it is refused" not_root
other_distribution() {
    sh_on 'cp -L /etc/os-release /root/os-release; rm /etc/os-release; sed -e "s/^ID=.*/ID=fedora/" -e "s/^VERSION_ID=.*/VERSION_ID=44/" -e /ID_LIKE/d /root/os-release >/etc/os-release'
    before=$(machine)
    refuses install.unsupported
    sh_on 'sed -e "s/^VERSION_ID=.*/VERSION_ID=\"10\"/" -e "s/^VERSION_CODENAME=.*/VERSION_CODENAME=buster/" /root/os-release >/etc/os-release'
    before=$(machine)
    refuses install.unsupported
    sh_on 'ln -sf ../usr/lib/os-release /etc/os-release'
    before=$(machine)
}
check "another distribution, or too old a one, is refused" other_distribution
no_lists() {
    sh_on 'mv /etc/apt/sources.list.d /root/; mkdir /etc/apt/sources.list.d; rm -rf /var/lib/apt/lists/*'
    before=$(machine)
    refuses install.apt_lists
    sh_on 'rmdir /etc/apt/sources.list.d; mv /root/sources.list.d /etc/apt/'
    before=$(machine)
}
check "without any package list it is refused" no_lists
half_configured() {
    sh_on 'mkdir -p /root/p/DEBIAN; printf "Package: half\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example>\nDescription: x\n" >/root/p/DEBIAN/control
        printf "#!/bin/sh\nexit 1\n" >/root/p/DEBIAN/postinst; chmod 755 /root/p/DEBIAN/postinst; dpkg-deb -b /root/p /root/half.deb >/dev/null; dpkg -i /root/half.deb >/dev/null 2>&1 || true'
    before=$(machine)
    refuses install.apt_broken
    sh_on 'dpkg -P half >/dev/null'
    before=$(machine)
}
check "a half-configured package is named and refused" half_configured
small_disk() {
    sh_on 'fallocate -l "$(($(df --output=avail -B1 / | tail -1) - 200000000))" /root/filler'
    refuses install.disk
    on rm /root/filler
}
check "too small a disk is refused" small_disk
port_taken() {
    sh_on 'apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install apache2 </dev/null >/dev/null 2>&1; systemctl is-active apache2'
    before=$(machine)
    refuses install.port_taken
    matches "$(cat "$logs/$suite.preflight.err") $(panel install --yes --json 2>/dev/null | jq -r '.error | tostring')" apache
    matches "$(outside curl -s --max-time 5 "http://$address/")" Apache
}
check "a port 80 that Apache holds is refused, and Apache is named and goes on" port_taken
panel_port() {
    sh_on 'systemctl disable -q --now apache2; (setsid busybox nc -lk -p 8443 -e true </dev/null >/dev/null 2>&1 || setsid python3 -m http.server 8443 </dev/null >/dev/null 2>&1) & sleep 0.5; ss -Hltn "sport = :8443" | grep -q .' || {
        sh_on 'DEBIAN_FRONTEND=noninteractive apt-get -qq -y install python3-minimal busybox </dev/null >/dev/null 2>&1
            (setsid busybox httpd -p 8443 </dev/null >/dev/null 2>&1 &); sleep 0.5; ss -Hltn "sport = :8443" | grep -q .'
    }
    before=$(machine)
    refuses install.port_taken
}
check "a taken panel port is refused" panel_port
"$here/host" stop "$host"
"$here/host" boot "$host" --memory 160M
before=$(machine)
memory() { # the host's own limit, as in a container, or what /proc/meminfo says
    local out code=0
    out=$(panel install --yes --hostname "$panel_name" --json 2>/dev/null) || code=$?
    is $code 1
    is "$(jq -r .error.code <<<"$out")" install.memory
    machine_is "$before"
}
# /proc/meminfo here is the machine's: give the host one of a small server's.
sh_on 'sed -e "s/^MemTotal:.*/MemTotal: 120000 kB/" -e "s/^MemAvailable:.*/MemAvailable: 20000 kB/" -e "s/^MemFree:.*/MemFree: 9000 kB/" -e "s/^SwapFree:.*/SwapFree: 0 kB/" -e "s/^SwapTotal:.*/SwapTotal: 0 kB/" /proc/meminfo >/root/meminfo; mount --bind /root/meminfo /proc/meminfo'
check "without memory it is refused" memory
