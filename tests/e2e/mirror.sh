# A mirror of WordPress's archive (/root/archive.tar.gz) by HTTPS, on the host of a case (sourced), named in the panel's settings.
# shellcheck shell=bash
on apt-get -qq -y install openssl python3 >/dev/null 2>&1
on mkdir -p /root/mirror
"$here/host" push "$host" "$here/mirror.py" /root/mirror/mirror.py
sh_on '
    cd /root/mirror && mv /root/archive.tar.gz .
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.pem -days 30 -subj "/CN=test root" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj "/CN=mirror.example" 2>/dev/null
    printf "subjectAltName=DNS:mirror.example\n" >server.ext
    openssl x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -out server.pem -days 30 -extfile server.ext 2>/dev/null
    sha1sum <archive.tar.gz | cut -d" " -f1 >right
    echo x | sha1sum >wrong
    echo good >mode
    cp /etc/lalapanel/config.toml config.toml
    cp /etc/hosts hosts
    printf "\n[wordpress]\narchive_url = \"https://mirror.example:9443/latest.tar.gz\"\nca_file = \"/etc/lalapanel/test-root.pem\"\n" >>/etc/lalapanel/config.toml
    cp root.pem /etc/lalapanel/test-root.pem # the agent sees no home
    echo "127.0.0.1 mirror.example" >>/etc/hosts
    systemd-run -q --unit=mirror python3 /root/mirror/mirror.py /root/mirror 9443
    systemctl restart lalapanel-agent
'
mirror_serves() { on curl -fs --cacert /root/mirror/root.pem https://mirror.example:9443/latest.tar.gz.sha1; }
soon mirror_serves >/dev/null
soon panel status >/dev/null
