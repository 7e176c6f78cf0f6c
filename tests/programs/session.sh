# An exec into a container that lasts until a file says so, and the API server's log of it.
# session.sh GROUP LOG SCRATCH
set -eu
group=$1 log=$2 scratch=$3
container=$(basename "$group" | sed 's/^cri-containerd-//; s/\.scope$//')
now() { date -u +%Y-%m-%dT%H:%M:%S.%6NZ; }
received=$(now)
# STAGE SUBRESOURCE QUERY ID MORE
say() {
    printf '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"00000000-0000-4000-8000-0000000000%s","stage":"%s","requestURI":"/api/v1/namespaces/prod/pods/web-1%s","verb":"get","user":{"username":"alice"},"sourceIPs":["192.0.2.10"],"objectRef":{"resource":"pods","namespace":"prod","name":"web-1","apiVersion":"v1"%s},%s"requestReceivedTimestamp":"%s","stageTimestamp":"%s"}\n' \
        "$4" "$1" "${2:+/$2}$3" "${2:+,\"subresource\":\"$2\"}" "$5" "$received" "$(now)" >> "$log"
}
say ResponseComplete "" "" 01 '"responseStatus":{"code":200},"responseObject":{"kind":"Pod","metadata":{"name":"web-1","namespace":"prod","uid":"6f1b2c3d-0000-4abc-9def-0123456789ef"},"status":{"containerStatuses":[{"name":"main","containerID":"containerd://'"$container"'"}]}},'
say ResponseStarted exec "?command=bash&command=$scratch%2Frun.sh&container=main" 10 '"responseStatus":{"code":101},'
mkfifo "$scratch/pipe"
# Bounded, so that a test that fails ends.
cat > "$scratch/run.sh" <<RUN
for n in {1..1200}; do
    [ -e "$scratch/stop" ] && exit
    cat /etc/passwd > /dev/null
    # Nobody writes into it.
    read -t 0.05 <> "$scratch/pipe"
done
: > "$scratch/given-up"
RUN
(echo "$BASHPID" > "$group/cgroup.procs"; exec bash "$scratch/run.sh")
