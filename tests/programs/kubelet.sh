# A kubelet in small: two containers in control groups of pods, two execs of the same command, an attach, and the API server's log of them.
# kubelet.sh GROUP_OF_WEB GROUP_OF_DB LOG SCRATCH
set -eu
web=$1 db=$2 log=$3 scratch=$4
uid_web=6f1b2c3d-0000-4abc-9def-0123456789ab uid_db=6f1b2c3d-0000-4abc-9def-0123456789cd
container() { basename "$1" | sed 's/^cri-containerd-//; s/\.scope$//'; }
now() { date -u +%Y-%m-%dT%H:%M:%S.%6NZ; }
# ID STAGE VERB USER ADDRESS POD SUBRESOURCE QUERY RECEIVED MORE
say() {
    printf '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"%s","stage":"%s","requestURI":"/api/v1/namespaces/prod/pods/%s%s%s","verb":"%s","user":{"username":"%s"},"sourceIPs":["%s"],"userAgent":"kubectl/v1.33.1","objectRef":{"resource":"pods","namespace":"prod","name":"%s","apiVersion":"v1"%s},%s"requestReceivedTimestamp":"%s","stageTimestamp":"%s"}\n' \
        "$1" "$2" "$6" "${7:+/$7}" "$8" "$3" "$4" "$5" "$6" "${7:+,\"subresource\":\"$7\"}" "${10}" "$9" "$(now)" >> "$log"
}
pod() {
    printf '"responseStatus":{"code":200},"responseObject":{"kind":"Pod","metadata":{"name":"%s","namespace":"prod","uid":"%s"},"status":{"containerStatuses":[{"name":"main","containerID":"containerd://%s"}]}},' "$1" "$2" "$3"
}
enter() { echo "$BASHPID" > "$1/cgroup.procs"; }
upgraded='"responseStatus":{"code":101},'

mkfifo "$scratch/in" "$scratch/out"
# What the container itself does is nobody's session, but for what it does while somebody is attached.
(enter "$web"; exec sh -c "cat /etc/hosts; read line < $scratch/in; ls /; echo done > $scratch/out; read line < $scratch/in") > /dev/null &
main=$!
( enter "$db"; exec sh -c "cat /etc/hosts" ) > /dev/null

look() { say "00000000-0000-4000-8000-0000000000$1" ResponseComplete get "$2" "$3" "$4" "" "" "$(now)" "$(pod "$4" "$5" "$(container "$6")")"; }
look 01 alice 192.0.2.10 web-1 $uid_web "$web"
look 02 bob 192.0.2.20 db-0 $uid_db "$db"

command='cat /etc/passwd | wc -l; bash -c "exec 3<>/dev/tcp/127.0.0.1/9"; exit 0'
query='?command=sh&command=-c&command=cat+%2Fetc%2Fpasswd+%7C+wc+-l%3B+bash+-c+%22exec+3%3C%3E%2Fdev%2Ftcp%2F127.0.0.1%2F9%22%3B+exit+0&container=main'
# ID USER ADDRESS POD GROUP
run() {
    local id=00000000-0000-4000-8000-0000000000$1 received
    received=$(now)
    say "$id" RequestReceived get "$2" "$3" "$4" exec "$query" "$received" ""
    say "$id" ResponseStarted get "$2" "$3" "$4" exec "$query" "$received" "$upgraded"
    ( enter "$5"; exec unshare --mount --uts --ipc --pid --fork sh -c "$command" ) > /dev/null 2>&1
    say "$id" ResponseComplete get "$2" "$3" "$4" exec "$query" "$received" "$upgraded"
}
run 10 alice 192.0.2.10 web-1 "$web" & one=$!
run 20 bob 192.0.2.20 db-0 "$db" & two=$!
wait $one $two

received=$(now)
say 00000000-0000-4000-8000-000000000030 ResponseStarted get carol 192.0.2.30 web-1 attach '?container=main&stdin=true' "$received" "$upgraded"
echo > "$scratch/in"
read -r line < "$scratch/out"
say 00000000-0000-4000-8000-000000000030 ResponseComplete get carol 192.0.2.30 web-1 attach '?container=main&stdin=true' "$received" "$upgraded"
echo > "$scratch/in"
wait $main
