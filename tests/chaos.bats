#!/usr/bin/env bats
# A session in which members and hub are killed, and connections cut, at random: nothing is
# lost, nothing doubled, order is kept (tests/servers/chaos.py). Short here; the full measure:
#
#	CHAOS_FAULTS=1000 CHAOS_MESSAGES=100000 bats tests/chaos.bats

load lib/common

# chaos OPTION...: with a seed of its own, which it prints.
chaos() {
	run -0 python3 "$ROOT/tests/servers/chaos.py" --faults="${CHAOS_FAULTS:-30}" \
		--messages="${CHAOS_MESSAGES:-3000}" ${CHAOS_SEED:+--seed="$CHAOS_SEED"} --patience=120 "$@"
	echo "# $(head -n 1 <<<"$output")" >&3
	same "0 wrong" "$(tail -n 1 <<<"$output")"
}

@test "through a relay that stores nothing" {
	chaos
}

@test "with a hub that keeps a history" {
	chaos --history=2000 --clients=3
}
