#!/usr/bin/env bats
# kandil-translate and what it stands on: counterparts, caches, engines.
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr

load lib/common

UNIT=$BIN/../unit

text() {
	jq -cn --arg v "$1" '{kind: "string", value: $v}'
}

# mo LOCALE NAME: an installed catalogue below ./locale, from PO on stdin.
mo() {
	command -v msgfmt >/dev/null || skip "gettext is not installed"
	mkdir -p "locale/$1/LC_MESSAGES"
	{
		printf 'msgid ""\nmsgstr ""\n"Language: %s\\n"\n' "$1"
		printf '"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
		cat
	} | msgfmt -o "locale/$1/LC_MESSAGES/$2.mo" -
	export KANDIL_LOCALE_PATH=$PWD/locale
}

system() {
	kandil-translate -q --to=fr --memory=system
}

# -- counterparts --

@test "plural categories are those of ICU, for every language and number" {
	/usr/bin/python3 -c 'import icu' 2>/dev/null || skip "python3-icu is not installed"
	[ -x "$UNIT/plural" ] || skip "the C units are not built"
	/usr/bin/python3 - "$ROOT/common/data/plurals.tsv" "$UNIT/plural" <<-'PYTHON'
		import icu, subprocess, sys
		# Languages that CLDR 48 has rules for and ICU 72 (CLDR 42) does not.
		newer = {"blo", "csw", "cv", "ie", "kok", "kok-Latn", "lld", "scn", "sgs"}
		rows = [r.split("\t") for r in open(sys.argv[1], encoding="utf-8")]
		languages = sorted({l for r in rows if r[0] == "cardinal" for l in r[1].split()} - newer)
		numbers = [*range(1101), 10**6, 10**6 + 1, 2 * 10**6]
		asked = "".join(f"{l}\t{n}\n" for l in languages for n in numbers)
		got = subprocess.run([sys.argv[2], "dump"], input=asked, capture_output=True, text=True).stdout
		rules = {l: icu.PluralRules.forLocale(icu.Locale(l)) for l in languages}
		wrong = []
		for line in got.splitlines():
		    language, number, category = line.split("\t")
		    if rules[language].select(int(number)) != category:
		        wrong.append(line)
		assert len(got.splitlines()) == len(languages) * len(numbers) > 200000
		assert not wrong, wrong[:20]
	PYTHON
}

# Messages from fragments, the same ones every time.
fragments() {
	/usr/bin/python3 - <<-'PYTHON'
		import random
		random.seed(7)
		parts = ["{n}", "{ n }", "{n, number}", "{n,plural,", "one{", "other{", "}", "}}", "#", "'", "''",
		    "'{'", "{", "text ", " ", "=1{", "offset:1 ", "{g, select,", "male{", "{0}",
		    "{n, selectordinal,", "<b>", "l'", "{n, date, short}", "{n, plural, one{# x} other{# y}}",
		    "other{#}}", "{g, select, a{x} other{y}}", "{a b}", "{}", "é", "{n,time}",
		    "{n, plural, =3{x} other{y}}"]
		for i in range(5000):
		    print("".join(random.choice(parts) for _ in range(random.randint(1, 7))))
	PYTHON
}

@test "messages are accepted and refused as by ICU" {
	/usr/bin/python3 -c 'import icu' 2>/dev/null || skip "python3-icu is not installed"
	[ -x "$UNIT/message" ] || skip "the C units are not built"
	fragments >messages
	"$UNIT/message" parse icu <messages >ours
	/usr/bin/python3 - <<-'PYTHON' >theirs
		import icu
		for line in open("messages", encoding="utf-8"):
		    try:
		        icu.MessageFormat(line.rstrip("\n"), icu.Locale("en")); print("ok")
		    except icu.ICUError: print("error")
	PYTHON
	[ "$(grep -c ok ours)" -gt 1000 ]
	[ "$(grep -c error ours)" -gt 1000 ]
	diff <(paste ours messages) <(paste theirs messages)
}

