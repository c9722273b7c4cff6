#!/usr/bin/env bats
# What the loop of every filter does with files, signals and failed records,
# beyond the contract: shown with kandil-translate.

load lib/common

translate() {
	kandil-translate -q --to=fr "$@"
}

@test "-o follows no link that lies at FILE.part, and keeps a link at FILE" {
	echo victim >victim
	ln -s victim out.part
	echo '{"id":1}' | translate -o out
	[ "$(cat victim)" = victim ]
	[ "$(cat out)" = '{"id":1}' ]
	[ ! -L out ]
	mkdir there && ln -s there/real link && echo old >there/real
	echo '{"id":2}' | translate -o link
	[ -L link ]
	[ "$(cat there/real)" = '{"id":2}' ]
}

@test "a full disk is said of the file that -o names" {
	run -3 bash -c 'yes "{\"id\":1}" | (ulimit -f 8; trap "" XFSZ; exec kandil-translate --to=fr -o out)'
	[[ $output == *"cannot write"*"out.part"* ]]
	[ ! -e out ]
}

@test "the limit of a file's size is met like a full disk, also where nobody ignores its signal" {
	run -3 bash -c 'yes "{\"id\":1}" | (ulimit -f 8; exec kandil-translate --to=fr -o out)'
	[[ $output == *"cannot write"*"out.part"*": File too large"* ]]
	run -3 --separate-stderr bash -c 'yes "{\"id\":1}" | (ulimit -f 8; exec kandil-translate --to=fr) >big'
	[[ $stderr == "kandil-translate: cannot write standard output: File too large" ]]
}

@test "--retry works anew on what an error record wraps, text or base64" {
	printf '{"id":"\377"}\nnope\n{"kind":"string","value":"Cancel","key":"c"}\n' | translate >failed || true
	[ "$(jq -c 'select(.error) | has("raw"), has("raw_base64")' failed | tr '\n' ' ')" = "false true true false " ]
	run -1 translate --retry failed
	[ "$(jq -sc 'map(.error.code)' <<<"$output")" = '["bad_utf8","not_json",null]' ]
	# Mended by hand, they pass.
	jq -c 'if .raw then .raw = "{\"id\":2}" elif .raw_base64 then .raw_base64 = ("{\"id\":1}" | @base64) else . end' \
		failed | translate --retry | jq -c .id | head -2 >got
	[ "$(cat got)" = $'1\n2' ]
}

@test "--retry leaves errors about files to the program that made them" {
	record='{"kind":"error","file":"a.dart","error":{"tool":"kandil-extract","code":"cannot_read","message":"x","retryable":true}}'
	run -1 translate --retry <<<"$record"
	[ "$output" = "$record" ]
	echo "void f() { Text('Again'); }" >a.dart
	[ "$(kandil-extract --retry - <<<"$record" | jq -r .value)" = Again ]
}

@test "--rejects keeps a line that is too long whole" {
	{ head -c 200000 /dev/zero | tr '\0' x; echo; echo '{"id":1}'; } >in
	run -1 translate --max-record=1K --rejects=bad in
	[ "$output" = '{"id":1}' ]
	head -1 in | cmp - bad
	[ "$(jq -r .error.code bad.why)" = too_long ]
}

@test "a signal in the middle of a line makes no record of its first half" {
	mkfifo pipe
	kandil-translate -q --to=fr <pipe >out &
	pid=$!
	exec 7>pipe
	printf '{"id":1}\n{"id":' >&7
	until [ -s out ]; do sleep 0.02; done
	kill -TERM "$pid"
	wait "$pid" || status=$?
	exec 7>&-
	[ "$status" = 143 ]
	[ "$(cat out)" = '{"id":1}' ]
}
