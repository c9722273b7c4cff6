#!/usr/bin/env bats
# kandil-extract where processes, folders, sizes and packages matter; what it
# finds in one source is in tests/golden/extract and tests/unit/dart_*.c.

load lib/common

values() {
	jq -r 'select(.kind == "string") | .value'
}

package() {
	mkdir -p lib/src test
	echo 'name: shop' >pubspec.yaml
	echo "const kHello = 'Hello there';" >lib/a.dart
	echo "f() => [Text(kHello), Text('Shop')];" >lib/src/b.dart
	echo "f() => Text('Never');" >test/a_test.dart
}

@test "a bare call in a package reads its lib and says so" {
	package
	run --separate-stderr kandil-extract </dev/null
	[ "$status" -eq 0 ]
	[ "$(values <<<"$output")" = $'Hello there\nShop' ]
	[[ $stderr == *"reading the package's 'lib'"* ]]
	KANDIL_EXTRACT_PATHS=lib/src run --separate-stderr kandil-extract </dev/null
	[ "$(values <<<"$output")" = Shop ]
}

@test "a bare call on a terminal reads the package, and elsewhere shows the usage" {
	package
	run -0 script -qec 'kandil-extract --level=core' /dev/null </dev/null
	[[ $output == *'"value":"Shop"'* ]]
	rm pubspec.yaml
	run -2 script -qec kandil-extract /dev/null </dev/null
	[[ $output == *"no pubspec.yaml here"*[Uu]sage* ]]
}

@test "records on stdin are no bare call" {
	package
	run -0 kandil-extract <<<'{"kind":"zzz"}'
	[ "$output" = '{"kind":"zzz"}' ]
}

@test "files read side by side come out in the order of one by one" {
	mkdir -p lib
	for i in $(seq 60); do
		printf "f() => [Text('Text %s'), Text('Text %s!'), Text('Text'), Text('text')];\n" \
			"$((i % 7))" "$i" >"lib/f$i.dart"
	done
	printf "x = '" >lib/f33.dart
	kandil-extract lib >one || [ $? = 1 ]
	[ "$(wc -l <one)" -eq 237 ]
	for jobs in 2 4 0; do
		kandil-extract -j "$jobs" lib >many || [ $? = 1 ]
		cmp one many
	done
}

@test "what cannot be read is an error record in its place, and remembered" {
	package
	for jobs in 1 2; do
		run --separate-stderr -3 kandil-extract -j $jobs none lib/src/b.dart missing.dart
		[ "$(jq -r '.value // .file + " " + .error.code' <<<"$output")" = \
			$'none cannot_read\nShop\nmissing.dart cannot_read' ]
		[[ $stderr == *none:* && $stderr == *missing.dart:* ]]
	done
	run --separate-stderr -3 kandil-extract --strict none lib/src/b.dart
	[ "$(jq -r .file <<<"$output")" = none ]
	run -3 kandil-extract --rules=/nonexist a.md
	[[ $output != *:0:* ]]
}

