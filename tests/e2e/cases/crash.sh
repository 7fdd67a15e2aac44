# kill -9 of the agent, and power cuts of the whole host, at the journal's events (the
# durable writes to the state file) of "site create" and "site delete": afterwards the
# machine is exactly the old or exactly the new one, and the same operation succeeds.
#
# Odd events are taken as their write begins (the step before has acted), even ones when
# they are on the disk (their own step has not). The suites share the work: what the one
# kills, the other cuts the power of. LALAPANEL_E2E_EVERY_POINT=1: each suite does all.
stride=2
[ -z "${LALAPANEL_E2E_EVERY_POINT:-}" ] || stride=1
create=(lalapanel site create shop.example)
delete=(lalapanel site delete shop.example --yes)
report=$logs/$suite.crash.txt
: >"$report"

ready() { panel site list >/dev/null 2>&1; }
up_again() { # systemd would start it again after a second, and not for ever
    on systemctl reset-failed lalapanel-agent
    on systemctl start lalapanel-agent
    soon ready
}
fresh() {
    use_fresh "$suite-panel"
    push_cutpoint
    soon ready
}

# which OLD NEW: is the machine of now the old or the new one?
which() {
    local m
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

# one_point FROM TO SIDE N WAY: prints "finished" past the last event, else "old" or "new".
one_point() {
    local from=$1 to=$2 side=$3 n=$4 way=$5 where state
    where=$(stop_at "$side" "$n" journal "${forth[@]}")
    [ "$where" != finished ] || { echo finished; return; }
    [ "$where" = reached ] || { echo "$where"; return 1; }
    if [ "$way" = kill ]; then
        kill_held
        up_again || { echo "the agent does not come back"; return 1; }
    else
        "$here/host" powercut "$host"
        "$here/host" boot "$host" || { echo "the host does not boot"; return 1; }
        soon ready || { echo "the agent does not come back"; return 1; }
    fi
    state=$(which "$from" "$to") || { echo "$state"; return 1; }
    # The same again: to the new machine, or refused because it is the new one.
    if [ "$state" = old ]; then
        on "${forth[@]}" >/dev/null 2>&1 || { echo "the same operation fails"; return 1; }
    elif on "${forth[@]}" >/dev/null 2>&1; then
        echo "done twice"
        return 1
    fi
    on "${back[@]}" >/dev/null 2>&1 || { echo "the way back fails"; return 1; }
    echo "$state"
}

# points create|delete before|after kill|powercut
points() {
    local operation=$1 side=$2 way=$3 n said bad=0 old=0 new=0 t
    local -a forth=("${create[@]}") back=("${delete[@]}")
    local from=$without to=$with
    if [ "$operation" = delete ]; then
        forth=("${delete[@]}") back=("${create[@]}") from=$with to=$without
        on "${create[@]}" >/dev/null 2>&1
    fi
    t=$(now)
    n=1
    [ "$side" = before ] || n=$stride
    while [ $n -lt 200 ]; do
        if said=$(one_point "$from" "$to" "$side" $n "$way"); then
            case $said in
                old) old=$((old + 1)) ;;
                new) new=$((new + 1)) ;;
                finished) break ;;
            esac
        else
            printf 'event %s: %s\n' $n "$said"
            on lalapanel op list 2>&1 | head -5
            [ $((bad += 1)) -lt 3 ] || break
            fresh
            [ "$operation" = create ] || on "${create[@]}" >/dev/null 2>&1
        fi
        n=$((n + stride))
    done
    is "$(which "$from" "$to")" new
    [ "$operation" = delete ] || on "${delete[@]}" >/dev/null 2>&1
    echo "$operation, $way $side: $((old + new + bad)) events, $old ended old, $new new, $bad wrong, $(since "$t") s" | tee -a "$report"
    [ $bad = 0 ] && [ $((old + new)) -gt 3 ]
}

fresh
without=$(machine)
on "${create[@]}" >/dev/null 2>&1
with=$(machine)
on "${delete[@]}" >/dev/null 2>&1
before=kill after=powercut
[ "$suite" = bookworm ] || before=powercut after=kill
for operation in create delete; do
    check "$before before every other journal event of site $operation: the old or the new machine" points $operation before $before
    check "$after after every other journal event of site $operation: the old or the new machine" points $operation after $after
    [ -n "${LALAPANEL_E2E_EVERY_POINT:-}" ] || continue
    check "$after before every other journal event of site $operation: the old or the new machine" points $operation before $after
    check "$before after every other journal event of site $operation: the old or the new machine" points $operation after $before
done
sed 's/^/      /' "$report"
