# kill -9 of "lalapanel install", and power cuts, at its durable writes: a second
# install completes it to exactly the machine that an undisturbed one makes.
# There are about 190 of them, and each costs a new host and two installations.
stride=18
[ -z "${LALAPANEL_E2E_EVERY_POINT:-}" ] || stride=1
first=1
[ "$suite" = bookworm ] || [ $stride = 1 ] || first=10
install=(lalapanel install --yes --hostname "$panel_name")

fresh() {
    use_fresh "$suite-stack"
    push_binary
    push_cutpoint
}
answers_ok() { is "$(outside curl -sk --max-time 2 "https://$address:8443/healthz" | tr -d '\n')" ok; }

fresh
old=$(machine)
on "${install[@]}" >/dev/null 2>&1
soon answers_ok
new=$(machine)

points() { # points before|after kill|powercut
    local side=$1 way=$2 n=$first where m bad=0 count=0
    while [ $n -lt 400 ]; do
        fresh
        where=$(stop_at "$side" "$n" alone "${install[@]}")
        [ "$where" != finished ] || break
        [ "$where" = reached ] || { echo "point $n: $where"; return 1; }
        count=$((count + 1))
        if [ "$way" = kill ]; then
            kill_held
        else
            "$here/host" powercut "$host"
            "$here/host" boot "$host" || true
            on test -x /usr/local/bin/lalapanel || push_binary # the file itself was perhaps not yet on the disk
        fi
        if on "${install[@]}" >"$logs/$suite.second-install.txt" 2>&1 && soon answers_ok; then
            m=$(machine)
            [ "$m" = "$new" ] || { echo "point $n: not the new machine"; diff <(echo "$new") <(echo "$m") | head -20; bad=$((bad + 1)); }
        else
            echo "point $n: the second install failed"
            tail -8 "$logs/$suite.second-install.txt"
            bad=$((bad + 1))
        fi
        [ $bad -lt 3 ] || break
        n=$((n + stride))
    done
    echo "install, $way $side: $count points, $bad wrong" | tee -a "$logs/$suite.crash-install.txt"
    [ $bad = 0 ] && [ $count -gt 3 ]
}
: >"$logs/$suite.crash-install.txt"
check "install killed before each of its durable writes is completed by a second one" points before kill
check "install with the power cut after each of its durable writes is completed by a second one" points after powercut
purged() { panel uninstall --purge --yes >/dev/null 2>&1; machine_is "$old"; }
check "and uninstall --purge takes all of it away again" purged
sed 's/^/      /' "$logs/$suite.crash-install.txt"
