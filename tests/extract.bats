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
	[[ $output == *[Uu]sage* ]]
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

@test "a bad operand is reported, remembered and skipped" {
	package
	run --separate-stderr -3 kandil-extract none lib/src/b.dart missing.dart
	[ "$(values <<<"$output")" = $'Shop' ]
	[[ $stderr == *none:* && $stderr == *missing.dart:* ]]
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
	[ "$(timeout 60 kandil-extract --level=all --keys=hash long.dart | wc -l)" -eq 500000 ]
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
