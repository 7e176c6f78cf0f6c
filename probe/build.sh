#!/bin/sh
# Compiles the probe into src/source/ebpf/probe.bpf.o, which is committed so that nobody needs clang to build sysreel.
# --check compiles it elsewhere and compares the bytes; other versions of clang make other bytes, so it skips for them.
set -eu
CLANG_MAJOR=14
cd "$(dirname "$0")"
object=../src/source/ebpf/probe.bpf.o
clang=clang
command -v "clang-$CLANG_MAJOR" >/dev/null 2>&1 && clang=clang-$CLANG_MAJOR
strip=llvm-strip
command -v "llvm-strip-$CLANG_MAJOR" >/dev/null 2>&1 && strip=llvm-strip-$CLANG_MAJOR

skip() {
	echo "skipped: $1"
	exit 0
}
compile() {
	"$clang" -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Wall -Werror \
		"-ffile-prefix-map=$PWD=." -fdebug-compilation-dir=. -I . -c probe.bpf.c -o "$1"
	"$strip" -g "$1"
}

if [ "${1-}" = --check ]; then
	command -v "$clang" >/dev/null 2>&1 || skip "no clang"
	found=$("$clang" -dumpversion | cut -d. -f1)
	[ "$found" = "$CLANG_MAJOR" ] || skip "the committed object is made by clang $CLANG_MAJOR, found $found"
	printf '#include <bpf/bpf_helpers.h>\n' | "$clang" -target bpf -I . -include vmlinux_min.h -fsyntax-only -x c - 2>/dev/null ||
		skip "no libbpf headers (libbpf-dev)"
	made=$(mktemp)
	trap 'rm -f "$made"' EXIT
	compile "$made"
	cmp "$made" "$object" || {
		echo "the committed object is not what the source here compiles to; help: run probe/build.sh and commit it" >&2
		exit 1
	}
	echo "ok"
else
	compile "$object"
fi
