# What every bats file loads (`load lib/common`): the programs under test in
# $BIN and first in PATH, an environment without the user's own settings, and
# a scratch folder per test as the current one.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
BIN=${KANDIL_BUILD:-$ROOT/build}/bin
export ROOT BIN

# shellcheck source=tests/lib/environment.sh
. "$ROOT/tests/lib/environment.sh"

# A file with a setup of its own calls this first.
common_setup() {
	clean_environment "$BATS_TEST_TMPDIR" "$BIN"
	mkdir -p "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work" || return
}

setup() {
	common_setup
}

# Whether the programs under test are built with sanitizers, which take
# memory of their own: tests that measure memory skip then.
sanitized() {
	[ -n "${KANDIL_SANITIZED-}" ]
}

# wait_for SECONDS COMMAND...: until it succeeds, thrice as long on a slow machine.
wait_for() {
	local tries=$(($1 * 60))
	shift
	until "$@"; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# soon COMMAND...: waits until it succeeds, half a minute at most.
soon() {
	wait_for 10 "$@"
}

# same WANT GOT: fails with the difference.
same() {
	[ "$1" = "$2" ] || {
		diff <(printf '%s\n' "$1") <(printf '%s\n' "$2") >&2
		return 1
	}
}
