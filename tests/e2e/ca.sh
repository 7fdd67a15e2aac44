# A certificate authority (Pebble) on the host of a case (sourced); every name leads to the host itself.
# shellcheck shell=bash
on apt-get -qq -y install pebble python3 >/dev/null 2>&1

# Pebble speaks HTTPS with a certificate of its own authority, and asks our resolver where names are.
sh_on '
    mkdir -p /root/ca && cd /root/ca
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.pem -days 30 -subj "/CN=test root" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.csr -subj "/CN=ca.example" 2>/dev/null
    printf "subjectAltName=DNS:ca.example,IP:127.0.0.1\n" >ca.ext
    openssl x509 -req -in ca.csr -CA root.pem -CAkey root.key -CAcreateserial -out ca.pem -days 30 -extfile ca.ext 2>/dev/null
    openssl genrsa -out account.key 2048 2>/dev/null
    grep -q ca.example /etc/hosts || echo "127.0.0.1 ca.example" >>/etc/hosts
    write() { # write FILE BINDING [PORT [MANAGEMENT]]
        printf "%s" "{\"pebble\":{\"listenAddress\":\"127.0.0.1:${3:-14000}\",\"managementListenAddress\":\"127.0.0.1:${4:-15000}\",
            \"certificate\":\"/root/ca/ca.pem\",\"privateKey\":\"/root/ca/ca.key\",\"httpPort\":80,\"tlsPort\":443,
            \"ocspResponderURL\":\"\",\"externalAccountBindingRequired\":$2,
            \"externalAccountMACKeys\":{\"kid-1\":\"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\"},
            \"certificateValidityPeriod\":7776000,\"profiles\":{\"default\":{\"description\":\"\",\"validityPeriod\":7776000}}}}" >"$1"
    }
    write plain.json false
    write bound.json true
    write second.json true 14001 15001
'
ca_up() { # ca_up [CONFIG] [VARIABLE=VALUE...]: a new Pebble, with an empty memory
    local config=${1:-plain}
    shift $(($# > 0 ? 1 : 0))
    sh_on 'CA_DNS='"${ca_dns:-}"'
        systemctl stop pebble names 2>/dev/null || true
        systemctl reset-failed pebble names 2>/dev/null || true
        config=$1; shift
        flag=-dns01; pebble-challtestsrv -help 2>&1 | grep -q dnsserver && flag=-dnsserver
        systemd-run -q --unit=names pebble-challtestsrv -defaultIPv6 "" -defaultIPv4 127.0.0.1 $flag 127.0.0.1:8053 \
            -http01 "" -https01 "" -tlsalpn01 "" -management 127.0.0.1:8055
        set -- PEBBLE_VA_NOSLEEP=1 "$@"
        systemd-run -q --unit=pebble $(printf " --setenv=%s" "$@") pebble -config /root/ca/$config.json -dnsserver "${CA_DNS:-127.0.0.1:8053}"
        for i in $(seq 100); do
            curl -s --cacert /root/ca/root.pem https://ca.example:14000/dir >/dev/null && exit
            sleep 0.2
        done
        exit 1
    ' "$config" "$@"
}
second_up() { # a second authority beside the first: it wants an external account
    sh_on '
        systemd-run -q --unit=pebble2 --setenv=PEBBLE_VA_NOSLEEP=1 pebble -config /root/ca/second.json -dnsserver 127.0.0.1:8053
        for i in $(seq 100); do
            curl -s --cacert /root/ca/root.pem https://ca.example:14001/dir >/dev/null && exit
            sleep 0.2
        done
        exit 1
    '
}