@test "messages are accepted and refused as by formatjs" {
	command -v node >/dev/null || skip "node is not installed"
	[ -d "$ROOT/tests/node_modules/@formatjs" ] || skip "npm ci in tests/ was not run"
	[ -x "$UNIT/message" ] || skip "the C units are not built"
	# formatjs alone lets an apostrophe quote '<'.
	fragments | grep -v "'<" >messages
	"$UNIT/message" parse icu <messages >ours
	cat >"$BATS_TEST_TMPDIR/ask.mjs" <<-NODE
		import {parse} from '$ROOT/tests/node_modules/@formatjs/icu-messageformat-parser/index.js';
		import {readFileSync} from 'fs';
		for (const line of readFileSync('messages', 'utf8').split('\n').slice(0, -1)) {
			try { parse(line, {ignoreTag: true, shouldParseSkeletons: false}); console.log('ok'); }
			catch (e) { console.log(e.message.startsWith('DUPLICATE') ? 'twice' : 'error'); }
		}
	NODE
	node "$BATS_TEST_TMPDIR/ask.mjs" >theirs
	# A case that is there twice ends their reading before the text's end.
	paste ours theirs messages | grep -v "^[a-z]*$(printf '\t')twice" >both
	[ "$(wc -l <both)" -gt 3000 ]
	awk -F '\t' '$1 != $2 { print; bad = 1 } END { exit bad }' both
}

@test "what the seed says is read by ICU's own parser" {
	/usr/bin/python3 -c 'import icu' 2>/dev/null || skip "python3-icu is not installed"
	grep -h '^msgid "' "$ROOT"/tools/translate/seed/fr.po | sed '1d;s/^msgid //' |
		jq -c '{kind: "string", value: .}' | kandil-translate -q --to=ar,es,fr,en-XA,ar-XB >out || true
	[ "$(wc -l <out)" -gt 400 ]
	/usr/bin/python3 - <<-'PYTHON'
		import icu, json
		seen = 0
		for line in open("out", encoding="utf-8"):
		    record = json.loads(line)
		    for locale, t in record["translations"].items():
		        if "value" in t:
		            icu.MessageFormat(t["value"], icu.Locale(locale))
		            seen += 1
		assert seen > 2000, seen
	PYTHON
}

# -- pseudo-locales --

@test "pseudo-text comes back as the source when the marks are taken off" {
	text 'Hello {name}, you have 5 new <b>messages</b>' | kandil-translate --to=ar-XB |
		jq -r '.translations["ar-XB"].value' | LC_ALL=C sed 's/\xe2\x80[\x8f\xae\xac]//g' >plain
	same 'Hello {name}, you have 5 new <b>messages</b>' "$(cat plain)"
	text 'plain text' | kandil-translate --to=en-XA >one
	text 'plain text' | kandil-translate --to=en-XA >two
	cmp one two
}

@test "pseudo-text of a real locale never comes back as a person's word" {
	echo '{"kind":"string","key":"cancel","value":"Cancel"}' >in
	kandil-translate --engine=pseudo --to=fr in | kandil-catalog write -q --arb=lib/l10n >/dev/null
	same draft "$(kandil-catalog read lib/l10n/app_fr.arb | jq -r .translations.fr.status)"
	same 'Annuler seed' "$(kandil-translate --to=fr in | jq -r '.translations.fr | "\(.value) \(.source)"')"
}

# -- installed catalogues --

@test "installed catalogues are memory, read once, and mapped after that" {
	mo fr app <<-'PO'
		msgid "_Open the lantern"
		msgstr "_Ouvrir la lanterne"

		msgid "%d lantern"
		msgid_plural "%d lanterns"
		msgstr[0] "%d lanterne"
		msgstr[1] "%d lanternes"
	PO
	same "Ouvrir la lanterne…" "$(text 'Open the lantern…' | system | jq -r .translations.fr.value)"
	cache=$XDG_CACHE_HOME/kandil/translate/system-fr.memory
	[ -f "$cache" ]
	inode=$(stat -c %i "$cache")
	text '{n, plural, one{# lantern} other{# lanterns}}' | system >out
	same "{n, plural, one{# lanterne} other{# lanternes}}" "$(jq -r .translations.fr.value out)"
	same "system:$PWD/locale/fr/LC_MESSAGES/app.mo" "$(jq -r .translations.fr.source out)"
	same "$inode" "$(stat -c %i "$cache")"
}

