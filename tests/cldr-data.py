#!/usr/bin/env python3
"""Makes common/data/plurals.tsv and common/data/locales.tsv from CLDR.

    npm install cldr-core@48 cldr-localenames-full@48
    tests/cldr-data.py node_modules common/data

The tables are committed; this runs again when a new CLDR is out. The data is
(c) 1991-2025 Unicode, Inc., under the Unicode License V3
(https://www.unicode.org/license.txt).
"""
import json
import re
import sys
from pathlib import Path

HEADER = """\
# {what}
# Made by tests/cldr-data.py from CLDR {version}: do not edit.
# Copyright (c) 1991-2025 Unicode, Inc. Unicode License V3:
# https://www.unicode.org/license.txt
# {columns}
"""


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def split_rule(text):
    """'n = 1 @integer 1 @decimal 1.0' -> condition, integers, decimals."""
    parts = re.split(r"@(integer|decimal)", text)
    samples = dict(zip(parts[1::2], (p.strip() for p in parts[2::2])))
    return parts[0].strip(), samples.get("integer", ""), samples.get("decimal", "")


def plurals(core):
    for name, kind in (("plurals", "cardinal"), ("ordinals", "ordinal")):
        data = load(core / "supplemental" / f"{name}.json")["supplemental"]
        groups = {}
        for locale, rules in data[f"plurals-type-{kind}"].items():
            if locale != "und":
                groups.setdefault(tuple(rules.items()), []).append(locale)
        for rules, locales in groups.items():
            for key, text in rules:
                category = key.rsplit("-", 1)[1]
                yield "\t".join((kind, " ".join(locales), category, *split_rule(text)))


def locales(core, names):
    supplemental = core / "supplemental"
    english = load(names / "main" / "en" / "languages.json")["main"]["en"]["localeDisplayNames"]["languages"]
    territories = load(names / "main" / "en" / "territories.json")["main"]["en"]["localeDisplayNames"]["territories"]
    likely = load(supplemental / "likelySubtags.json")["supplemental"]["likelySubtags"]
    scripts = load(core / "scriptMetadata.json")["scriptMetadata"]
    aliases = load(supplemental / "aliases.json")["supplemental"]["metadata"]["alias"]["languageAlias"]
    parents = load(supplemental / "parentLocales.json")["supplemental"]["parentLocales"]["parentLocale"]
    known = load(supplemental / "languageData.json")["supplemental"]["languageData"]
    available = load(core / "availableLocales.json")["availableLocales"]["full"]
    cardinal = load(supplemental / "plurals.json")["supplemental"]["plurals-type-cardinal"]
    codes = {c.split("-")[0] for c in [*known, *available, *cardinal]}
    codes = sorted(c for c in codes if re.fullmatch("[a-z]{2,3}", c) and c != "und")
    for code in codes:
        script = likely.get(code, "und-Zyyy-ZZ").split("-")[1]
        yield f"language\t{code}\t{script}\t{english.get(code, '')}"
    for code, data in sorted(scripts.items()):
        yield f"script\t{code}\t{'rtl' if data.get('rtl') == 'YES' else 'ltr'}\t"
    for code in sorted(territories):
        if re.fullmatch("[A-Z]{2}|[0-9]{3}", code) and code not in ("ZZ", "XA", "XB"):
            yield f"region\t{code}\t\t"
    for old, new in sorted(aliases.items()):
        if re.fullmatch("[a-z]{2,3}", old):
            yield f"alias\t{old}\t{new['_replacement'].replace('_', '-')}\t"
    for child, parent in sorted(parents.items()):
        if parent != "und":
            yield f"parent\t{child}\t{parent}\t"
    # zh-TW is written like zh-Hant, not like zh.
    for key, value in sorted(likely.items()):
        match = re.fullmatch("([a-z]{2,3})-([A-Z]{2})", key)
        script = value.split("-")[1]
        if match and likely.get(match[1], "").split("-")[1:2] not in ([], [script]):
            yield f"parent\t{key}\t{match[1]}-{script}\t"


def main():
    modules, folder = Path(sys.argv[1]), Path(sys.argv[2])
    core, names = modules / "cldr-core", modules / "cldr-localenames-full"
    version = load(core / "package.json")["version"]
    for file, what, columns, rows in (
        ("plurals.tsv", "Plural categories: rules and samples.",
         "kind, locales, category, condition, whole samples, decimal samples",
         plurals(core)),
        ("locales.tsv", "Languages, scripts, regions, aliases and parents.",
         "kind, code, (script | direction | replacement | parent), English name",
         locales(core, names)),
    ):
        text = HEADER.format(what=what, version=version, columns=columns)
        text += "".join(row + "\n" for row in rows)
        (folder / file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
