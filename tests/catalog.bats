#!/usr/bin/env bats
# kandil-catalog where processes, permissions, full disks and other programs
# are needed; what it reads and writes is in tests/golden/catalog/.

# Of `run --separate-stderr`: shellcheck does not know it.
# shellcheck disable=SC2154

load lib/common

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# Records of a small app, with plurals, apostrophes, quotes and line breaks.
records() {
	cat <<'RECORDS'
{"kind":"string","key":"hello","value":"Hello {name}","placeholders":[{"name":"name","type":"String"}],"translations":{"ar":{"value":"مرحبًا {name}"},"fr":{"value":"Bonjour {name}"},"ru":{"value":"Привет, {name}","status":"draft"}}}
{"kind":"string","key":"files","value":"{n, plural, one{# file} other{# files}}","placeholders":[{"name":"n","type":"int"}],"translations":{"ar":{"value":"{n, plural, zero{لا ملفات} one{ملف} two{ملفان} few{# ملفات} many{# ملفًا} other{# ملف}}"},"fr":{"value":"{n, plural, one{# fichier} other{# fichiers}}"},"ru":{"value":"{n, plural, one{# файл} few{# файла} many{# файлов} other{# файла}}"}}}
{"kind":"string","key":"note","value":"Don't \"quote\"\nl''{x} \\ tab\t","translations":{"fr":{"value":"Ne \"citez\" pas\nl''{x} \\ tab\t"},"ru":{"value":"Не «цитируйте»\nл''{x} \\ таб\t"}}}
{"kind":"string","key":"who","value":"{g, select, male{He} other{They}} left","translations":{"fr":{"value":"{g, select, male{Il} other{Ils}} : parti","status":"fuzzy"}}}
RECORDS
}

# Some thousand records, for what must take a while.
many_records() {
	for i in $(seq "$1"); do
		printf '{"kind":"string","key":"k%d","value":"Text number %d","translations":{"ar":{"value":"نص %d"},"fr":{"value":"Texte %d"}}}\n' \
			"$i" "$i" "$i" "$i"
	done
}