@test "the cache is made again when a catalogue changes, comes or goes" {
	mo fr app <<-'PO'
		msgid "Lantern shop"
		msgstr "Magasin"
	PO
	same Magasin "$(text 'Lantern shop' | system | jq -r .translations.fr.value)"
	mo fr app <<-'PO'
		msgid "Lantern shop"
		msgstr "Boutique de lanternes"
	PO
	same "Boutique de lanternes" "$(text 'Lantern shop' | system | jq -r .translations.fr.value)"
	mo fr second <<-'PO'
		msgid "Candle shop"
		msgstr "Boutique de bougies"
	PO
	same "Boutique de bougies" "$(text 'Candle shop' | system | jq -r .translations.fr.value)"
	rm locale/fr/LC_MESSAGES/second.mo
	same missing "$(text 'Candle shop' | system | jq -r .translations.fr.status)"
}

@test "a damaged cache is made again, wherever the damage is" {
	mo fr app <<-'PO'
		msgid "Lantern shop"
		msgstr "Boutique"
	PO
	text 'Lantern shop' | system >want
	cache=$XDG_CACHE_HOME/kandil/translate/system-fr.memory
	size=$(stat -c %s "$cache")
	for at in 0 9 17 33 60 $((size / 2)) $((size - 5)); do
		printf '\xff' | dd of="$cache" bs=1 seek="$at" conv=notrunc status=none
		text 'Lantern shop' | system >got
		cmp want got
	done
	for keep in 0 10 50 $((size - 1)); do
		truncate -s "$keep" "$cache"
		text 'Lantern shop' | system >got
		cmp want got
	done
	rm "$cache"
	mkdir "$cache"
	text 'Lantern shop' | system >got
	cmp want got
}

@test "several processes may make the cache at the same time" {
	mo fr app <<-'PO'
		msgid "Lantern shop"
		msgstr "Boutique"
	PO
	for i in 1 2 3 4 5 6; do
		text 'Lantern shop' | system >"got.$i" &
	done
	wait
	for i in 1 2 3 4 5 6; do
		same Boutique "$(jq -r .translations.fr.value "got.$i")"
	done
	same 1 "$(find "$XDG_CACHE_HOME" -type f | wc -l)"
}

@test "one word of an installed catalogue needs others that agree" {
	for app in a b c; do
		mo fr $app <<-PO
			msgid "Wick"
			msgstr "Mèche"

			msgid "Lone$app"
			msgstr "Seul"
		PO
	done
	same translated "$(text Wick | system | jq -r .translations.fr.status)"
	same fuzzy "$(text Lonea | system | jq -r .translations.fr.status)"
}

@test "a damaged installed catalogue is passed over, a named one is an error" {
	mo fr good <<-'PO'
		msgid "Lantern shop"
		msgstr "Boutique"
	PO
	head -c 40 locale/fr/LC_MESSAGES/good.mo >locale/fr/LC_MESSAGES/bad.mo
	same Boutique "$(text 'Lantern shop' | system | jq -r .translations.fr.value)"
	run -3 --separate-stderr kandil-translate --to=fr --memory=locale/fr/LC_MESSAGES/bad.mo <<<'{}'
	[[ $stderr == *bad.mo* ]]
}

# -- engines --

# An apertium that answers with what the shell line makes of the paragraphs.
fake_apertium() {
	mkdir -p bin modes
	touch modes/eng-spa.mode
	printf '#!/bin/sh\nprintf x >>runs\n%s\n' "$1" >bin/apertium
	chmod +x bin/apertium
	export PATH=$PWD/bin:$PATH APERTIUM_MODES=$PWD/modes
}

ask_apertium() {
	kandil-translate -q --to=es --engine=apertium "$@"
}

@test "an engine is run once for all texts, and its drafts need review" {
	fake_apertium 'sed "s/Green/Verde/"'
	for i in 1 2 3; do text "Green lantern $i of {total}"; done >in
	ask_apertium in >out
	same x "$(cat runs)"
	same "Verde lantern 2 of {total}" "$(jq -rs '.[1].translations.es.value' out)"
	same fuzzy,apertium,apertium:eng-spa \
		"$(jq -rs '.[0].translations.es | [.status, .engine, .source] | join(",")' out)"
}

@test "an engine that loses or doubles a placeholder is not believed" {
	fake_apertium 'sed "s,<x id=\"[0-9]\"/>,,"'
	same missing "$(text 'Green {lantern}' | ask_apertium | jq -r .translations.es.status)"
	fake_apertium 'sed "s,<x id=\"\([0-9]\)\"/>,&&,"'
	same missing "$(text 'Green {lantern}' | ask_apertium | jq -r .translations.es.status)"
	fake_apertium 'sed "s,id=\"1\",id=\"7\","'
	same missing "$(text 'Green {lantern}' | ask_apertium | jq -r .translations.es.status)"
}

