#!/usr/bin/env bats
# What kandil-catalog writes for apps (i18next, .strings, .stringsdict,
# .xcstrings), read by other programs, and by i18next itself.

# Of `run --separate-stderr`: shellcheck does not know it.
# shellcheck disable=SC2154

load lib/common

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

need_toolkit() {
	/usr/bin/python3 -c 'import translate' 2>/dev/null || skip "translate-toolkit is not installed"
}

# Plurals whose forms name their category, so that a reader can tell which was taken.
records() {
	cat <<'RECORDS'
{"kind":"string","key":"menu.hello","value":"Hello {name}","translations":{"fr":{"value":"l''ami '{'ok'}' {name} \"ici\""},"ar":{"value":"مرحبا {name}","status":"draft"}}}
{"kind":"string","key":"menu.plain","value":"100% \\ done\n","translations":{"fr":{"value":"100 % \\ fini\n"}}}
{"kind":"string","key":"menu.twice","value":"{b} of {a}, {b}","translations":{"fr":{"value":"{a} & {b}, {b} <"}}}
{"kind":"string","key":"menu.items","value":"{n, plural, =0{none} one{one # {x}} other{other # {x}}}","translations":{"fr":{"value":"{n, plural, =0{none} one{one # {x}} other{other # {x}}}"},"es":{"value":"{n, plural, one{one # {x}} other{other # {x}}}"},"pt":{"value":"{n, plural, one{one # {x}} other{other # {x}}}"},"ar":{"value":"{n, plural, zero{zero {x}} one{one # {x}} two{two # {x}} few{few # {x}} many{many # {x}} other{other # {x}}}"},"ru":{"value":"{n, plural, one{one # {x}} few{few # {x}} many{many # {x}} other{other # {x}}}"},"cs":{"value":"{n, plural, one{one # {x}} few{few # {x}} other{other # {x}}}"},"lv":{"value":"{n, plural, zero{zero # {x}} one{one # {x}} other{other # {x}}}"},"ja":{"value":"{n, plural, other{other # {x}}}"}}}
RECORDS
}

@test "i18next shows of our files, for every number, what the ICU message says" {
	need node
	[ -d "$ROOT/tests/node_modules/i18next" ] || skip "i18next is not installed (npm ci in tests/)"
	{
		records
		echo '{"kind":"string","key":"menu.place","value":"{n, selectordinal, one{one #} two{two #} few{few #} other{other #}}","translations":{"fr":{"value":"{n, selectordinal, one{one #} other{other #}}"}}}'
	} >records.ndjson
	kandil-catalog write --i18next locales records.ndjson >/dev/null || [ $? = 1 ]
	cat >show.cjs <<'NODE'
const fs = require('fs'), i18next = require(process.argv[2] + '/i18next');
const records = fs.readFileSync('records.ndjson', 'utf8').trim().split('\n').map(JSON.parse);
const resources = {};
for (const lng of fs.readdirSync('locales'))
	resources[lng] = {translation: JSON.parse(fs.readFileSync(`locales/${lng}/translation.json`))};
const numbers = [1.5, 2.5, 1000, 1000000, 2000000, 1000001];
for (let n = 0; n <= 120; n++) numbers.push(n);
// The form of our test's messages that a number takes, by Intl alone.
const expected = (message, lng, n, ordinal) => {
	const forms = Object.fromEntries([...message.matchAll(/(=?\w+)\{((?:[^{}]|\{\w+\})*)\}/g)].map(m => [m[1], m[2]]));
	const category = new Intl.PluralRules(lng, {type: ordinal ? 'ordinal' : 'cardinal'}).select(n);
	return (forms['=' + n] ?? forms[category] ?? forms.other).replace('#', n).replace('{x}', 'X');
};
let checked = 0;
i18next.init({resources, fallbackLng: false, interpolation: {escapeValue: false}}, () => {
	for (const r of records) {
		const values = {en: r.value, ...Object.fromEntries(Object.entries(r.translations).map(([l, t]) => [l, t.value]))};
		const ordinal = r.value.includes('selectordinal');
		if (!r.value.includes('{n,')) continue;
		for (const [lng, value] of Object.entries(values))
			for (const n of numbers) {
				const got = i18next.t(r.key, {lng, count: n, ordinal, x: 'X'});
				const want = expected(value, lng, n, ordinal);
				if (got !== want) throw Error(`${lng} ${r.key} ${n}: ${got}, not ${want}`);
				checked++;
			}
	}
	const fr = i18next.t('menu.hello', {lng: 'fr', name: 'Zoé'});
	if (fr !== "l'ami {ok} Zoé \"ici\"") throw Error(fr);
	console.log(checked);
});
NODE
	run -0 node show.cjs "$ROOT/tests/node_modules"
	[ "$output" = $((127 * 11)) ]
}

@test "translate-toolkit reads our i18next files as we do" {
	need_toolkit
	records | kandil-catalog write --i18next locales >/dev/null || [ $? = 1 ]
	run -0 /usr/bin/python3 - <<'PYTHON'
from translate.storage.jsonl10n import I18NextV4File
store = I18NextV4File()
store.settargetlanguage("fr")
store.parse(open("locales/fr/translation.json", "rb").read())
texts = {u.getid(): u.target for u in store.units}
assert texts[".menu.hello"] == "l'ami {ok} {{name}} \"ici\"", texts
assert texts[".menu.plain"] == "100 % \\ fini\n", texts
plural = [t for i, t in texts.items() if "items" in i]
assert any("one {{count}} {{x}}" in getattr(t, "strings", [t]) for t in plural), plural
PYTHON
}