@test "PO output passes msgfmt -c, template and languages, new and merged" {
	need msgfmt
	for _ in new merged; do
		records | kandil-catalog write --po po >/dev/null || [ $? = 1 ]
		for file in po/*.po; do
			run -0 msgfmt -c -o /dev/null "$file"
			[ -z "$output" ]
		done
		msgcat -o /dev/null po/app.pot
	done
	[ "$(grep -c '^msgstr\[' po/ar.po)" = 6 ]
}

@test "msgfmt's own form of a PO file is read with the same texts" {
	need msgfmt
	records | kandil-catalog write --po po >/dev/null || [ $? = 1 ]
	mkdir ar
	msgfmt -o ar/x.mo po/ar.po
	msgfmt --endianness=big -o ar/y.mo po/ar.po
	texts() {
		kandil-catalog read "$1" | jq -c 'select(.translations.ar.value) | [.value, .translations.ar.value]' | sort
	}
	same "$(texts po/ar.po)" "$(texts ar/x.mo)"
	same "$(texts ar/x.mo)" "$(texts ar/y.mo)"
}

@test "other programs read our PO and ARB as we do" {
	/usr/bin/python3 -c 'import translate' 2>/dev/null || skip "translate-toolkit is not installed"
	records | kandil-catalog write --po po >/dev/null || [ $? = 1 ]
	records | kandil-catalog write --arb l10n >/dev/null || [ $? = 1 ]
	run -0 /usr/bin/python3 - <<'PYTHON'
from translate.storage import po
from translate.storage.jsonl10n import ARBJsonFile
fr = po.pofile.parsefile("po/fr.po")
units = {u.source: u for u in fr.units if not u.isheader()}
assert len(units) == 4, units
note = units["Don't \"quote\"\nl'{x} \\ tab\t"]
assert note.target == "Ne \"citez\" pas\nl'{x} \\ tab\t", note.target
assert units["{n} file"].target.strings == ["{n} fichier", "{n} fichiers"]
assert units["{g, select, male{He} other{They}} left"].isfuzzy()
arb = ARBJsonFile.parsefile("l10n/app_fr.arb")
texts = {u.getid(): u.target for u in arb.units}
assert texts["note"] == "Ne \"citez\" pas\nl'{x} \\ tab\t", texts
PYTHON
}

@test "ARB output is JSON, and its messages pass the ICU parser of formatjs" {
	need node
	[ -d "$ROOT/tests/node_modules/@formatjs/icu-messageformat-parser" ] ||
		skip "@formatjs/icu-messageformat-parser is not installed (npm ci in tests/)"
	records | kandil-catalog write --arb l10n >/dev/null || [ $? = 1 ]
	cat >parse.mjs <<'NODE'
import {createRequire} from 'node:module';
import {readFileSync, readdirSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
const {parse} = await import(pathToFileURL(process.argv[2] + '/@formatjs/icu-messageformat-parser/index.js'));
let n = 0;
for (const name of readdirSync('l10n'))
	for (const [key, text] of Object.entries(JSON.parse(readFileSync('l10n/' + name))))
		if (!key.startsWith('@')) {
			// gen-l10n takes an apostrophe for text; ICU wants it doubled.
			parse(text.replaceAll("'", "''"), {ignoreTag: true});
			n++;
		}
console.log(n);
NODE
	run -0 node parse.mjs "$ROOT/tests/node_modules"
	[ "$output" = 13 ]
}

@test "splices give what parsing, editing and dumping give" {
	need python3
	cat >property.py <<'PYTHON'
import json, os, random, subprocess, sys
seed = int(os.environ.get("SEED", "7"))
print("seed", seed)
r = random.Random(seed)
def text():
    # No line break and no written escape: a translation must have its source's.
    return "x" + "".join(r.choice('xy é"\\/\t😀\u0001ü') for _ in range(r.randint(1, 12))) + "y"
def dump(pairs):
    """The same object in a random style of spacing and escapes."""
    nl, pad, colon = r.choice([("\n", "  ", ": "), ("\r\n", "\t", " : "), ("", "", ":"), ("\n", "", ": ")])
    ascii = r.random() < 0.5
    body = ("," + nl).join(pad + json.dumps(k, ensure_ascii=ascii) + colon +
        json.dumps(v, ensure_ascii=ascii) for k, v in pairs)
    return "{" + nl + body + nl + "}" + r.choice(["", "\n", "\n\n"])
for turn in range(60):
    keys = ["k%d" % i for i in range(r.randint(1, 8))]
    r.shuffle(keys)
    old = [("@@locale", "fr")] + [(k, text()) for k in keys]
    for k in keys:
        if r.random() < 0.3:
            old.insert(r.randint(1, len(old)), ("@" + k, {"x-own": [1, 1.5, None], "description": text()}))
    os.makedirs("l", exist_ok=True)
    template = {k: "Source" for k, v in old if not k.startswith("@")}
    before = dump(old)
    open("l/app_fr.arb", "w", newline="").write(before)
    open("l/app_en.arb", "w").write(json.dumps(template))
    changed = {k: text() for k in r.sample(keys, r.randint(0, len(keys)))}
    changed.update({"n%d" % i: text() for i in range(r.randint(0, 3))})
    lines = "".join(json.dumps({"kind": "string", "key": k, "value": "Source", "format": "plain",
        "translations": {"fr": {"value": v, "status": "approved"}}}) + "\n" for k, v in changed.items())
    p = subprocess.run(["kandil-catalog", "write", "--force", "--arb", "l"], input=lines.encode(), capture_output=True)
    assert p.returncode == 0, (p, lines)
    after = open("l/app_fr.arb", newline="").read()
    want = dict(old)
    want.update(changed)
    got = json.loads(after)
    assert got == want, (before, after, changed)
    if all(dict(old).get(k) == v for k, v in changed.items()):
        assert before == after
    # Every old member still stands in the old order.
    order = [k for k in got if k in dict(old)]
    assert order == [k for k, v in old], (order, old)
PYTHON
	run -0 python3 property.py
}

@test "a full disk leaves the old file untouched" {
	records | kandil-catalog write --arb l10n >/dev/null || [ $? = 1 ]
	cp -R l10n before
	# A file may not grow above 1 KiB, which is less than what is to be written.
	many_records 2000 >many
	run -3 --separate-stderr bash -c 'trap "" XFSZ; ulimit -f 1; kandil-catalog write --arb l10n many'
	[[ $stderr == *"cannot write"* ]]
	diff -r before l10n
}

@test "a folder that cannot be made is status 3" {
	run -3 --separate-stderr kandil-catalog write --arb /proc/none <<<'{"kind":"string","key":"a","value":"A"}'
	[[ $stderr == *"/proc/none"* ]]
}

@test "a folder without permission is status 3, and nothing is lost" {
	[ "$(id -u)" != 0 ] || skip "root may write everywhere"
	records | kandil-catalog write --arb l10n >/dev/null || [ $? = 1 ]
	cp -R l10n before
	chmod a-w l10n
	many_records 3 >many
	run -3 --separate-stderr kandil-catalog write --arb l10n many
	chmod u+w l10n
	diff -r before l10n
	chmod a-r l10n/app_fr.arb
	run -3 kandil-catalog read l10n/app_fr.arb
	[[ $output == *"app_fr.arb"* ]]
}

@test "SIGKILL between two files leaves every file whole, and the next run finishes" {
	many_records 1500 >many
	kandil-catalog write --arb l10n many >/dev/null
	cp -R l10n before
	sed -e 's/Text number/Line number/' -e 's/"translations":.*/"translations":{"ar":{},"fr":{}}}/' \
		many >changed
	for delay in 0.01 0.03 0.05 0.08; do
		kandil-catalog write --arb l10n changed >/dev/null 2>&1 &
		local child=$!
		sleep "$delay"
		kill -KILL "$child" 2>/dev/null || true
		wait "$child" || true
		for file in l10n/app_*.arb; do
			jq -e . "$file" >/dev/null
		done
	done
	kandil-catalog write --arb l10n changed >/dev/null
	# The template is written last: each translation was found to be stale.
	[ "$(jq '."@@x-kandil" | length' l10n/app_ar.arb)" = 1500 ]
	[ "$(jq '."@@x-kandil" | length' l10n/app_fr.arb)" = 1500 ]
	grep -q 'Line number 7"' l10n/app_en.arb
	run -0 kandil-catalog write --arb l10n changed
	[[ $output != *'"changed":true'* ]]
}

