#!/usr/bin/env bats
# The contract of kandil-records(5) and kandil(7), over every filter. A filter
# joins with one line in `filters`.

load lib/common

# tool | arguments that make it a filter of stdin | records or sources: what
# its operands are | a record that it works on and that comes out with status 0
filters() {
	cat <<LIST
kandil-extract   |         | sources | {"kind":"zzz","id":1}
kandil-translate | --to=fr | records | {"kind":"string","key":"cancel","value":"Cancel"}
kandil-ai        | --model=openai/m --base-url=http://127.0.0.1:18080 --cassette=$ROOT/tests/golden/ai/kinds/cassette --replay --kind=note --prompt=.t | records | {"kind":"note","t":"passes"}
kandil-catalog   | read    | sources | {"kind":"zzz","id":1}
kandil-catalog   | check   | sources | {"kind":"zzz","id":1}
kandil-catalog   | stats   | sources | {"kind":"zzz","id":1}
kandil-catalog   | write --arb l10n | records | {"kind":"zzz","id":1}
LIST
}

# each FUNCTION: calls it for every filter, with $tool, $operands, $sample and
# the array $args set; says which filters failed.
each() {
	local row failed=
	while IFS= read -r row; do
		IFS='|' read -r tool words operands sample <<<"$row"
		tool=${tool// /} operands=${operands// /}
		sample=${sample# }
		read -ra args <<<"$words"
		rm -rf "$BATS_TEST_TMPDIR/each" && mkdir "$BATS_TEST_TMPDIR/each"
		# In the background: as a condition it would not stop at its first error.
		(
			cd "$BATS_TEST_TMPDIR/each"
			set -eu
			"$1"
		) &
		wait $! || {
			echo "does not hold for $tool ${args[*]}"
			failed=1
		}
	done < <(filters)
	[ -z "$failed" ]
}

# status_of WANT COMMAND...: the command's status is WANT.
status_of() {
	local want=$1 got=0
	shift
	"$@" || got=$?
	[ "$got" = "$want" ] || {
		echo "status $got instead of $want: $*"
		return 1
	}
}

filter() {
	"$tool" "${args[@]}" "$@"
}

# A kind that no filter knows, with everything that a careless parser changes.
strange() {
	cat <<'RECORDS'
{"kind":"zzz","big":9007199254740993,"huge":1e400,"money":1.10,"neg":-0,"e":1E+2}
{ "kind" : "zzz" , "a":[ 1 ,2 ], "text":"\u00e9\/\b \ud83d\ude00 é 😀" }
{"kind":"zzz","twice":1,"twice":2,"lone":"\ud83d","nul":"\u0000","":""}
{"no":"kind"}
{}
{"kind":17,"kind":"zzz"}
{"kind":"zzz","error":"the user's own"}
{"kind":"zzz","error":{"tool":"other","code":1}}
RECORDS
}

deep() {
	printf '{"kind":"zzz","deep":'
	printf '[%.0s' $(seq "$1")
	printf ']%.0s' $(seq "$1")
	printf '}\n'
}

@test "--help speaks on stdout and ends with 0" {
	t() {
		status_of 0 "$tool" --help >out 2>err
		grep -q "^usage: $tool" out
		grep -q -- --help out
		[ ! -s err ]
		"$tool" -h | cmp - out
		status_of 3 "$tool" --help 2>err >/dev/full
	}
	each t
}

@test "--version is one line on stdout" {
	t() {
		same "$tool $(cat "$ROOT/VERSION")" "$("$tool" --version)"
		same "$("$tool" --version)" "$("$tool" -V)"
	}
	each t
}

@test "an unknown option is a usage error with the nearest suggested" {
	t() {
		status_of 2 filter --quite </dev/null >out 2>err
		[ ! -s out ]
		grep -q "'--quite'.*did you mean '--quiet'" err
		grep -q '^usage:' err
	}
	each t
}

@test "an abbreviated option is unknown" {
	t() {
		status_of 2 filter --qui </dev/null >out 2>err
		status_of 2 filter --max-rec=1M </dev/null >out 2>err
		[ ! -s out ]
	}
	each t
}

@test "an option without its argument, or with a bad one, is a usage error" {
	t() {
		status_of 2 filter --max-record </dev/null >out 2>err
		status_of 2 filter --max-record=many </dev/null >out 2>err
		grep -q many err
		[ ! -s out ]
	}
	each t
}

@test "a number below 0 is a usage error, whatever program and option" {
	local n=0 tool command name value
	while read -r tool command name; do
		for value in -1 ' -1'; do
			# shellcheck disable=SC2086 # a command or none
			run -2 "$tool" ${command#-} "--$name=$value" </dev/null
			[[ $output == *"option '--$name': '$value' is no "* ]] || { echo "$tool $command $name" >&2; return 1; }
		done
		n=$((n + 1))
	done < <(for tool in "$BIN"/kandil-*; do "$tool" --dump-options; done |
		jq -r 'select(.type | IN("real", "number", "size")) | "\(.tool) \(.command // "-") \(.name)"' | sort -u)
	[ "$n" -gt 30 ]
}

@test "a bad environment variable is a configuration error that names it" {
	t() {
		local name=${tool^^}_MAX_RECORD
		name=${name//-/_}
		status_of 2 env "$name=many" "$tool" "${args[@]}" </dev/null >out 2>err
		grep -q "$name" err
	}
	each t
}

@test "a project may set what is marked for it, and nothing else" {
	t() {
		mkdir .kandil
		printf 'strict = true\n' >.kandil/config
		printf 'bad\nbad\n' >in
		status_of 1 filter <in >out 2>err
		[ "$(wc -l <out)" = 1 ]
		# Neither where we write, nor a limit, nor what we say of all this.
		printf 'output = stolen\nmax-record = 1G\nquiet = true\n' >.kandil/config
		printf '{"kind":"zzz"}\n' >in
		status_of 0 filter <in >out 2>err
		cmp in out
		[ ! -e stolen ]
		grep -q "'output'" err && grep -q "'max-record'" err && grep -q "'quiet'" err
	}
	each t
}

@test "no input gives no output and status 0" {
	t() {
		status_of 0 filter </dev/null >out 2>err
		[ ! -s out ]
		[ ! -s err ]
		printf '\n\r\n  \n' | filter >out
		[ ! -s out ]
	}
	each t
}

@test "a terminal as stdin and no operand is a usage error" {
	t() {
		status_of 2 script -qec "$tool ${args[*]}" /dev/null </dev/null >out
		grep -q usage: out
	}
	each t
}

@test "- is stdin" {
	t() {
		strange >in
		status_of 0 filter - <in >out
		cmp in out
	}
	each t
}

@test "-- ends the options, and operands are read in order" {
	t() {
		[ "$operands" = records ] || return 0
		echo '{"kind":"zzz","n":1}' >-a
		echo '{"kind":"zzz","n":2}' >b
		filter -- -a b >out
		cat ./-a b | cmp - out
	}
	each t
}

@test "a missing operand is reported, skipped and remembered" {
	t() {
		[ "$operands" = records ] || return 0
		echo '{"kind":"zzz"}' >b
		status_of 3 filter missing b >out 2>err
		cmp b out
		grep -q "'missing'" err
		status_of 3 filter . b >out 2>err
		cmp b out
	}
	each t
}

@test "records of other kinds pass byte for byte" {
	t() {
		strange >in
		deep 300 >>in
		deep 511 >>in
		status_of 0 filter <in >out 2>err
		cmp in out
		[ ! -s err ]
	}
	each t
}

@test "members that a filter does not write pass byte for byte" {
	t() {
		local extra='"q9":9007199254740993,"q1" : 1.10 ,"q2":"\u00e9\/","q3":{"b":1,"a":[1e400]}'
		printf '%s\n' "${sample%\}},$extra}" >in
		status_of 0 filter <in >out
		grep -Fq "$extra" out
	}
	each t
}

@test "CRLF, a BOM, blank lines and a missing last line feed make no difference" {
	t() {
		{
			strange
			printf '%s\n' "$sample"
		} >in
		filter <in >want || true
		{
			printf '\357\273\277'
			sed -e 's/$/\r/' -e 'a\
' in | head -c -1
		} >odd
		filter <odd >out || true
		cmp want out
	}
	each t
}

@test "the order out is the order in" {
	t() {
		for n in $(seq 200); do
			echo "{\"kind\":\"zzz\",\"n\":$n}"
			printf '%s\n' "${sample%\}},\"n\":$n}"
		done >in
		filter <in >out
		jq .n in >want
		jq -c 'select(.n) | .n' out | uniq | cmp - <(uniq want)
	}
	each t
}

@test "a line that is no record becomes an error record and the run goes on" {
	t() {
		printf '%s\n' '{"kind":"zzz","n":1}' '{"a":' '[1]' '17' '{"a":01}' '{"a":1}{"b":2}' \
			'{"a":NaN}' '{"a":1,}' "{'a':1}" '{"kind":"zzz","n":2}' >in
		status_of 1 filter <in >out
		same 10 "$(wc -l <out)"
		same '{"kind":"zzz","n":1}' "$(sed -n 1p out)"
		same '{"kind":"zzz","n":2}' "$(sed -n 10p out)"
		for n in 2 3 4 5 6 7 8 9; do
			same "$(sed -n "${n}p" in | jq -R .)" "$(sed -n "${n}p" out | jq .raw)"
			sed -n "${n}p" out | jq -e --arg tool "$tool" --argjson n "$n" '.kind == "error" and .line == $n
				and .error.tool == $tool and (.error.code | test("^not_(json|object)$"))
				and (.error.message | length > 0) and .error.retryable == false' >/dev/null
		done
	}
	each t
}

@test "NUL bytes, bad UTF-8 and too deep nesting are errors of their line" {
	t() {
		{
			printf '{"a":"\377\376"}\n'
			printf '{"a":"\355\240\200"}\n'
			printf '{"a":1\0}\n'
			deep 512
			echo '{"kind":"zzz"}'
		} >in
		status_of 1 filter <in >out
		same 5 "$(wc -l <out)"
		same bad_utf8 "$(sed -n 1p out | jq -r .error.code)"
		same "$(sed -n 1p in | head -c -1 | base64 -w0)" "$(sed -n 1p out | jq -r .raw_base64)"
		same bad_utf8 "$(sed -n 2p out | jq -r .error.code)"
		same not_json "$(sed -n 3p out | jq -r .error.code)"
		same too_deep "$(sed -n 4p out | jq -r .error.code)"
		same '{"kind":"zzz"}' "$(sed -n 5p out)"
	}
	each t
}

@test "10,000 levels and a 100 MB line are errors, not crashes" {
	t() {
		{
			deep 10000
			echo '{"kind":"zzz","n":1}'
			printf '{"kind":"zzz","long":"'
			head -c 100000000 /dev/zero | tr '\0' x
			printf '"}\n{"kind":"zzz","n":2}\n'
		} | (sanitized || ulimit -v 300000; status_of 1 filter) >out
		same 'too_deep
null
too_long
null' "$(jq -r '.error.code' out)"
		same 256 "$(sed -n 3p out | jq '.raw | length')"
	}
	each t
}

@test "a record above --max-record is an error, its neighbours are not" {
	t() {
		printf '%s\n' '{"kind":"zzz"}' "{\"kind\":\"zzz\",\"x\":\"$(printf '%01000d' 0)\"}" '{}' >in
		status_of 1 filter --max-record=500 <in >out
		same 'null too_long null' "$(jq -r .error.code out | xargs)"
		same 256 "$(sed -n 2p out | jq '.raw | length')"
		status_of 0 filter --max-record=2K <in >out
		cmp in out
	}
	each t
}

@test "failed records flow on untouched and count for the status" {
	t() {
		cat >in <<'RECORDS'
{"kind":"zzz","error":{"tool":"kandil-x","code":"c","message":"m","retryable":false} }
{"kind":"error","line":3,"error":{"tool":"kandil-y","code":"not_json","message":"m","retryable":false},"raw":"{"}
RECORDS
		status_of 1 filter <in >out
		cmp in out
	}
	each t
}

@test "--retry works anew on failed records" {
	t() {
		cat >in <<'RECORDS'
{"kind":"zzz","n":1,"error":{"tool":"kandil-x","code":"c","message":"m","retryable":true}}
{"kind":"error","line":3,"error":{"tool":"kandil-y","code":"c","message":"m","retryable":true},"raw":"{\"kind\":\"zzz\",\"n\":2}"}
RECORDS
		status_of 0 filter --retry <in >out
		same '{"kind":"zzz","n":1}
{"kind":"zzz","n":2}' "$(cat out)"
	}
	each t
}

@test "--strict stops at the first failed record" {
	t() {
		printf '{"kind":"zzz"}\n{\n{}\n' >in
		status_of 1 filter --strict <in >out 2>err
		same 2 "$(wc -l <out)"
		grep -q strict err
	}
	each t
}

@test "--rejects takes the failed lines away, so that they can be read again" {
	t() {
		printf '{"kind":"zzz","n":1}\r\n{"a":\n{"kind":"zzz","n":2}\n{"b":"\377"}\n' >in
		status_of 1 filter --rejects=bad <in >out
		same '1 2' "$(jq .n out | xargs)"
		printf '{"a":\n{"b":"\377"}\n' | cmp - bad
		same '2 4' "$(jq .line bad.why | xargs)"
		same 'not_json bad_utf8' "$(jq -r .error.code bad.why | xargs)"
		[ ! -e bad.part ]
	}
	each t
}

@test "-o writes the file whole, or leaves the old one" {
	t() {
		strange >in
		echo old >f
		chmod 640 f
		filter -o f <in
		cmp in f
		[ ! -e f.part ]
		same 640 "$(stat -c %a f)"
		status_of 3 filter -o none/f <in 2>err
		grep -q "'none/f" err
	}
	each t
}

@test "a section of a configuration file for no program is said, and ignored" {
	t() {
		strange >in
		mkdir .kandil
		printf '[%s]\nmax-record = 1\n[kandil]\n[ai]\n' tranlsate >.kandil/config
		filter <in >out 2>err
		cmp in out
		same "$tool: .kandil/config:1: there is no program for the section 'tranlsate': ignored; they are named as by 'kandil config'" \
			"$(cat err)"
		printf '[../bin/kandil-ai]\n[kandil-ai]\n' >.kandil/config
		filter <in 2>err >out
		same 2 "$(grep -c 'there is no program for the section' err)"
		echo '[ ]' >.kandil/config
		status_of 2 filter <in 2>err
		grep -q ".kandil/config:1: .* a section needs the name of a program" err
	}
	each t
}

@test "-q silences information: what ends with status 2 or 3 still says why" {
	t() {
		local failure
		strange >in
		mkdir folder
		for failure in 'filter -q -o none/f <in' 'filter -q <in >/dev/full' 'filter -q <in >&-' \
			'filter -q none/x' 'filter -q --quite <in' 'filter -q --max-record=x <in' 'filter -q -o folder <in'; do
			got=0
			eval "$failure" 2>err >out || got=$?
			[ "$got" = 2 ] || [ "$got" = 3 ] && grep -q "^$tool: " err || {
				echo "status $got, and no words: $failure"
				return 1
			}
		done
	}
	each t
}

@test "a full disk is status 3 with a message" {
	t() {
		strange >in
		status_of 3 filter <in 2>err >/dev/full
		grep -q "$tool: .*space" err
		cp in many
		for _ in $(seq 12); do
			cat many many >twice
			mv twice many
		done
		status_of 3 filter <many 2>err >/dev/full
		grep -q "$tool: .*space" err
	}
	each t
}

@test "a closed stdout is status 3 with a message" {
	t() {
		strange >in
		status_of 3 filter <in 2>err >&-
		grep -q "$tool: .*standard output" err
	}
	each t
}

@test "a closed stdin or stderr is no crash" {
	t() {
		status_of 0 filter <&- >out
		[ ! -s out ]
		strange | status_of 0 filter 2>&- >out
		strange | cmp - out
	}
	each t
}

@test "| head ends the filter quietly, whatever the parent did to SIGPIPE" {
	t() {
		yes '{"kind":"zzz"}' | head -n 200000 >many
		{ trap '' PIPE; filter <many 2>err || echo $? >status; } | head -n 1 >out
		same '{"kind":"zzz"}' "$(cat out)"
		same 141 "$(cat status)"
		[ ! -s err ]
	}
	each t
}

# live: the filter runs behind a pipe that stays open: 8 writes, $pid is it.
live() {
	mkfifo pipe
	env --default-signal=INT "$tool" "${args[@]}" <pipe >out 2>err &
	pid=$!
	exec 8>pipe
}

# until_true SECONDS COMMAND...
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt "$end" ] || return 1
		sleep 0.02
	done
}

has_lines() {
	[ "$(wc -l <"$2")" = "$1" ]
}

@test "a record comes out before the next is waited for" {
	t() {
		live
		echo '{"kind":"zzz","n":1}' >&8
		until_true 60 test -s out
		same '{"kind":"zzz","n":1}' "$(cat out)"
		exec 8>&-
		status_of 0 wait "$pid"
	}
	each t
}

@test "INT and TERM leave whole lines and end it by the signal" {
	t() {
		for signal in INT TERM; do
			rm -f pipe out
			live
			for n in 1 2 3; do printf '{"kind":"zzz","n":%d}\n' "$n" >&8; done
			# Those that it has read; a signal may well come before the rest.
			until_true 60 has_lines 3 out
			kill -s "$signal" "$pid"
			status_of $((128 + $(kill -l "$signal"))) wait "$pid"
			exec 8>&-
			same 3 "$(wc -l <out)"
			same 3 "$(jq -c 'objects' out | wc -l)"
		done
	}
	each t
}

# resident RECORD BYTES: the filter's peak, in KiB, after so much input.
resident() {
	rm -f pipe out
	mkfifo pipe
	"$tool" "${args[@]}" <pipe >/dev/null 2>&1 &
	pid=$!
	exec 8>pipe
	yes "$1" | head -c "$2" >&8
	awk '/^VmHWM/ { print $2 }' "/proc/$pid/status"
	# The input stops within a line, which is an error record.
	exec 8>&-
	wait "$pid" || true
}

@test "memory stays below 20 MB whatever the length of the input" {
	sanitized && skip "sanitizers take memory of their own"
	t() {
		local kib
		kib=$(resident '{"kind":"zzz","text":"0123456789012345678901234567890123456789"}' 100000000)
		[ "$kib" -lt 20480 ] || { echo "$kib KiB for passing records"; return 1; }
		kib=$(resident "$sample" 10000000)
		[ "$kib" -lt 20480 ] || { echo "$kib KiB for its own records"; return 1; }
	}
	each t
}

@test "the locale and a second run change no byte" {
	t() {
		{ strange; printf '%s\n' "$sample" '{"bad":'; } >in
		filter <in >want || true
		for locale in C C.UTF-8 POSIX ar_EG.UTF-8; do
			LC_ALL=$locale filter <in >out 2>/dev/null || true
			cmp want out
		done
	}
	each t
}

@test "what is on stdout is a record, whatever came in" {
	t() {
		{
			strange
			printf '%s\n' "$sample" "$sample"
			head -c 20000 /dev/urandom
			echo
			head -c 3000 "$BIN/$tool"
		} >in
		filter <in >out 2>err || [ $? = 1 ]
		# jq 1.6 refuses lone surrogates, which are legal JSON.
		grep -v '\\ud83d"' out >plain
		same "$(wc -l <plain)" "$(jq -c objects plain | wc -l)"
	}
	each t
}

@test "cat a b | filter is filter a; filter b" {
	t() {
		strange >a
		printf '%s\n' "$sample" >b
		{ filter <a || true; filter <b || true; } >want
		cat a b | filter >out || true
		cmp want out
	}
	each t
}

@test "it opens no socket and runs no other program" {
	command -v strace >/dev/null || skip "strace is not here"
	sanitized && skip "the leak check traces too"
	t() {
		printf '%s\n' "$sample" >in
		strace -f -qq -o trace -e trace=socket,connect,execve "$tool" "${args[@]}" <in >out
		same 1 "$(wc -l <trace)"
	}
	each t
}

# What goes into kandil-collab comes out at others: what of the contract holds for it is in
# collab.bats.
@test "every program in bin is in the list of filters" {
	same "$(cd "$BIN" && ls -d kandil-* | sort)" \
		"$({ filters | cut -d ' ' -f 1; echo kandil-collab; } | sort -u)"
}
