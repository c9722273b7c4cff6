# i18n.mk: translation as a build: each stage's output is its cache, so that
# nothing is translated twice and a stage that fails leaves no half file.
#
#	make -f .../share/kandil/pipelines/i18n.mk TO=ar,fr
#	make -f .../share/kandil/pipelines/i18n.mk check
#
# SOURCES, TO, ARB and OUT may be set; -j2 runs what is independent side by side.
# ENGINE=model or deepl has drafts made of what no memory has; TRANSLATE holds
# further options (TRANSLATE=--max-cost=1). A draft is not asked for again.

SOURCES ?= lib
TO      ?= ar,es,fr
ARB     ?= lib/l10n
OUT     ?= .kandil/i18n
ENGINE  ?= auto
TRANSLATE ?=

SHELL       = bash
.SHELLFLAGS = -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: catalogues check clean force

# Records that carry an error, or a missing translation, are status 1: the run
# goes on, and the records say what is missing.
partial = || [ $$? -eq 1 ]

catalogues: $(OUT)/written.ndjson

$(OUT)/strings.ndjson: $(shell find $(SOURCES) -type f -name '*.dart' 2>/dev/null)
	@mkdir -p $(@D)
	kandil-extract -o $@ $(SOURCES) $(partial)

# Holds the languages, and is new when they are others.
$(OUT)/languages: force
	@mkdir -p $(@D)
	@echo '$(TO)' | cmp -s - $@ || echo '$(TO)' >$@

$(OUT)/translated.ndjson: $(OUT)/strings.ndjson $(OUT)/languages $(wildcard $(ARB)/*.arb)
	kandil-translate --to=$(TO) --engine=$(ENGINE) $(TRANSLATE) -o $@ $< $(partial)

$(OUT)/written.ndjson: $(OUT)/translated.ndjson
	kandil-catalog write --arb=$(ARB) -o $@ $< $(partial)
	@touch $< $@ # what it wrote itself is no news

check: $(OUT)/written.ndjson
	kandil-catalog check $(ARB)

clean:
	rm -rf $(OUT)