@test "a record whose file cannot be read carries the error, and what is not ours passes" {
	package
	printf 'x\0' >b.dart
	printf "Text('One'); x = '" >c.dart
	run --separate-stderr -1 kandil-extract --level=core <<'EOF'
{"file":"README.zzz","id":1}
{"file":"lib","id":2}
{"file":"none.dart","id":3}
{"file":"lib/src/b.dart\u0000.png","id":4}
{"file":"b.dart","id":5}
{"file":"c.dart","id":6}
EOF
	echo b >README.zzz
	[ "$(jq -r '"\(.id) \(.error.code) \(.value)"' <<<"$output")" = "1 cannot_read null
2 cannot_read null
3 cannot_read null
4 bad_record null
5 null null
null null One
6 unterminated_string null" ]
	run --separate-stderr -0 kandil-extract <<<'{"file":"README.zzz","id":1}'
	[ "$output" = '{"file":"README.zzz","id":1}' ]
	[[ $stderr == *README.zzz:* ]]
	run -1 kandil-extract --rejects=bad <<<'{"file":"none.dart","id":3}'
	[ "$(cat bad)" = '{"file":"none.dart","id":3}' ]
}

@test "SIGTERM to the whole group fails no file" {
	mkdir lib
	for i in $(seq 300); do
		{ printf 'f() => ['; yes "Text('Some text')," | head -n 3000 | tr -d '\n'; echo '];'; } >"lib/f$i.dart"
	done
	set -m
	kandil-extract --level=core -j2 lib >out &
	local pid=$!
	set +m
	soon test -s out
	kill -TERM -- "-$pid"
	wait "$pid" && false || same 143 $?
	run ! grep -q worker_died out
}

@test "a fifo is read once, as its writer goes on" {
	mkfifo a.dart
	{ echo "f() => [Text('Early'),"; sleep 0.3; echo "Text('Late')];"; } >a.dart 3>&- &
	exec 9<a.dart # the writer is there
	run -0 timeout 60 kandil-extract a.dart
	exec 9<&-
	[ "$(values <<<"$output")" = $'Early\nLate' ]
}

@test "a template of quotes takes time in proportion" {
	{
		printf 'alert(`Hello ${ '
		printf "'"
		head -c 800000 /dev/zero | sed "s/\x00/\\\\'/g"
		printf ' }`)\n'
	} >a.ts
	timeout 120 kandil-extract a.ts >out
	[ "$(jq -r .key out)" = helloP1 ]
}

# Each pack gives up after 2 s and 1 s a megabyte: a hundred times less than the square takes.
@test "a string without an end takes time in proportion" {
	{
		printf '"'
		head -c 400000 /dev/zero | sed 's/\x00/\\"/g'
		echo
	} >a.c
	for name in a.java a.js a.kt a.py a.swift a.ts; do
		cp a.c $name
	done
	{ printf '<?php ' && cat a.c; } >a.php
	timeout 120 kandil-extract a.c a.java a.js a.kt a.php a.py a.swift a.ts >out
	[ "$(jq -r '.error.code // empty' out)" = '' ]
}

@test "what the project's catalogue has keeps its key and its text" {
	package
	rm -r lib/src
	mkdir lib/l10n
	echo "f() => Text('SETTINGS');" >lib/a.dart
	echo "f() => Text('Settings');" >lib/b.dart
	echo '{"settings":"Settings"}' >lib/l10n/app_en.arb
	keys() { jq -r '.key + " " + .value'; }
	for operands in lib . lib/a.dart\ lib/b.dart "$PWD/lib" -; do
		# shellcheck disable=SC2086
		run -0 kandil-extract --include='[ab].dart' --level=core $operands < <(
			printf '{"file":"lib/%s.dart"}\n' a b)
		[ "$(keys <<<"$output" | sed 's/_[0-9a-f]\{6\} /_ /')" = $'settings_ SETTINGS\nsettings Settings' ]
	done
	[[ $(kandil-extract --stdin-name=lib/a.dart <lib/a.dart | keys) == settings_* ]]
	for kind in hash line; do
		[[ $(kandil-extract --keys=$kind --level=core lib | keys) == *"settings Settings"* ]]
	done
	[ "$(kandil-extract --level=core --keys-from= lib | keys | head -n 1)" = 'settings SETTINGS' ]
	# Another place, by l10n.yaml; a broken catalogue is said.
	mkdir i18n
	mv lib/l10n/app_en.arb i18n/en.arb
	printf 'arb-dir: i18n\ntemplate-arb-file: en.arb\n' >l10n.yaml
	[[ $(kandil-extract --level=core lib | keys) == settings_* ]]
	echo '{' >i18n/en.arb
	run --separate-stderr -0 kandil-extract --level=core lib
	[[ $stderr == *en.arb* ]]
}

@test "records of another package leave the operands' names alone" {
	package
	mkdir other
	echo 'name: other' >other/pubspec.yaml
	echo "f() => Text('Other');" >other/o.dart
	[ "$(kandil-extract lib - lib/a.dart <<<'{"file":"other/o.dart"}' | values)" = \
		$'Hello there\nShop\nOther\nHello there' ]
	printf '{"file":"%s"}\n' lib/a.dart other/o.dart lib/a.dart | kandil-extract | values >got
	[ "$(cat got)" = $'Hello there\nOther\nHello there' ]
}

@test "what the source is made of: line ends, quotes, braces" {
	# A proposal that is refused leaves no placeholder behind.
	run -0 kandil-extract --stdin-name=a.dart <<<"x(a, b, n) => Text(n == 1 ? 'Hi \$b' : 'Hello \$a');"
	[ "$(jq -c '[.placeholders[].name]' <<<"$output")" = $'["b"]\n["a"]' ]
	# Any CR that no LF follows ends a line, and its comment.
	[ "$(printf "a;\r\n// b\rf() => Text('One');\n" | kandil-extract --stdin-name=a.dart |
		jq -c '[.line, .column]')" = '[3,13]' ]
	head -c 3000000 /dev/zero | sed 's,\x00\x00\x00,//\r,g' >cr.dart
	timeout 120 kandil-extract cr.dart
	# No rule starts inside a character.
	printf 'files = *\n[rule any]\nmatch = (?!a)(?<text>[^a]x)\nformat = plain\nlevel = core\n' >any.rules
	[ "$(printf 'aéàx' | kandil-extract --rules=any.rules --stdin-name=t | values)" = 'àx' ]
	# A source above the limit is an error record, from stdin too.
	run -1 kandil-extract --max-file=1 --stdin-name=a.dart <<<'text'
	[ "$(jq -r .error.code <<<"$output")" = too_large ]
	printf 'files = *\nkind = note\n[rule any]\nmatch = x\nreason = y\n' >note.rules
	run -2 kandil-extract --rules=note.rules any.rules
	[[ $output == *note.rules:5:*reason* ]]
}

@test "what .kandil/ignore says of a path holds however the path is written" {
	package
	mkdir .kandil
	echo 'lib/src/ # not shown' >.kandil/ignore
	for lib in lib ./lib "$PWD/lib" "../${PWD##*/}/lib"; do
		[ "$(kandil-extract "$lib" | values)" = 'Hello there' ]
	done
}

@test "a replaced rule pack is said once, whatever -j is" {
	package
	mkdir -p .kandil/extract/rules
	printf 'files = *.java\n' >.kandil/extract/rules/java.rules
	echo 'class A {}' >lib/A.java
	run --separate-stderr -0 kandil-extract -j4 lib
	[ "$(grep -c java.rules <<<"$stderr")" -eq 1 ]
}

@test "generated files, tests and what git ignores are left out of a folder, not when named" {
	package
	git init -q .
	echo 'build/' >.gitignore
	mkdir build
	echo "f() => Text('Built');" >build/c.dart
	echo "f() => Text('Made');" >lib/x.g.dart
	printf '// GENERATED CODE - DO NOT MODIFY BY HAND\n\nf() => Text("By tool");\n' >lib/y.dart
	printf "import 'l10n.dart';\n\n/// The translations for German (\`de\`).\nf() => Text('L10n');\n" >lib/z.dart
	[ "$(kandil-extract --level=core . | values)" = Shop ]
	[ "$(kandil-extract --level=core --generated . | values)" = $'Shop\nMade\nBy tool\nL10n' ]
	[ "$(kandil-extract --level=core test/a_test.dart build/c.dart lib/y.dart | values)" = \
		$'Never\nBuilt\nBy tool' ]
}

@test "globs include and exclude" {
	package
	[ "$(kandil-extract --include='src/' lib | values)" = Shop ]
	[ -z "$(kandil-extract --exclude='*.dart' lib)" ]
}

@test "the names pass runs over all operands, and level core needs none" {
	package
	[ "$(kandil-extract lib/a.dart)" = '' ]
	[ "$(kandil-extract lib/a.dart lib/src/b.dart | values)" = $'Hello there\nShop' ]
	[ "$(kandil-extract --level=core lib | values)" = Shop ]
}

@test "stdin as a file learns from the package, whatever the cache holds" {
	package
	for damage in : 'echo junk' 'cat /dev/null' 'head -c 60'; do
		for cache in "$XDG_CACHE_HOME"/kandil/extract/*.names; do
			[ -f "$cache" ] || continue
			cp "$cache" old
			$damage <old >"$cache"
		done
		run -0 kandil-extract --stdin-name=lib/a.dart <lib/a.dart
		[ "$(values <<<"$output")" = 'Hello there' ]
	done
	# A changed file is read anew; nothing shows the constant any more.
	echo 'f() => Text(x);' >lib/src/b.dart
	[ -z "$(kandil-extract --stdin-name=lib/a.dart <lib/a.dart)" ]
	# Without a cache folder it works as well.
	XDG_CACHE_HOME=/dev/null kandil-extract --stdin-name=lib/c.dart <<<"f() => Text('New');" | grep -q New
}

@test "one line of 100 MB is an error record, not an allocation" {
	{
		printf "f() => Text('"
		head -c 100000000 /dev/zero | tr '\0' a
		printf "');\n"
	} >big.dart
	echo "f() => Text('Small');" >small.dart
	ulimit -v "$(sanitized && echo unlimited || echo 200000)"
	run -1 kandil-extract big.dart small.dart
	[ "$(jq -r '.error.code // .value' <<<"$output")" = $'too_large\nSmall' ]
}

@test "a line of 8 MB with a million strings takes time in proportion" {
	{ printf 'x = ['; yes "'Some text'," | head -n 500000 | tr -d '\n'; printf '];\n'; } >long.dart
	[ "$(timeout 300 kandil-extract --level=all --keys=hash long.dart | wc -l)" -eq 500000 ]
}

@test "10,000-deep nesting ends in an error record after what was read" {
	{
		printf "f() => [Text('First'), "
		head -c 10000 /dev/zero | tr '\0' '('
		printf "Text('Deep')"
		head -c 10000 /dev/zero | tr '\0' ')'
		printf "];\ng() => Text('Last');\n"
	} >deep.dart
	run -1 kandil-extract deep.dart
	[ "$(jq -r '.error.code // .value' <<<"$output")" = $'First\nLast\ntoo_deep' ]
}

@test "options that cannot be are usage errors" {
	for bad in --level=some --keys=x --keys-from=none.arb --rules=none.rules; do
		run kandil-extract "$bad" x.dart
		[ "$status" -eq 2 ] || [ "$status" -eq 3 ]
		[ -n "$output" ]
	done
	run -2 kandil-extract --levl=core x.dart
	[[ $output == *--level* ]]
	mkdir .kandil
	echo 'lib/' >.kandil/ignore
	run -2 kandil-extract .
	[[ $output == *.kandil/ignore:1:*reason* ]]
}

@test "a project's configuration reads nothing outside its folder" {
	mkdir -p outside app/.kandil app/lib
	echo "f() { Text('Not yours'); }" >outside/a.dart
	echo "f() { Text('Ours'); }" >app/lib/a.dart
	cd app
	echo 'name: app' >pubspec.yaml
	for path in ../outside "$PWD/../outside" lib/../../outside "lib,../outside"; do
		echo "paths = $path" >.kandil/config
		run --separate-stderr kandil-extract </dev/null
		same Ours "$(jq -r .value <<<"$output")"
		[[ $stderr == *".kandil/config:1: a project may not set 'paths' to a path outside"* ]]
	done
}