@test "an engine that fails, or answers too little, is status 3 and loses no record" {
	{ text 'Green lantern'; text 'Blue lantern'; } >in
	for body in 'exit 1' 'head -n 1' 'cat >/dev/null' 'kill -9 $$'; do
		fake_apertium "$body"
		run -3 --separate-stderr kandil-translate --to=es --engine=apertium in
		same 2 "${#lines[@]}"
		[[ $stderr == *apertium* ]]
	done
}

@test "with an engine records keep their order, and bad ones their place among them" {
	fake_apertium 'cat'
	{
		text 'Green lantern'
		echo '{"kind":"note","n":2}'
		echo '{"kind":"string"}'
		text 'Save'
	} >in
	run -1 ask_apertium in
	same 'Green lantern,null,null,Save' "$(printf '%s\n' "${lines[@]}" | jq -rs 'map(.value // "null") | join(",")')"
	same bad_record "$(jq -r .error.code <<<"${lines[2]}")"
}

@test "apertium itself keeps placeholders and tags" {
	[ -f /usr/share/apertium/modes/eng-spa.mode ] || skip "apertium-eng-spa is not installed"
	text 'Hello {name}, you have {count} <b>messages</b>' | ask_apertium >out
	value=$(jq -r .translations.es.value out)
	for part in '{name}' '{count}' '<b>' '</b>'; do
		[[ $value == *"$part"* ]] || { echo "$value"; return 1; }
	done
	same fuzzy "$(jq -r .translations.es.status out)"
}

# -- behaviour --

@test "a second run changes no byte" {
	{ text Save; text 'Nothing knows this'; text '{n, plural, one{# item} other{# items}}'; } >in
	kandil-translate -q --to=ar,es,fr in >one || true
	kandil-translate -q --to=ar,es,fr one >two || true
	cmp one two
}

@test "order does not matter to what a text gets" {
	for v in Save Cancel 'Save…' Save 'No such thing' CANCEL; do text "$v"; done >in
	kandil-translate -q --to=fr in | sort >one || true
	tac in | kandil-translate -q --to=fr | sort >two || true
	cmp one two
}

@test "memory stays flat however long the input" {
	sanitized && skip "sanitizers take memory of their own"
	[ -x /usr/bin/time ] || skip "GNU time is not installed"
	for n in 2000 60000; do
		seq $n | jq -c '{kind: "string", key: "k\(.)", value: "Lantern \(.) of the green garden"}' |
			/usr/bin/time -q -f %M -o "rss.$n" kandil-translate -q --to=ar,es,fr >/dev/null || true
	done
	[ "$(cat rss.60000)" -lt $(($(cat rss.2000) + 12000)) ]
	[ "$(cat rss.60000)" -lt 30000 ]
}

@test "memories that are hostile or huge are bounded or refused" {
	head -c 300 /dev/urandom >noise.mo
	run -3 kandil-translate --to=fr --memory=noise.mo <<<'{}'
	printf '{"a":' >bad.arb
	run -3 kandil-translate --to=fr --memory=bad.arb <<<'{}'
	cat >entity.tmx <<-'XML'
		<?xml version="1.0"?><!DOCTYPE tmx [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]>
		<tmx version="1.4"><header srclang="en"/><body><tu><tuv xml:lang="en"><seg>&b;</seg></tuv></tu></body></tmx>
	XML
	run -3 --separate-stderr kandil-translate --to=fr --memory=entity.tmx <<<'{}'
	[[ $stderr == *entity.tmx* ]]
	# A source with a thousand placeholders, and a memory that nests.
	seq 1000 | jq -cs '{kind: "string", value: (map("{p\(.)}") | join(" and "))}' >long.ndjson
	run -1 timeout 20 kandil-translate -q --to=ar long.ndjson
}

@test "a folder that may not be read is an error, not an empty memory" {
	[ "$(id -u)" != 0 ] || skip "root may read everything"
	mkdir locked
	chmod 0 locked
	run -3 kandil-translate --to=fr --memory=locked <<<'{}'
}
