# What cases are written with (sourced). $suite and $host say where they act.
# shellcheck shell=bash
panel_name=panel.example

php_version() { case $suite in bookworm) echo 8.2 ;; *) echo 8.4 ;; esac; }

# ---- hosts ---------------------------------------------------------------------------

hosts_of_case=()
case_name=${case_name:-setup}

# use IMAGE [LABEL] [boot options]: a new booted host from that image becomes $host.
use_fresh() {
    local image=$1 label=${2:-$case_name}
    shift $(($# > 1 ? 2 : 1))
    host=${suite:0:1}-${label//_/-}
    [ ! -d "$dir/hosts/$host" ] || "$here/host" destroy "$host"
    "$here/host" make "$image" "$host"
    hosts_of_case+=("$host")
    "$here/host" boot "$host" "$@"
    address=$("$here/host" ip "$host")
}
drop() { "$here/host" destroy "$host"; }
push_binary() { "$here/host" push "$host" "$LALAPANEL_BINARY" /usr/local/bin/lalapanel; }

on() { "$here/host" run "$host" -- "$@"; }
sh_on() { "$here/host" run "$host" -- bash -euc "$1" bash "${@:2}"; }
panel() { on lalapanel "$@"; }
put() { on sh -c 'mkdir -p "$(dirname "$1")" && cat >"$1"' sh "$1"; } # put PATH <text

# ---- from outside -----------------------------------------------------------------------

outside() { "$here/host" net -- "$@"; }
# visit HOSTNAME PATH [curl options]: the body; status: only the number (000: no answer)
visit() { outside curl -s --max-time 5 --path-as-is -H "Host: $1" "${@:3}" "http://$address$2"; }
status() { visit "$1" "$2" -o /dev/null -w '%{http_code}' "${@:3}" || true; }
# nginx's reload returns before the new workers serve: look for up to 3 s.
soon() {
    local i
    for i in $(seq 30); do "$@" && return; sleep 0.1; done
    return 1
}
# What a busy machine takes its time for: look for up to 30 s.
patiently() {
    local i
    for i in $(seq 60); do "$@" && return; sleep 0.5; done
    echo "not so after $i looks"
    return 1
}
answers() { is "$(status "$1" "${3:-/}")" "$2"; } # answers HOSTNAME STATUS [PATH]

# ---- checks -----------------------------------------------------------------------------

# check SENTENCE COMMAND...: one result: every line of a function must succeed, but not
# of one called by "soon", "not", "if", "&&" or "||". Never ends the case.
check() {
    local sentence=$1 code=0 log t
    shift
    log=$(mktemp)
    t=$(now)
    # Not "(…) || code=$?": there bash ignores "set -e" and looks at the last command only.
    (set -e; "$@") >"$log" 2>&1 </dev/null
    code=$?
    if [ $code = 0 ]; then
        printf 'ok    %s/%s: %s (%s s)\n' "$suite" "$case_name" "$sentence" "$(since "$t")" | tee -a "$results"
    else
        printf 'FAIL  %s/%s: %s (exit %s)\n' "$suite" "$case_name" "$sentence" $code | tee -a "$results"
        tail -n 15 "$log" | sed 's/^/      | /' | tee -a "$results"
    fi
    rm -f "$log"
}
is() { [ "$1" = "$2" ] || { printf 'is:       %s\nexpected: %s\n' "$1" "$2"; return 1; }; }
matches() { [[ $1 =~ $2 ]] || { printf 'is:              %s\nexpected to have %s\n' "$1" "$2"; return 1; }; }
lacks() { ! [[ $1 =~ $2 ]] || { printf 'is:                  %s\nexpected not to have %s\n' "$1" "$2"; return 1; }; }
not() { ! "$@"; }

# panel_json EXPRESSION ARGUMENTS...: run with --json, print what jq makes of stdout.
panel_json() { panel "${@:2}" --json 2>/dev/null | jq -er "$1"; }

# refused EXIT CODE ARGUMENTS...: the verb ends so, with that error code, and neither
# the machine nor the list of sites is another one afterwards.
refused() {
    local want_exit=$1 want_code=$2 out exit_code=0 before after
    shift 2
    before=$(machine)
    out=$(panel "$@" --json 2>/dev/null) || exit_code=$?
    after=$(machine)
    is "$exit_code" "$want_exit" && is "$(jq -r .error.code <<<"$out")" "$want_code" || { echo "$out"; return 1; }
    [ -n "$(jq -r '.error.title // empty' <<<"$out")" ] || { echo "no title: $out"; return 1; }
    same "$before" "$after"
}
# machine_is TEXT: the machine is that one, at once or within 5 s: what a deletion left is
# destroyed in the background.
machine_is() {
    local i m
    for i in $(seq 10); do
        m=$(machine)
        [ "$m" != "$1" ] || return 0
        sleep 0.5
    done
    same "$1" "$m" # what differs, after $i looks
}
same() { [ "$1" = "$2" ] || { diff <(echo "$1") <(echo "$2") | head -40; return 1; }; }

# ---- the machine as a text ----------------------------------------------------------------

# machine: files with owner, mode and content, users, groups, units and answers; two
# machines are the same if this text is. Left out is what differs by nature: contents
# of /var/lib/lalapanel and /etc/lalapanel (keys) and of logs, backups of passwd,
# keys of accounts at certificate authorities (made when an order first needs one), the
# numbers of site users (s0007 and its uid: a number is not used twice), and which
# operation was nginx's last (but what it runs must be what the marker file says).
machine() {
    sh_on '
        cd /
        left_out="^(etc/(passwd|shadow|group|gshadow|subuid|subgid)-?|etc/(\.pwd\.lock|mtab|ld\.so\.cache|machine-id|resolv\.conf|adjtime)|var/lib/lalapanel/(state\.redb.*|authorities(/.*)?)|usr/local/bin/lalapanel)( |$)"
        find etc var/www var/lib/lalapanel var/log/lalapanel var/cache/nginx usr/local usr/lib/systemd/system \
            usr/lib/sysusers.d usr/lib/tmpfiles.d -printf "%p %y %u:%g %m %l\n" 2>/dev/null | grep -vE "$left_out" | sort
        [ ! -e var/cache/lalapanel ] || echo "the page cache is there"
        find etc var/www usr/local usr/lib/systemd/system usr/lib/sysusers.d usr/lib/tmpfiles.d \
            -path etc/lalapanel -prune -o -type f -print0 2>/dev/null | grep -zvE "$left_out" | sort -z |
            grep -zvE "^etc/(nginx/(conf.d/lalapanel-marker.conf$|sites-available/)|systemd/system/lalapanel-php-)" |
            xargs -0 sha256sum | cut -c1-16,65-
        for f in etc/nginx/sites-available/* etc/systemd/system/lalapanel-php-*; do
            [ ! -f "$f" ] || echo "$(sed -E "s/\bs[0-9]{4}\b/sNNNN/g" "$f" | sha256sum | cut -c1-16)  $f"
        done
        if [ -S /run/lalapanel/nginx.sock ] && [ -e etc/nginx/conf.d/lalapanel-marker.conf ]; then
            runs=$(curl -s --max-time 5 --unix-socket /run/lalapanel/nginx.sock http://lalapanel-marker.invalid/generation || echo nothing)
            grep -qF "$runs" etc/nginx/conf.d/lalapanel-marker.conf && echo "nginx runs what is on the disk" || echo "nginx runs $runs"
        fi
        getent passwd | cut -d: -f1,3-7 | sed "s/^/user /"
        getent group | sed "s/^/group /"
        if [ -d /run/systemd/system ]; then
            systemctl list-unit-files --no-legend --no-pager | awk "{ print \"unit\", \$1, \$2 }" |
                grep -E "lalapanel|nginx|php|mariadb|mysql"
            systemctl list-units --no-legend --no-pager --plain --state=active --type=service,socket,timer |
                awk "{ print \"active\", \$1 }" | grep -E "lalapanel|nginx|php|mariadb" |
                grep -vE "lalapanel-(php-s[0-9]+|web|courier)\.service" || true
        fi
    ' | sed -E 's/\bs[0-9]{4}\b/sNNNN/g; s/^(user sNNNN:)[0-9]+:[0-9]+/\1N:N/; s/^(group sNNNN:[^:]*:)[0-9]+/\1N/'
    echo "shop.example answers $(status shop.example /)"
}

# A page that says who runs it.
who_php='<?php $u = posix_getpwuid(posix_geteuid()); echo "PHP ", PHP_VERSION, " as ", $u["name"], "\n";'

# ---- crashes --------------------------------------------------------------------------------

push_cutpoint() {
    locked sh -ec '[ "$1" -nt "$0" ] || gcc -O1 -static -o "$1" "$0"' "$here/cutpoint.c" "$dir/cutpoint"
    "$here/host" push "$host" "$dir/cutpoint" /root/cutpoint
    on sync # or the first power cut takes it
}

# stop_at before|after N agent|journal|alone COMMAND...: run a command until the agent (or
# that command itself) is at its Nth durable write (journal: to the state file), where it
# is held. Prints "reached", or "finished" where there were fewer.
stop_at() {
    sh_on '
        side=$1 n=$2 whose=$3
        shift 3
        : >/run/cut.out
        [ "$whose" != journal ] || export CUTPOINT_FILE=/state.redb
        if [ "$whose" != alone ]; then
            pid=$(systemctl show -p MainPID --value lalapanel-agent)
            setsid /root/cutpoint "$side" "$n" -p "$pid" >/run/cut.out 2>&1 </dev/null &
            watcher=$!
            until grep -q ^watching /run/cut.out; do
                kill -0 $watcher 2>/dev/null || { echo "nobody watches: $(cat /run/cut.out)"; exit; }
                sleep 0.01
            done
            setsid "$@" >/run/op.out 2>&1 </dev/null &
            last=$!
        else
            setsid /root/cutpoint "$side" "$n" -- "$@" >/run/cut.out 2>&1 </dev/null &
            last=$!
        fi
        for i in $(seq 6000); do
            if grep -q ^reached /run/cut.out; then echo reached; exit; fi
            if ! kill -0 $last 2>/dev/null; then
                sleep 0.02
                if grep -q ^reached /run/cut.out; then echo reached; else echo finished; pkill -9 -x cutpoint || true; fi
                exit
            fi
            sleep 0.01
        done
        echo "nothing happened in 60 s"
    ' "$@"
}
# kill_held: kill -9 the held process, and only then its holder.
# The command line, if it still waits, is ended as well; the agent and the web process have other parents.
kill_held() {
    sh_on 'held=$(sed -n "s/^watching //p" /run/cut.out); kill -9 $held; pkill -9 -x cutpoint
        pkill -9 -f "^lalapanel site" || true' || true
}

# points EVERY BACK COMMAND...: the agent is killed (trixie), or the power cut (bookworm),
# after every EVERYth durable write of that command: afterwards the machine is $from or $to,
# exactly. BACK is a function that leads from $to to $from.
points() {
    local every=$1 back=$2 n=4 said state
    shift 2
    while [ $n -lt 120 ]; do
        said=$(stop_at after "$n" journal "$@")
        if [ "$said" = finished ]; then
            "$back"
            break
        fi
        is "$said" reached
        if [ "$suite" = trixie ]; then
            kill_held
            on systemctl start lalapanel-agent
        else
            "$here/host" powercut "$host"
            "$here/host" boot "$host"
        fi
        patiently ready
        state=$(machine)
        if [ "$state" != "$from" ] && [ "$state" != "$to" ]; then
            echo "event $n:"
            diff <(echo "$from") <(echo "$state") | head -20
            return 1
        fi
        echo "event $n: $([ "$state" = "$from" ] && echo old || echo new)"
        [ "$state" = "$from" ] || "$back"
        n=$((n + every))
    done
    [ $n -gt 15 ]
    patiently answers shop.example 200 /who.php
}