@test "what is a link stays one, and modes are kept" {
	mkdir real
	echo '{"@@locale":"en","k1":"Text number 1"}' >real/app_en.arb
	chmod 640 real/app_en.arb
	mkdir l10n
	ln -s ../real/app_en.arb l10n/app_en.arb
	many_records 2 | kandil-catalog write --arb l10n >/dev/null
	[ -L l10n/app_en.arb ]
	[ "$(stat -c %a real/app_en.arb)" = 640 ]
	grep -q k2 real/app_en.arb
}

@test "a bad catalogue in the folder stops the writing before anything is touched" {
	mkdir l10n
	echo '{"a": oops}' >l10n/app_fr.arb
	cp -R l10n before
	run -3 --separate-stderr kandil-catalog write --arb l10n <<<'{"kind":"string","key":"a","value":"A"}'
	[[ $stderr == *"app_fr.arb:1:7"* ]]
	diff -r before l10n
}

@test "a terminal gets lines and a table" {
	need script
	mkdir l10n
	echo '{"@@locale":"en","a":"A {x}"}' >l10n/app_en.arb
	echo '{"@@locale":"fr","a":"B"}' >l10n/app_fr.arb
	run script -qec "kandil-catalog check l10n" /dev/null
	[[ $output == *"app_fr.arb:1:"*" high: "*"[catalog/lost-placeholder]"* ]]
	# No line is wider than the terminal; in a file each finding is one.
	echo '{"@@locale":"fr","a":"B","a_key_that_is_not_there":"a text of nobody, in a catalogue"}' >l10n/app_fr.arb
	run "$ROOT/tests/lib/terminal" kandil-catalog check l10n </dev/null
	[[ $output == *"    "*"[catalog/extra-key]"* ]]
	run ! grep -E '.{80}' <<<"${output//$'\r'/}"
	run kandil-catalog check --table l10n
	grep -qE '^l10n/app_fr.arb:1:.{60}.*\[catalog/extra-key\]$' <<<"$output"
	# Nothing that drives a terminal comes out of a file, in whatever form.
	echo '{"@@locale":"fr","a":"B","key\u009b31m\u001b[1m":"x"}' >l10n/app_fr.arb
	run kandil-catalog check --table l10n
	[[ $output == *"key?31m?[1m"* ]]
	run script -qec "kandil-catalog stats l10n" /dev/null
	[[ $output == *"translated"*"fr "* ]]
}

