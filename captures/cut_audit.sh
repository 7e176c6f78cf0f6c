#!/usr/bin/env bash
# Cuts audit.reel out of a real API server's log anew: SYSREEL_SHARED (else ../shared beside the project) has that, run2-full.
#
# What an attacker's identities did, what was done in pods and with credentials, and one user's requests about parts of objects,
# up to the end of the second file; large answers are left out. The same log gives the same events.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
sysreel=${1:-$here/../target/release/sysreel}
logs=${SYSREEL_SHARED:-$here/../../shared}/data/k8s/run2-full/log
cut=$(mktemp)
trap 'rm -f "$cut"' EXIT
"$sysreel" -r "$logs/k8s_audit-2026-11-21T21-16-33.788.log.zst" -r "$logs/k8s_audit-2026-11-21T21-17-06.746.log.zst" -p '*%ka.raw' '
    len(ka.raw) < 10000 and evt.rawtime < 2026-11-21T21:17:05Z and (
        not ka.user.name exists
        or ka.user.name in (system:anonymous, mallory, guest, system:serviceaccount:default:default)
        or (ka.user.name = alice and ka.target.subresource exists)
        or ka.target.subresource in (token, exec, attach, portforward, approval, proxy)
        or (ka.user.name = kubernetes-admin and ka.target.resource = secrets and ka.verb = list)
    )' > "$cut"
"$sysreel" -q -r "$cut" -w "${2:-$here/audit.reel}"
