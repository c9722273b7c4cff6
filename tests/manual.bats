#!/usr/bin/env bats
# The manuals: each lints, lists what the programs know, and does what it says.

load lib/common

pages() {
	find "$ROOT/man" -name '*.[157]' | sort
}

# The long options that a page has as items.
described() {
	grep '^\.It Fl' "$1" | grep -oE ' -[a-z][a-z0-9-]+' | sed 's/^ /-/' | sort -u
}

# The options of a program's tables that are its own; those of every program
# are in kandil(7).
common_options() {
	kandil --dump-options | jq -r 'select(.command == "help" and .name != "json") | "--" + .name' | sort -u
}

own_options() {
	"$1" --dump-options | jq -r '"--" + .name' | sort -u | comm -23 - <(common_options)
}

@test "every page passes mandoc -Tlint" {
	pages | xargs mandoc -Tlint -Wwarning
}

@test "every program has a page, with every section that it needs" {
	for tool in "$BIN"/kandil*; do
		page=$ROOT/man/$(basename "$tool").1
		[ -f "$page" ] || { echo "no man/$(basename "$tool").1"; return 1; }
		for section in NAME SYNOPSIS DESCRIPTION ENVIRONMENT FILES 'EXIT STATUS' EXAMPLES DIAGNOSTICS \
			'SEE ALSO'; do
			grep -q "^\\.Sh $section$" "$page" || { echo "$page: no section $section"; return 1; }
		done
	done
}

@test "every page lists exactly the options of the tables" {
	for tool in "$BIN"/kandil*; do
		page=$ROOT/man/$(basename "$tool").1
		echo "${page##*/}:"
		diff <(own_options "$tool") <(described "$page" | comm -23 - <(common_options))
	done
}

@test "kandil(7) lists exactly the options of every program" {
	diff <({ common_options; printf '%s\n' --help --version; } | sort) \
		<(described "$ROOT/man/kandil.7")
}

@test "the letters of options are those of the tables" {
	for tool in "$BIN"/kandil*; do
		"$tool" --dump-options | jq -r 'select(.letter) | .letter + " " + .name' | sort -u |
			while read -r letter name; do
				common_options | grep -qx -- "--$name" && page=kandil.7 || page=$(basename "$tool").1
				grep -Eq "^\\.It Fl $letter , (Fl )?-$name( |\$)" \
					"$ROOT/man/$page" || { echo "$page: -$letter, --$name"; exit 1; }
			done
	done
}

@test "every page names in SEE ALSO only pages that exist" {
	for page in $(pages); do
		sed -n 's/^\.Xr \(kandil[a-z-]*\) \([0-9]\).*/\1.\2/p' "$page" | sort -u |
			while read -r other; do
				[ -f "$ROOT/man/$other" ] || { echo "${page##*/}: $other"; exit 1; }
			done
	done
}

@test "every error code of the source is in kandil-records(5), and none is there for nothing" {
	# Codes of option parsing end the program and reach no record.
	find "$ROOT/common" "$ROOT/tools" -name '*.c' ! -name 'opt*.c' -exec cat {} + | tr '\n\t' '  ' |
		sed 's/catalog_fault(//g' | # the rules of findings are no codes
		grep -oE '(err_set|record_fail|fail_line|fail_at|fail|fault)\([^"()]*, *"[a-z0-9_]+"' |
		grep -oE '"[a-z0-9_]+"$' | tr -d '"' | sort -u >used
	sed -n '/^\.Ss Codes/,/^\.Sh/s/^\.It Cm \([a-z0-9_]*\)$/\1/p' "$ROOT/man/kandil-records.5" |
		sort -u >listed
	[ -s used ]
	echo 'used and not listed:'
	same '' "$(comm -23 used listed)"
	echo 'listed and nowhere in the source:'
	while read -r code; do
		grep -rqF "\"$code\"" "$ROOT/common" "$ROOT/tools" --include='*.c' || echo "$code"
	done <listed >idle
	same '' "$(cat idle)"
}

@test "every kind that a program writes is in kandil-records(5)" {
	grep -rhoE 'json_add\([^,]*, "kind", S\("[a-z_]+"\)' "$ROOT/common" "$ROOT/tools" --include='*.c' |
		grep -oE '"[a-z_]+"\)$' | tr -d '")' | sort -u >used
	sed -n '/^\.Sh KINDS/,/^\.El/s/^\.It Cm \([a-z_]*\)$/\1/p' "$ROOT/man/kandil-records.5" |
		sort -u >listed
	[ -s used ]
	same '' "$(comm -23 used listed)"
}

@test "kandil(7) lists every program, and the README's table is kandil(7)'s" {
	sed -n '/^\.Bl/,/^\.El/{/^\.It Xr kandil/{s/^\.It Xr \([a-z-]*\) 1$/\1/p;n;p}}' \
		"$ROOT/man/kandil.7" | paste -d '|' - - >programs
	diff <(cd "$BIN" && ls -d kandil*) <(cut -d '|' -f 1 programs | sort)
	while IFS='|' read -r name what; do
		grep -Fq "| \`$name\` | $what |" "$ROOT/README.md" ||
			{ echo "README.md: | \`$name\` | $what |"; return 1; }
	done <programs
}

# A copy of the example app in which the main pipeline has run.
example_app() {
	rm -rf app
	cp -R "$ROOT/examples/flutter-app" app
	(cd app && kandil i18n extract --to=ar,es,fr -q lib >/dev/null) || [ $? = 1 ]
}

@test "the examples of every page run" {
	for page in $(pages); do
		example_app
		(cd app && "$ROOT/tests/lib/examples" "$page")
	done
}

@test "the blocks of the README that are marked sh run" {
	example_app
	cd app
	rm -rf lib/l10n
	"$ROOT/tests/lib/examples" "$ROOT/README.md"
}
