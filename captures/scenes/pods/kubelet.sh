set -eu
uid=6f1b2c3d-0000-4abc-9def-0123456789ab
pod=/sys/fs/cgroup/kubepods.slice/kubepods-pod${uid//-/_}.slice
# 64 digits, as a runtime's ids have.
of() { local zeros; printf -v zeros '%064d' 0; printf '%s' "${zeros//0/$1}"; }
main=$(of a) debugger=$(of d)
now() { printf -v now '%(%Y-%m-%dT%H:%M:%S)T.%sZ' "${EPOCHREALTIME%.*}" "${EPOCHREALTIME#*.}"; }
# STAGE: a stage of the request that id, user, address, verb, what and query tell of; MORE is what else the event has.
say() {
    now
    printf '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"%s","stage":"%s","requestURI":"/api/v1/namespaces/prod/pods/web-1%s","verb":"%s","user":{"username":"%s","groups":["system:authenticated"]},"sourceIPs":["%s"],"userAgent":"kubectl/v1.33.1","objectRef":{"resource":"pods","namespace":"prod","name":"web-1","apiVersion":"v1"%s},%s"requestReceivedTimestamp":"%s","stageTimestamp":"%s"}\n' \
        "$id" "$1" "${what:+/$what}$query" "$verb" "$user" "$address" "${what:+,\"subresource\":\"$what\"}" "${2-}" "$received" "$now" >> audit.log
}
begin() { id=00000000-0000-4000-8000-0000000000$1 user=$2 address=$3 verb=$4 what=$5 query=$6; now; received=$now; }
upgraded='"responseStatus":{"code":101},'
status() { printf '"responseStatus":{"code":200},%s"responseObject":{"kind":"Pod","metadata":{"name":"web-1","namespace":"prod","uid":"%s"},"status":{"containerStatuses":[{"name":"main","containerID":"containerd://%s"}]%s}},' "$1" "$uid" "$main" "$2"; }
enter() { echo "$BASHPID" > "$pod/cri-containerd-$1.scope/cgroup.procs"; }

# What the container itself does is nobody's session, but for what it does while somebody is attached.
mkfifo in out
(enter "$main"; exec sh -c 'cat /etc/hostname; read line < in; ls -d /; echo done > out; read line < in') > /dev/null &
runs=$!
begin 01 alice 192.0.2.10 get '' ''
say ResponseComplete "$(status '' '')"

begin 10 alice 192.0.2.10 get exec '?command=sh&command=-c&command=cat+%2Fetc%2Fpasswd+%7C+wc+-l%3B+echo+x+%3E+notes%3B+bash+-c+%22exec+3%3C%3E%2Fdev%2Ftcp%2F127.0.0.1%2F9%22&container=main'
say RequestReceived
say ResponseStarted "$upgraded"
(enter "$main"; exec unshare --pid --fork sh -c 'cat /etc/passwd | wc -l; echo x > notes; bash -c "exec 3<>/dev/tcp/127.0.0.1/9"') > /dev/null 2>&1 || true
say ResponseComplete "$upgraded"

begin 20 bob 192.0.2.20 patch ephemeralcontainers ''
asks='"requestObject":{"spec":{"ephemeralContainers":[{"name":"debugger","image":"busybox","command":["head","-n","1","/etc/group"]}]}},'
say ResponseComplete "$(status "$asks" ",\"ephemeralContainerStatuses\":[{\"name\":\"debugger\",\"containerID\":\"containerd://$debugger\"}]")"
(enter "$debugger"; exec head -n 1 /etc/group) > /dev/null

begin 30 carol 192.0.2.30 get attach '?container=main&stdin=true'
say ResponseStarted "$upgraded"
echo > in
read -r line < out
say ResponseComplete "$upgraded"
echo > in
wait $runs
