# kandil: one file, no recursion into folders. `make` builds into build/, which
# has the shape of an installation; `make help` lists the rest.

PREFIX     ?= /usr/local
DESTDIR    ?=
BINDIR      = $(PREFIX)/bin
LIBEXECDIR  = $(PREFIX)/libexec/kandil
DATADIR     = $(PREFIX)/share/kandil
MANDIR      = $(PREFIX)/share/man

VERSION := $(shell cat VERSION)
CC      ?= cc
AR      ?= ar
CLANG   ?= clang
CFLAGS  ?= -O2 -g
WERROR  ?=
WARN     = -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	   -Wformat=2 -Wnull-dereference
HARDEN   = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
	   -fcf-protection -fPIE
LINK     = -pie -Wl,-z,relro,-z,now
BASE     = -std=gnu11 -I. -D_GNU_SOURCE -DKANDIL_VERSION='"$(VERSION)"' \
	   -ffile-prefix-map=$(CURDIR)=. $(WARN)
LDLIBS   = -Wl,--as-needed -lpcre2-8 -lexpat -lyaml -ljq -lwebsockets -lssl -lcrypto -lm
SAN      = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	   -fno-sanitize-recover=undefined
FUZZ     = $(SAN) -fsanitize=fuzzer-no-link

# Debian packages. Building needs the first list, the tests the second as well, lint and fuzz
# the third, bench the fourth. Tests also need node and npm, from wherever they come.
PACKAGES      = gcc libc6-dev make libjq-dev libpcre2-dev libexpat1-dev libyaml-dev \
		libcurl4-openssl-dev libssl-dev libwebsockets-dev jq
TEST_PACKAGES = bats bsdextrautils gettext git mandoc bsdutils python3 python3-icu strace time \
		translate-toolkit openssl aapt libxml2-utils curl
LINT_PACKAGES = clang clang-tidy libclang-rt-14-dev cppcheck shellcheck codespell pmccabe
BENCH_PACKAGES = nginx libnginx-mod-http-echo wrk parallel curl mosquitto nats-server

