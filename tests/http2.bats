#!/usr/bin/env bats
# kandil-ai against a server that offers HTTP/2: enough requests for its limits (node's allows
# some 1,000 streams that the client resets) leave no reply lost and nothing asked twice.
load lib/common
load lib/servers

setup_file() {
	command -v node >/dev/null || return 0
	make_certificate IP:127.0.0.1
	node "$ROOT/tests/servers/http2.js" "$BATS_FILE_TMPDIR" "$BATS_FILE_TMPDIR"/{cert,key}.pem \
		>"$BATS_FILE_TMPDIR/out" 2>&1 3>&- 4>&- &
	echo $! >>"$BATS_FILE_TMPDIR/pids"
	started "$BATS_FILE_TMPDIR/url" $!
}

# count: what the server has had since it was last asked.
count() {
	curl -fsS --noproxy '*' --http1.1 --cacert "$BATS_FILE_TMPDIR/cert.pem" \
		"$(cat "$BATS_FILE_TMPDIR/url")/count"
}

@test "a server that offers HTTP/2 is asked once for each record" {
	command -v node >/dev/null || skip "node is not installed"
	export OPENAI_API_KEY=sk-test SSL_CERT_FILE=$BATS_FILE_TMPDIR/cert.pem
	count >/dev/null
	jq -nc 'range(5000) | {id: ., text: "record \(.)"}' >in
	kandil-ai --prompt=.text --no-cache --jobs=64 --model=openai/m \
		--base-url="$(cat "$BATS_FILE_TMPDIR/url")/v1" in >out 2>err
	each_once in out
	same "" "$(jq -c 'select(.ai.attempts != 1 or .ai.text != "ok")' out | head -3)"
	same 5000 "$(count)"
}
