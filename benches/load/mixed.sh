#!/bin/sh
# A mixed load, as a node has it: a build, a web server with clients, shell loops, databases, processes in namespaces of
# their own. Nothing leaves the loopback.
#
# mixed.sh FOLDER ROUNDS: works in an empty FOLDER. Every part makes the same work each time; what is not installed is left
# out, and told on standard error.
set -u
folder=$1 rounds=$2
here=$(cd "$(dirname "$0")" && pwd)
cd "$folder" || exit 2

has() {
    command -v "$1" > /dev/null && return 0
    echo "mixed: $2 left out: needs $1" >&2
    return 1
}

# Sixty C files with headers of the system, compiled two at a time, linked, run.
build() {
    has make 'the build' && has cc 'the build' || return 0
    mkdir build && cd build || return
    n=0
    while [ $n -lt 60 ]; do
        printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <sys/socket.h>\n#include "common.h"\nint part%d(int x) { char text[64]; snprintf(text, sizeof text, "%%d of %d", x); return (int)strlen(text) + VALUE; }\n' $n $n > part$n.c
        n=$((n + 1))
    done
    printf '#define VALUE 7\n' > common.h
    { n=0; while [ $n -lt 60 ]; do echo "int part$n(int);"; n=$((n + 1)); done; echo 'int main(void) { int sum = 0;'
      n=0; while [ $n -lt 60 ]; do echo "sum += part$n(sum);"; n=$((n + 1)); done; echo 'return sum == 0; }'; } > main.c
    printf 'objects := $(patsubst %%.c,%%.o,$(wildcard *.c))\nall: program\n\t./program\nprogram: $(objects)\n\tcc -o $@ $^\n%%.o: %%.c common.h\n\tcc -O1 -c -o $@ $<\nclean:\n\trm -f program $(objects)\n' > Makefile
    round=0
    while [ $round -lt "$rounds" ]; do
        make -s -j2 && make -s clean
        round=$((round + 1))
    done
}

# A web server that logs what it was asked, with clients that keep their connections and clients that do not.
web() {
    has python3 'the web server' || return 0
    mkdir web && python3 "$here/web.py" web "$rounds"
}

# What scripts of a machine do all day: pipes, text tools, archives, walks through directories.
shells() {
    mkdir shells && cd shells || return
    round=0
    while [ $round -lt $((rounds * 8)) ]; do
        n=0
        while [ $n -lt 6 ]; do
            ls -l /usr/include | awk '{ print $5, $9 }' | sort -n | tail -n 3 > sizes.$n
            grep -l -r 'define' /usr/include/linux/netfilter 2> /dev/null | head -n 20 | wc -l >> sizes.$n
            n=$((n + 1))
        done
        tar cf - /usr/include/linux/netfilter /etc/ssl 2> /dev/null | gzip -1 > archive.tar.gz
        mkdir -p out && tar xzf archive.tar.gz -C out && find out -type f -name '*.h' -exec cat {} + | cksum
        for name in one two three four; do
            echo "$round $name" > "$name.tmp" && mv "$name.tmp" "$name.txt" && cp "$name.txt" "$name.copy" && ln -sf "$name.txt" "$name.link"
            sed -i "s/$name/changed/" "$name.txt"; id -u; date +%s; head -c 100 "$name.copy"; chmod 600 "$name.txt"
        done
        dd if=/usr/bin/env of=copy bs=512 status=none; rm -rf out ./*.txt ./*.copy ./*.link
        round=$((round + 1))
    done > shells.log
}

# A database in a file, in transactions of a few rows each, with readers beside the writer.
sqlite() {
    has sqlite3 'the database in a file' || return 0
    mkdir sqlite && cd sqlite || return
    sqlite3 base.db 'PRAGMA journal_mode = WAL; CREATE TABLE stock (id INTEGER PRIMARY KEY, name TEXT, left INT, note TEXT); CREATE INDEX names ON stock (name);'
    round=0
    while [ $round -lt "$rounds" ]; do
        awk -v seed=$round 'BEGIN { srand(seed); print "PRAGMA synchronous = NORMAL;"
            for (i = 0; i < 500; i++) {
                printf "BEGIN; INSERT INTO stock (name, left, note) VALUES (\"part%d\", %d, \"shelf %d of hall %d\");", rand() * 5000, rand() * 100, rand() * 40, rand() * 9
                printf "UPDATE stock SET left = left - 1 WHERE name = \"part%d\"; COMMIT;\n", rand() * 5000
                if (i % 5 == 0) printf "SELECT count(*), sum(left) FROM stock WHERE name BETWEEN \"part%d\" AND \"part9\";\n", rand() * 5000
            } }' | sqlite3 base.db > answers.$round &
        for n in 1 2 3 4; do sqlite3 -cmd '.timeout 2000' base.db 'SELECT name, count(*) FROM stock GROUP BY name ORDER BY 2 DESC LIMIT 5;' > reader.$n; done
        wait
        round=$((round + 1))
    done
}

# A database server with clients over a Unix socket, as nobody, because it refuses to be root.
server() {
    bin=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | tail -n 1)
    [ -x "$bin/pgbench" ] && has setpriv 'the database server' || { echo 'mixed: the database server left out: needs postgres' >&2; return 0; }
    mkdir server && chown 65534:65534 server && cd server || return
    as() { setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$PWD" PATH="$PATH" "$@"; }
    as "$bin/initdb" -D data -U bench --no-sync > init.log 2>&1 || { echo 'mixed: the database server left out: no initdb' >&2; return 0; }
    as "$bin/pg_ctl" -D data -w -t 30 -l server.log -o "-k $PWD -c listen_addresses= -c fsync=off -c shared_buffers=16MB" start > /dev/null || return 0
    as "$bin/pgbench" -h "$PWD" -U bench -i -q -s 1 postgres > /dev/null 2>&1
    as "$bin/pgbench" -h "$PWD" -U bench -n -c 4 -t $((rounds * 400)) postgres > bench.log 2>&1
    as "$bin/pg_ctl" -D data -m immediate -w -t 30 stop > /dev/null
}

# Containers come and go: namespaces of their own, a root of mounts, an init, a few programs, the end.
churn() {
    has unshare 'namespaces' || return 0
    mkdir churn && cd churn || return
    round=0
    while [ $round -lt $((rounds * 12)) ]; do
        unshare --mount --uts --ipc --net --pid --fork --mount-proc sh -c '
            hostname "pod-$0"; mount -t tmpfs none /mnt; mkdir -p /mnt/app && echo "name=$0" > /mnt/app/config
            cat /mnt/app/config /proc/self/status /etc/hostname | grep -c .; ps > /dev/null 2>&1; ls /proc | wc -l
            for n in 1 2 3; do sh -c "sleep 0.002; cat /mnt/app/config" & done; wait; umount /mnt' "$round" || return
        round=$((round + 1))
    done > churn.log
}

for part in build web shells sqlite server churn; do ( "$part" ) & done
wait