@test "translate-toolkit reads our .strings, in UTF-8 and in UTF-16" {
	need_toolkit
	records | kandil-catalog write --strings . >/dev/null || [ $? = 1 ]
	mkdir wide.lproj
	iconv -f UTF-8 -t UTF-16 fr.lproj/Localizable.strings >wide.lproj/Localizable.strings
	mkdir -p utf16/fr.lproj && mv wide.lproj/Localizable.strings utf16/fr.lproj/
	records | sed 's/menu\./wide./' | kandil-catalog write --strings utf16 >/dev/null || [ $? = 1 ]
	run -0 /usr/bin/python3 - <<'PYTHON'
from translate.storage.properties import stringsutf8file, stringsfile
want = {"hello": "l'ami {ok} %@ \"ici\"", "plain": "100 % \\ fini\n", "twice": "%2$@ & %1$@, %1$@ <"}
def texts(store, name):
    store.parse(open(name, "rb").read())
    return {u.name: u.target or u.source for u in store.units if u.name}
narrow = texts(stringsutf8file(), "fr.lproj/Localizable.strings")
wide = texts(stringsfile(), "utf16/fr.lproj/Localizable.strings")
for key, text in want.items():
    assert narrow["menu." + key] == text, narrow
    assert wide["menu." + key] == text and wide["wide." + key] == text, wide
PYTHON
}

@test "gettext reads our .strings of ASCII texts" {
	need msgcat
	cat >records.ndjson <<'RECORDS'
{"kind":"string","key":"a b","value":"It's {x}: \"50%\"\n\tand \\","description":"Note"}
{"kind":"string","key":"k","value":"plain"}
RECORDS
	kandil-catalog write --strings . records.ndjson >/dev/null
	run -0 msgcat --stringtable-input en.lproj/Localizable.strings -o out.po
	msgcat --no-wrap out.po >flat.po
	[ "$(grep -c '^msgid "..*"' flat.po)" = 2 ]
	grep -Fqx '# Note' flat.po
	grep -Fqx '"It'\''s %@: \"50%%\"\n"' flat.po
	grep -Fqx '"\tand \\"' flat.po
}

@test "plistlib reads our .stringsdict, and its categories are the language's" {
	need python3
	records | kandil-catalog write --strings . >/dev/null || [ $? = 1 ]
	run -0 python3 - <<'PYTHON'
import glob, plistlib
want = {"en": "zero one other", "fr": "zero one other", "ar": "zero one two few many other", "ru": "one few many other", "ja": "other", "lv": "zero one other"}
seen = 0
for name in glob.glob("*.lproj/*.stringsdict"):
    lang = name.split(".")[0]
    rule = plistlib.load(open(name, "rb"))["menu.items"]
    assert rule["NSStringLocalizedFormatKey"] == "%1$#@n@", rule
    number = rule["n"]
    assert number.pop("NSStringFormatSpecTypeKey") == "NSStringPluralRuleType"
    assert number.pop("NSStringFormatValueTypeKey") == "d"
    for category, text in number.items():
        assert text == "none" or text.split()[0] == category and text.endswith("%2$@"), text
    if lang in want:
        assert set(number) == set(want[lang].split()), (lang, number)
        seen += 1
assert seen == len(want), seen
PYTHON
}

@test "a String Catalog stays in Xcode's style, and says what was asked and no more" {
	need python3
	cat >property.py <<'PYTHON'
import json, os, random, re, subprocess
seed = int(os.environ.get("SEED", "11"))
print("seed", seed)
r = random.Random(seed)
def dump(catalog):
    text = json.dumps(catalog, indent=2, separators=(",", " : "), ensure_ascii=False)
    return re.sub(r"^( *)(.*)\{\}", r"\1\2{\n\n\1}", text, flags=re.M) + "\n"
def unit(text, state="translated"):
    return {"stringUnit": {"state": state, "value": text}}
words = ["one", "deux", "\"q\"", "<b>", "é", "\\", "100%", "三"]
states = {"draft": "new", "fuzzy": "needs_review", "translated": "translated"}
for _ in range(15):
    strings, records = {}, []
    for key in sorted({r.choice("abcdefgh") + str(r.randrange(40)) for _ in range(r.randrange(1, 12))}):
        there = {}
        for lang in ("de", "en", "it"):
            if r.random() < .5:
                there[lang] = unit(r.choice(words)) if r.random() < .7 else {"variations": {"device": {"mac": unit("m"), "other": unit("o")}}}
        entry = {}
        if r.random() < .3:
            entry["comment"] = "c"
        if there:
            entry["localizations"] = there
        if r.random() < .2:
            entry["shouldTranslate"] = True
        strings[key] = entry
    catalog = {"sourceLanguage": "en", "strings": strings, "version": "1.0"}
    open("L.xcstrings", "w").write(dump(catalog))
    for key, entry in strings.items():
        there = entry.get("localizations", {})
        if r.random() < .6 and "variations" not in there.get("en", {}):
            source = there["en"]["stringUnit"]["value"] if "en" in there else key
            state = r.choice(list(states))
            records.append({"kind": "string", "key": key, "value": source, "format": "plain", "translations": {"fr": {"value": "f " + source, "status": state}}})
            there = entry.setdefault("localizations", there)
            there["fr"] = unit("f " + source, states[state])
            entry["localizations"] = dict(sorted(there.items()))
            strings[key] = dict(sorted(entry.items()))
    open("records", "w").write("".join(json.dumps(x) + "\n" for x in records))
    if not records:
        continue
    p = subprocess.run(["kandil-catalog", "write", "--xcstrings", "L.xcstrings", "records"], capture_output=True, text=True)
    assert p.returncode in (0, 1), p.stderr
    got = open("L.xcstrings").read()
    assert got == dump(catalog), (p.stderr, got, dump(catalog))
PYTHON
	run -0 python3 property.py
}