# Adding a tool is adding a folder: these lists are read from the tree. A
# folder whose <x>.c does not exist yet is a library without a program.
COMMON   = $(wildcard common/*.c common/format/*.c)
LIBS     = $(sort $(patsubst tools/%/,%,$(dir $(wildcard tools/*/*.c))))
NAMES    = $(foreach n,$(LIBS),$(if $(wildcard tools/$n/$n.c),$n))
UNITS    = $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*.c))
FUZZERS  = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
DATA     = $(if $(LIBS),$(shell find $(LIBS:%=tools/%) -mindepth 2 -type f)) $(wildcard tools/*/*.tsv)
SHARED   = $(shell find common/data -type f)
PIPES    = $(wildcard pipelines/kandil-*)
PIPEDATA = $(filter-out $(PIPES),$(wildcard pipelines/*))
PAGES    = $(wildcard man/*.[157])
PROGRAMS = $(NAMES:%=kandil-%) $(patsubst tools/%.c,%,$(wildcard tools/kandil.c))

# One short line a step; `make V=1` shows the commands.
Q   = $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-5s %s\n')

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
.DELETE_ON_ERROR:
.PHONY: all build deps deps-test deps-lint deps-bench demo test unit golden-test bats asan fuzz lint \
	bench golden ci install uninstall clean help asan-build fuzz-build completions
.DEFAULT_GOAL = all

all: build ## what `make` does

# variant(folder, compiler, compile flags, link flags): the whole tree below
# one build folder. x.c of tools/x is its main; the other files go into
# <x>.a, so that unit tests and fuzzers can link what they need of a tool.
define variant
$(1)/obj/%.o: %.c VERSION
	@mkdir -p $$(@D)
	$$(say) cc $$<
	$$(Q)$(2) $(BASE) $(3) $$(CPPFLAGS) -MMD -MP -c $$< -o $$@
$(1)/obj/libkandil.a: $(COMMON:%.c=$(1)/obj/%.o)
	@rm -f $$@
	$$(Q)$(AR) rcD $$@ $$^
$(1)/bin/kandil: $(1)/obj/tools/kandil.o $(1)/obj/tools/kandil.a $(1)/obj/libkandil.a
	@mkdir -p $$(@D)
	$$(say) link $$@
	$$(Q)$(2) $(3) $(4) $$(LDFLAGS) $$^ $(LDLIBS) -o $$@
$(foreach n,$(LIBS),$(call library,$(1),$(n)))
$(foreach n,$(NAMES),$(call program,$(1),$(2),$(3) $(4),$(n)))
$(foreach u,$(UNITS),$(call unit,$(1),$(2),$(3) $(4),$(u)))
$(1)/share/kandil/common/%: common/data/%
	@mkdir -p $$(@D)
	@cp -p $$< $$@
$(1)/share/kandil/pipelines/%: pipelines/%
	@mkdir -p $$(@D)
	@cp -p $$< $$@
$(1)/share/kandil/%: tools/%
	@mkdir -p $$(@D)
	@cp -p $$< $$@
$(1)/libexec/kandil/%: pipelines/%
	@mkdir -p $$(@D)
	@install -m 755 $$< $$@
$(foreach s,1 5 7,$(call section,$(1),$(s)))
$(1)_FILES = $(PROGRAMS:%=$(1)/bin/%) $(DATA:tools/%=$(1)/share/kandil/%) \
	$(SHARED:common/data/%=$(1)/share/kandil/common/%) \
	$(PIPES:pipelines/%=$(1)/libexec/kandil/%) \
	$(PIPEDATA:pipelines/%=$(1)/share/kandil/pipelines/%) \
	$(foreach p,$(PAGES),$(1)/share/man/man$(subst .,,$(suffix $(p)))/$(notdir $(p)))
endef

define library
$(1)/obj/tools/$(2).a: $(patsubst %.c,$(1)/obj/%.o,$(filter-out tools/$(2)/$(2).c,$(wildcard tools/$(2)/*.c)))
	@rm -f $$@
	$$(Q)$(AR) rcD $$@ $$^

endef

define program
$(1)/bin/kandil-$(4): $(1)/obj/tools/$(4)/$(4).o $(1)/obj/tools/$(4).a $(1)/obj/libkandil.a
	@mkdir -p $$(@D)
	$$(say) link $$@
	$$(Q)$(2) $(3) $$(LDFLAGS) $$^ $(LDLIBS) -o $$@

endef

# needs(file): the libraries of the tools whose headers a test includes.
needs = $(sort $(shell sed -n 's,^#include "tools/\([a-z]*\)/.*,\1,p' $(1)))

define unit
$(1)/unit/$(4): $(1)/obj/tests/unit/$(4).o $(patsubst %,$(1)/obj/tools/%.a,$(call needs,tests/unit/$(4).c)) $(1)/obj/libkandil.a
	@mkdir -p $$(@D)
	$$(say) link $$@
	$$(Q)$(2) $(3) $$(LDFLAGS) $$^ $(LDLIBS) -o $$@

endef

define section
$(1)/share/man/man$(2)/%: man/%
	@mkdir -p $$(@D)
	@cp -p $$< $$@

endef

define fuzzer
build/fuzz/run/$(1): tests/fuzz/$(1).c $(wildcard tests/fuzz/*.h) $(patsubst %,build/fuzz/obj/tools/%.a,$(call needs,tests/fuzz/$(1).c)) build/fuzz/obj/libkandil.a
	@mkdir -p $$(@D)
	$$(say) link $$@
	$$(Q)$(CLANG) $(BASE) $(SAN) -fsanitize=fuzzer -Wno-missing-prototypes $$(filter-out %.h,$$^) $(LDLIBS) -o $$@

endef

# gcc warns of what is not there when it instruments: no WERROR for build/asan.
$(eval $(call variant,build,$(CC),$(CFLAGS) $(HARDEN) $(WERROR),$(LINK)))
$(eval $(call variant,build/asan,$(CC),$(SAN),))
$(eval $(call variant,build/fuzz,$(CLANG),$(FUZZ) $(WERROR),))
$(eval $(foreach f,$(FUZZERS),$(call fuzzer,$(f))))

.PRECIOUS: build/obj/%.o build/asan/obj/%.o build/fuzz/obj/%.o
-include $(shell find build -name '*.d' -type f 2>/dev/null)

build: $(build_FILES) ## the programs, in build/bin
	@:
asan-build: $(build/asan_FILES) $(UNITS:%=build/asan/unit/%)
fuzz-build: $(FUZZERS:%=build/fuzz/run/%)

# Each kind of package is asked for once; then a stamp remembers.
deps: build/.deps ## installs the Debian packages that are missing (printed first)
deps-test: build/.deps build/.deps-test
deps-lint: build/.deps build/.deps-lint
deps-bench: build/.deps build/.deps-test build/.deps-bench
build/.deps: .ci/deps
	@.ci/deps $(PACKAGES)
	@mkdir -p $(@D) && touch $@
build/.deps-test: .ci/deps tests/package-lock.json | build/.deps
	@.ci/deps $(TEST_PACKAGES)
	@.ci/deps --node tests
	@mkdir -p $(@D) && touch $@
build/.deps-lint: .ci/deps | build/.deps
	@.ci/deps $(LINT_PACKAGES)
	@mkdir -p $(@D) && touch $@
build/.deps-bench: .ci/deps tests/bench/package-lock.json | build/.deps
	@.ci/deps $(BENCH_PACKAGES)
	@.ci/deps --node tests/bench
	@mkdir -p $(@D) && touch $@

# The compiler itself may be what `deps` installs, so these build in a second
# make that starts when the first has installed.
demo: deps ## the main pipeline on examples/flutter-app
	@$(MAKE) --no-print-directory build
	@PATH=$(CURDIR)/build/bin:$$PATH KANDIL_DATADIR=$(CURDIR)/build/share/kandil examples/demo $(CURDIR)/build/demo

test: deps-test ## every test
	@$(MAKE) --no-print-directory build $(UNITS:%=build/unit/%)
	@tests/run

asan: deps-test ## the same under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory asan-build
	@tests/run --build=build/asan

FUZZ_SECONDS ?= 20
fuzz: deps-lint ## a libFuzzer target for every parser, FUZZ_SECONDS each
	@$(MAKE) --no-print-directory build fuzz-build
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/lib/fuzz

lint: deps-test deps-lint ## compilers, static checks, scripts, manuals, layers
	@$(MAKE) --no-print-directory build
	@tests/lint/run

bench: deps-bench ## against named peers; CORPUS=DIR runs on public code
	@$(MAKE) --no-print-directory build
	@tests/bench/run
	@tests/bench/ai
	@tests/bench/collab

golden: build ## rewrites the golden cases: review the difference
	@tests/lib/golden --rewrite

ci: ## what .ci/run calls: test, asan, lint and a short fuzz
	@tests/lib/ci test asan lint fuzz

install: build ## into $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR) $(DESTDIR)$(MANDIR)
	install -m 755 $(PROGRAMS:%=build/bin/%) $(DESTDIR)$(BINDIR)
	install -m 755 build/libexec/kandil/* $(DESTDIR)$(LIBEXECDIR)
	cp -R build/share/kandil/. $(DESTDIR)$(DATADIR)
	cp -R build/share/man/. $(DESTDIR)$(MANDIR)
	for shell in $(COMPLETIONS); do \
		install -d $(DESTDIR)$(PREFIX)/share/$$(dirname $${shell#*:}) && \
		build/bin/kandil completions $${shell%%:*} \
			>$(DESTDIR)$(PREFIX)/share/$${shell#*:} || exit; \
	done
	for link in $(COMPLETION_LINKS); do \
		ln -sf kandil$${link#*:} $(DESTDIR)$(PREFIX)/share/$${link%:*}$${link#*:} || exit; \
	done

COMPLETIONS = bash:bash-completion/completions/kandil zsh:zsh/site-functions/_kandil \
	fish:fish/vendor_completions.d/kandil.fish
# bash and fish look for a file of the command's own name: FILE:SUFFIX.
COMPLETION_LINKS = $(NAMES:%=bash-completion/completions/kandil-%:) \
	$(NAMES:%=fish/vendor_completions.d/kandil-%:.fish)

uninstall: ## removes what install put there
	rm -f $(PROGRAMS:%=$(DESTDIR)$(BINDIR)/%) $(PIPES:pipelines/%=$(DESTDIR)$(LIBEXECDIR)/%)
	rm -f $(foreach p,$(PAGES),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(p)))/$(notdir $(p)))
	rm -f $(foreach c,$(COMPLETIONS),$(DESTDIR)$(PREFIX)/share/$(lastword $(subst :, ,$(c))))
	rm -f $(foreach l,$(COMPLETION_LINKS),$(DESTDIR)$(PREFIX)/share/$(subst :,,$(l)))
	rm -rf $(DESTDIR)$(DATADIR)
	-rmdir $(DESTDIR)$(LIBEXECDIR)

clean: ## removes build/
	rm -rf build

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
