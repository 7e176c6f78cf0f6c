#!/usr/bin/env bash
# Records the samples of this folder anew: as root, with make, gcc, python3 and curl installed.
#
# (audit.reel is cut out of an API server's log by cut_audit.sh.)
#
# Each is the process tree of one command, in an empty environment and a scratch folder, under a made-up host name, so
# that a sample holds that tree and nothing else of the machine: no interface but the loopback, and the mounts that every
# machine has.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
sysreel=${1:-$here/../target/release/sysreel}
scratch=/tmp/sysreel-sample
rm -rf "$scratch" && mkdir -p "$scratch/bin"
trap 'rm -rf "$scratch"' EXIT
cp "$sysreel" "$scratch/bin/sysreel"

cat > "$scratch/alone.sh" <<'ALONE'
hostname demo
ip link set lo up
mount --make-rprivate /
for at in $(awk '{ print $5 }' /proc/self/mountinfo | tac); do
    case $at in / | /proc | /sys | /dev) ;; *) umount -l "$at" || true ;; esac
done
if [ -e before.sh ]; then . ./before.sh; fi
exec "$@"
ALONE

record() {
    local name=$1
    mkdir "$scratch/$name" && cp -r "$here/scenes/$name/." "$scratch/$name/"
    local more=()
    # `pods` has a log of audit events, too.
    if [ "$name" = pods ]; then more=(--audit-log audit.log); fi
    (cd "$scratch/$name" && unshare --uts --net --mount sh "$scratch/alone.sh" \
        env -i PATH=/usr/bin:/bin HOME="$scratch/$name" USER=demo LANG=C TZ=UTC \
        "$scratch/bin/sysreel" -q "${more[@]}" -w "$scratch/$name.reel" -- sh ./run.sh </dev/null 2>&1 | cat)
    if [ -e "$scratch/$name/after.sh" ]; then unshare --mount sh "$scratch/$name/after.sh"; fi
    cp "$scratch/$name.reel" "$here/$name.reel"
    ls -l "$here/$name.reel"
}

for scene in ${2:-shell web build login namespace services intrusion pods}; do
    record "$scene"
done