@test "the installed gettext catalogues are read without a fault" {
	local files
	files=$(find /usr/share/locale -name '*.mo' 2>/dev/null | head -40)
	[ -n "$files" ] || skip "no catalogue is installed"
	# shellcheck disable=SC2086
	run -0 bash -c 'kandil-catalog read "$@" | wc -l' _ $files
	[ "$output" -gt 100 ]
}

# -- the formats of other platforms, and those who know them --

# Two languages of an Android project: written new, then merged with a changed source.
android() {
	records | kandil-catalog write --android res >/dev/null 2>&1 || [ $? = 1 ]
	records | jq -c '.value |= sub("Hello"; "Hi") | .translations = {}' |
		kandil-catalog write --android res >/dev/null 2>&1 || [ $? = 1 ]
}

@test "Android's compiler takes our resources, new and merged, and its values are ours" {
	need aapt2
	android
	mkdir out
	for file in res/values*/strings.xml; do
		run -0 aapt2 compile -o out "$file"
	done
	echo '<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="a.b"><application/></manifest>' >AndroidManifest.xml
	run -0 aapt2 link -o o.apk --manifest AndroidManifest.xml out/*.flat
	run -0 aapt2 dump resources o.apk
	[[ $output == *'"Bonjour %s"'* ]]
	[[ $output == *'string/note'*"l'%s \\ tab"* ]]
	[[ $output == *'plurals/files'*'few='*'файла'* ]]
}

@test "Android's compiler refuses what check calls high" {
	need aapt2
	mkdir -p res/values out
	while IFS= read -r content; do
		printf '<resources><string name="k">%s</string></resources>\n' "$content" >res/values/strings.xml
		run kandil-catalog check --fail-on=high --table res
		local ours=$status
		run aapt2 compile -o out res/values/strings.xml
		same "$content: $ours" "$content: $status"
	done <<'CONTENTS'
don't
don\'t
"don't"
%s and %s
%1$s and %2$s
%s and 100%%
\u1x34
\u0041
"open
plain & text
CONTENTS
}

@test "translate-toolkit reads our Android resources and memories as we do" {
	/usr/bin/python3 -c 'import translate' 2>/dev/null || skip "translate-toolkit is not installed"
	android
	records | kandil-catalog write --tmx memory.tmx >/dev/null || [ $? = 1 ]
	run -0 /usr/bin/python3 - <<'PYTHON'
import re
from translate.storage import aresource, tmx
units = {u.getid(): u for u in aresource.AndroidResourceFile.parsefile("res/values-fr/strings.xml").units}
def text(t): return re.sub("</?xliff:g[^>]*>", "", t)
assert text(units["hello"].target) == "Bonjour %s", units["hello"].target
assert text(units["note"].target) == "Ne \"citez\" pas\nl'%s \\ tab\t", units["note"].target
assert [text(s) for s in units["files"].target.strings] == ["%d fichier", "", "%d fichiers"]
pairs = {(u.source, u.target) for u in tmx.tmxfile.parsefile("memory.tmx").units}
assert ("Hello {name}", "مرحبًا {name}") in pairs, pairs
PYTHON
}

@test "XLIFF output has the shape that its schema wants, new and merged" {
	need xmllint
	[ -f "${XLIFF_SCHEMA-}" ] || skip "XLIFF_SCHEMA names no schema (xliff_core_2.0.xsd)"
	records | kandil-catalog write --xliff x >/dev/null || [ $? = 1 ]
	run -0 xmllint --nonet --noout --schema "$XLIFF_SCHEMA" x/*.xlf
	records | jq -c '.value |= sub("Hello"; "Hi") | .translations = {}' |
		kandil-catalog write --xliff x >/dev/null || [ $? = 1 ]
	run -0 xmllint --nonet --noout --schema "$XLIFF_SCHEMA" x/*.xlf
	grep -q 'subState="kandil:stale"' x/app.fr.xlf
}

@test "another program reads our XLIFF as we do" {
	need node
	[ -d "$ROOT/tests/node_modules/xliff" ] || skip "xliff is not installed (npm ci in tests/)"
	records | kandil-catalog write --xliff x >/dev/null || [ $? = 1 ]
	cat >read.cjs <<'NODE'
const fs = require('node:fs');
const load = require('node:module').createRequire(process.argv[2] + '/');
load('xliff/xliff2js')(fs.readFileSync('x/app.fr.xlf', 'utf8'), (e, js) => {
	if (e) throw e;
	const units = js.resources.f1;
	const data = u => Object.fromEntries((u.additionalElements || []).flatMap(e => e.elements)
		.map(d => [d.attributes.id, d.elements[0].text]));
	const text = (u, side) => [].concat(u[side]).map(p => typeof p === 'string' ? p :
		data(u)[Object.values(p)[0].dataRef]).join('');
	for (const [key, u] of Object.entries(units))
		console.log(JSON.stringify([key, text(u, 'source'), text(u, 'target')]));
});
NODE
	run -0 node read.cjs "$ROOT/tests/node_modules"
	same "$output" "$(records | jq -c '[.key, .value, .translations.fr.value]')"
}

@test "what is written in a format reads back, and nothing changes twice" {
	need python3
	cat >property.py <<'PYTHON'
import json, os, random, shutil, subprocess
from xml.etree import ElementTree
seed = int(os.environ.get("SEED", "7"))
print("seed", seed)
r = random.Random(seed)
bits = ["a", "b c", " ", "  ", "'", '"', "\\", "\n", "\t", "@", "?", "&", "<", ">", "<b>", "</b>", "<br/>", "%",
    "100% x", "é", "\u2028", "😀", "]]>", "--", "#", "n", "\u00a0", "0"]
def text(pound):
    def literal():
        t = "".join(r.choice(bits) for _ in range(r.randint(0, 6))).replace("'", "''")
        return t if pound else t.replace("#", "")
    return "x" + "".join(literal() + r.choice(["", "{a}", "{b}"]) for _ in range(r.randint(0, 3))) + "y"
def message():
    if r.random() < 0.7:
        return text(True)
    return "{n, plural, one{%s} other{%s {n}}}" % (text(False), text(False))
def run(*args, stdin=b""):
    return subprocess.run(["kandil-catalog", *args], input=stdin, capture_output=True)
def lines(out): return [json.loads(l) for l in out.decode().split("\n")[:-1]]
for option, name in [("--android", "out"), ("--xliff", "out"), ("--tmx", "out/m.tmx")]:
    for turn in range(12):
        shutil.rmtree("out", ignore_errors=True)
        os.makedirs("out")
        records = []
        for i in range(12):
            m = message()
            records.append({"kind": "string", "key": "k%d" % i, "value": m, "translations": {"fr": {
                "value": m.replace("x", "z"), "status": r.choice(["draft", "fuzzy", "translated"])}}})
        stdin = "".join(json.dumps(x) + "\n" for x in records).encode()
        p = run("write", option, name, stdin=stdin)
        assert p.returncode in (0, 1), p
        # A translation may not fit its source by chance (tags in a plural); the format says all.
        assert b"say" not in p.stderr and b"no place" not in p.stderr, (option, p.stderr, records)
        withheld = {k for x in lines(p.stdout) for k in x.get("withheld_keys", [])}
        q = run("read", "out")
        back = {x["key"]: x for x in lines(q.stdout)}
        for x in records:
            want = x["translations"]["fr"]
            if x["key"] in withheld:
                continue
            got = back[x["key"]]["translations"]["fr"]
            assert got["status"] == want["status"], (option, x, got)
            if option == "--xliff":
                assert got["value"] == want["value"], (x, got)
        # Neither the same records nor its own change a byte.
        for again in (stdin, q.stdout):
            p = run("write", option, name, stdin=again)
            assert not any(x["changed"] for x in lines(p.stdout)), (option, p, again)
        for folder, _, files in os.walk("out"):
            for file in files:
                ElementTree.parse(os.path.join(folder, file))
PYTHON
	run -0 python3 property.py
}

@test "a file of all languages is written once, or not at all" {
	mkdir m
	records | kandil-catalog write --tmx m/memory.tmx >/dev/null || [ $? = 1 ]
	cp m/memory.tmx before
	many_records 2000 >many
	run -3 --separate-stderr bash -c 'trap "" XFSZ; ulimit -f 1; kandil-catalog write --tmx m/memory.tmx many'
	[[ $stderr == *"cannot write"* ]]
	cmp before m/memory.tmx
	kandil-catalog write --tmx m/memory.tmx many >/dev/null
	[ "$(grep -c '<tu ' m/memory.tmx)" -ge 2003 ]
}
