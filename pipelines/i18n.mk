# i18n.mk: translation as a build: each stage's output is its cache, so that
# nothing is translated twice and a stage that fails leaves no half file.
#
#	make -f .../share/kandil/pipelines/i18n.mk TO=ar,fr
#	make -f .../share/kandil/pipelines/i18n.mk check
#
# FORMAT      arb (the default), po, xliff, android, i18next, strings or
#             xcstrings: an option of kandil-catalog write
# CATALOGUES  its folder, or the file of xcstrings: lib/l10n, po, translations,
#             app/src/main/res, locales, Resources, Localizable.xcstrings
# SOURCES     folders whose hard-coded texts get keys: lib for arb, else none
# TO          the languages
# ENGINE      model or deepl has drafts made of what no memory has
# TRANSLATE   further options of kandil-translate (TRANSLATE=--max-cost=1)
# OUT         where the stages' outputs are kept
#
# The texts are those of SOURCES and those that the catalogues have already. All
# of it is done again when a source, a catalogue (edited, new or gone) or one of
# these settings changes; what people wrote stays, and a draft is not asked for
# again. Where an engine cannot go on, what it gave is written, and make fails.

FORMAT  ?= arb
TO      ?= ar,es,fr
ENGINE  ?= auto
OUT     ?= .kandil/i18n
TRANSLATE ?=
ARB     ?= lib/l10n

place_arb       = $(ARB)
place_po        = po
place_xliff     = translations
place_android   = app/src/main/res
place_i18next   = locales
place_strings   = Resources
place_xcstrings = Localizable.xcstrings
CATALOGUES ?= $(place_$(FORMAT))
ifeq ($(CATALOGUES),)
$(error FORMAT=$(FORMAT) has no place: set it to arb, po, xliff, android, i18next, strings or xcstrings, or set CATALOGUES)
endif
SOURCES ?= $(if $(filter arb,$(FORMAT)),$(wildcard lib))

names_arb       = *.arb
names_po        = *.po *.pot
names_xliff     = *.xlf *.xliff
names_android   = *.xml
names_i18next   = *.json
names_strings   = *.strings *.stringsdict
names_xcstrings = *.xcstrings
code = *.dart *.js *.jsx *.ts *.tsx *.kt *.java *.swift *.html *.py *.php *.c *.xml

SHELL       = bash
.SHELLFLAGS = -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: catalogues check clean force

# Records that carry an error, or a missing translation, are status 1: the run
# goes on, and the records say what is missing.
partial = || [ $$? -eq 1 ]

# sums FOLDERS,NAMES: a line for each file, which changes when the file does.
quoted = $(subst *,'*',$(1))
sums = find $(1) -type f \( -false $(patsubst %,-o -name %,$(call quoted,$(2))) \) -print0 \
	2>/dev/null | sort -z | xargs -0 -r cksum || true
inputs = { $(if $(SOURCES),$(call sums,$(SOURCES),$(code));) \
	$(call sums,$(CATALOGUES),$(names_$(FORMAT))); }
write = kandil-catalog write --$(FORMAT)=$(CATALOGUES)

catalogues: $(OUT)/written.ndjson

# What all is made from; new when some of it changed.
$(OUT)/inputs: force
	@mkdir -p $(@D)
	@$(inputs) >$@.now
	@cmp -s $@.now $@ || cp $@.now $@

$(OUT)/settings: export settings = $(FORMAT) $(CATALOGUES) $(TO) $(ENGINE) $(TRANSLATE)
$(OUT)/settings: force
	@mkdir -p $(@D)
	@printf '%s\n' "$$settings" | cmp -s - $@ || printf '%s\n' "$$settings" >$@

# A text with its key is there once: where people translated it already.
$(OUT)/strings.ndjson: $(OUT)/inputs
	{ [ -z "$$($(call sums,$(CATALOGUES),$(names_$(FORMAT))))" ] || \
		kandil-catalog read $(CATALOGUES) $(partial); \
		$(if $(SOURCES),kandil-extract $(SOURCES) $(partial);) } | \
		awk -F ',"format":' '!seen[$$1]++' >$@

# Status 3: the engine has stopped, and what it was not asked for is missing.
$(OUT)/translated.ndjson: $(OUT)/strings.ndjson $(OUT)/settings
	@rm -f $@.part
	kandil-translate --to=$(TO) --engine=$(ENGINE) $(TRANSLATE) -o $@ $< || { status=$$?; \
		[ $$status -ne 3 ] || [ ! -s $@.part ] || $(write) $@.part >/dev/null $(partial); \
		[ $$status -eq 1 ] || exit $$status; }

# What it wrote itself is no news, unless somebody else wrote meanwhile.
$(OUT)/written.ndjson: $(OUT)/translated.ndjson
	@$(inputs) >$(OUT)/inputs.now
	$(write) -o $@ $< $(partial)
	@! cmp -s $(OUT)/inputs.now $(OUT)/inputs || { $(inputs) >$(OUT)/inputs; \
		touch -r $(OUT)/strings.ndjson $(OUT)/inputs; }

check: $(OUT)/written.ndjson
	kandil-catalog check $(CATALOGUES)

clean:
	rm -rf $(OUT)
