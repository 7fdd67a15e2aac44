# Hostnames that must be refused, or understood, before anything changes.
# Runs on one suite.
use_fresh "$suite-panel"
long=$(printf 'a%.0s' {1..60}).$(printf 'b%.0s' {1..60}).$(printf 'c%.0s' {1..60}).$(printf 'd%.0s' {1..60}).example12
while IFS='|' read -r code hostname why; do
    check "$why is refused ($code)" refused 1 "$code" site create "$hostname"
done <<EOF
site.hostname_invalid|shop example|a name with a space
site.hostname_invalid| |a name of one space
site.hostname_invalid|$long.example|a name of more than 253 characters
site.hostname_invalid|$(printf 'a%.0s' {1..64}).example|a label of 64 characters
site.hostname_invalid|a..example|a name with two dots
site.hostname_invalid|..|two dots
site.hostname_invalid|../etc|a path
site.hostname_invalid|a/b.example|a name with a slash
site.hostname_invalid|shop.example;return 200|a name that would close an nginx directive
site.hostname_invalid|{a}.example|a name with braces
site.hostname_invalid|\$host.example|a name with a dollar sign
site.hostname_invalid|"a".example|a name with quotes
site.hostname_invalid|*.example|a wildcard
site.hostname_invalid|a.-b.example|a label that begins with a hyphen
site.hostname_invalid|a_b.example|an underscore
site.hostname_invalid|192.0.2.7|an IPv4 address
site.hostname_invalid|2001:db8::7|an IPv6 address
site.hostname_invalid|[2001:db8::7]|an IPv6 address in brackets
site.hostname_invalid|xn--a.example|a broken A-label
site.hostname_reserved|$panel_name|the panel's own name
EOF
newline() { refused 1 site.hostname_invalid site create $'a.example\nreturn 200;'; }
check "a name with a line break is refused (site.hostname_invalid)" newline
nothing() { local code=0; panel site create "" --json || code=$?; matches "$code" '^[12]$'; }
check "an empty name is refused" nothing
own_address() { local code=0; panel site create "$address" --json || code=$?; is "$code" 1; }
check "the server's own address is refused" own_address

upper() {
    panel site create Shop.EXAMPLE
    answers shop.example 200
    is "$(panel_json '.sites[0].hostname' site list)" shop.example
    is "$(panel_json .hostname site show SHOP.example)" shop.example
}
check "uppercase is the same name in lowercase" upper
check "and then taken in any spelling" refused 1 site.hostname_taken site create sHop.example
dot() { # a trailing dot is the same name written out; refusing it is as good, serving two is not
    refused 1 site.hostname_taken site create shop.example. || refused 1 site.hostname_invalid site create shop.example.
}
check "a trailing dot makes no second site" dot
idn() {
    panel site create "bücher.example"
    answers xn--bcher-kva.example 200
    sh_on '[ -d /var/www/xn--bcher-kva.example/htdocs ]'
}
check "an international name is served under its A-label" idn
check "and is taken in either spelling" refused 1 site.hostname_taken site create xn--bcher-kva.example

foreign() {
    sh_on 'mkdir -p /srv/own && echo mine >/srv/own/index.html
        printf "server { listen 80; server_name foreign.example www.foreign.example; root /srv/own; }\n" >/etc/nginx/conf.d/own.conf
        nginx -t && nginx -s reload'
    soon answers foreign.example 200
    refused 1 site.hostname_foreign site create foreign.example
    refused 1 site.hostname_foreign site create www.foreign.example
    is "$(visit foreign.example /)" mine
}
check "a name that a foreign nginx file serves is refused" foreign
check "a PHP version that is not installed is refused" refused 1 php.not_installed site create new.example --php 7.4
directory() {
    on mkdir /var/www/there.example
    refused 1 site.directory_exists site create there.example
    on rmdir /var/www/there.example
}
check "a folder that is already there is not taken over" directory
usage() {
    local code=0
    panel site create 2>/dev/null || code=$?
    is $code 2
    code=0
    panel site frobnicate 2>/dev/null || code=$?
    is $code 2
    code=0
    panel site create new.example --type frobnicate 2>/dev/null || code=$?
    is $code 2
}
check "a wrong command line is exit code 2" usage
plain_error() {
    local out
    out=$(panel site create shop.example 2>&1 >/dev/null || true)
    matches "$out" '^error\[site\.hostname_taken\]: '
    matches "$out" 'hint: '
    is "$(panel site create shop.example 2>/dev/null || true)" ""
}
check "an error names its code and a hint, on stderr" plain_error
