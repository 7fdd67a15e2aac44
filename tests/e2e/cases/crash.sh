# kill -9 of the agent, and power cuts of the whole host, at the durable writes of
# "site create" and "site delete" (the journal's events among them): afterwards the
# machine is exactly the old or exactly the new one. The suites take turns at the
# points; LALAPANEL_E2E_EVERY_POINT=1 makes each suite take all.
stride=2
[ -z "${LALAPANEL_E2E_EVERY_POINT:-}" ] || stride=1
first=1
[ "$suite" = bookworm ] || [ $stride = 1 ] || first=2

create=(lalapanel site create shop.example)
delete=(lalapanel site delete shop.example --yes)
ready() { panel site list >/dev/null 2>&1; }
long_ready() { local i; for i in 1 2 3 4 5 6; do soon ready && return; done; return 1; }

fresh() {
    use_fresh "$suite-panel"
    push_cutpoint
    # The panel's own work after a start must not be taken for the operation's.
    long_ready
}

# after_crash OLD NEW: which of the two machines is it?
after_crash() {
    local m
    long_ready || { echo "the agent does not come back"; on journalctl -u lalapanel-agent -n 20 --no-pager 2>/dev/null; return 1; }
    m=$(machine)
    if [ "$m" = "$1" ]; then
        echo old
    elif [ "$m" = "$2" ]; then
        echo new
    else
        echo "neither old nor new; against the old:"
        diff <(echo "$1") <(echo "$m") | head -20
        echo "against the new:"
        diff <(echo "$2") <(echo "$m") | head -20
        return 1
    fi
}

# points OPERATION before|after kill|powercut
points() {
    local operation=$1 side=$2 way=$3 n=$first state where bad=0 count=0 olds=0
    fresh
    local -a forth=("${create[@]}") back=("${delete[@]}")
    local without with from to
    without=$(machine)
    on "${create[@]}" >/dev/null 2>&1
    with=$(machine)
    if [ "$operation" = delete ]; then
        forth=("${delete[@]}") back=("${create[@]}") from=$with to=$without
    else
        on "${delete[@]}" >/dev/null 2>&1
        from=$without to=$with
    fi
    while [ $n -lt 400 ]; do
        where=$(stop_at "$side" "$n" agent "${forth[@]}")
        if [ "$where" = finished ]; then
            is "$(after_crash "$from" "$to")" new
            break
        fi
        [ "$where" = reached ] || { echo "point $n: $where"; return 1; }
        count=$((count + 1))
        if [ "$way" = kill ]; then
            kill_held
        else
            "$here/host" powercut "$host"
            "$here/host" boot "$host" || { echo "point $n: the host does not boot"; bad=$((bad + 1)); fresh; n=$((n + stride)); continue; }
        fi
        if state=$(after_crash "$from" "$to"); then
            [ "$state" != old ] || olds=$((olds + 1))
            [ "$state" != new ] || on "${back[@]}" >/dev/null 2>&1
        else
            echo "point $n: $state"
            panel op list 2>&1 | head -5
            bad=$((bad + 1))
            [ $bad -lt 3 ] || break
            fresh
            [ "$operation" = create ] || on "${create[@]}" >/dev/null 2>&1
        fi
        n=$((n + stride))
    done
    echo "$operation, $way $side: $count points, $olds ended in the old machine, $bad wrong" | tee -a "$logs/$suite.crash.txt"
    [ $bad = 0 ] && [ $count -gt 3 ]
}
: >"$logs/$suite.crash.txt"
check "killed before each durable write of a create, it is the old or the new machine" points create before kill
check "killed after each durable write of a create, it is the old or the new machine" points create after kill
check "killed before each durable write of a delete, it is the old or the new machine" points delete before kill
check "killed after each durable write of a delete, it is the old or the new machine" points delete after kill
check "power cut before each durable write of a create: the old or the new machine" points create before powercut
check "power cut after each durable write of a create: the old or the new machine" points create after powercut
check "power cut before each durable write of a delete: the old or the new machine" points delete before powercut
check "power cut after each durable write of a delete: the old or the new machine" points delete after powercut
sed 's/^/      /' "$logs/$suite.crash.txt"
