/*
 * kandil-extract: finds things in source text: user-visible strings, every
 * literal, whatever a rule pack names.
 */
#include "common/jobs.h"
#include "common/mem.h"
#include "common/record.h"
#include "common/walk.h"
#include "tools/extract/emit.h"
#include "tools/extract/files.h"
#include "tools/extract/package.h"
#include "tools/extract/project.h"
#include "tools/extract/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct settings {
	struct common common;
	int level; /* 0 is LEVEL_CORE */
	bool literals, generated;
	int keys;
	struct opt_list keys_from, include, exclude, rules, paths;
	const char *stdin_name;
	long jobs;
	size_t max_file;
};

#define AT(member) offsetof(struct settings, member)

static const struct opt options[] = {
	{"level", 'l', OPT_CHOICE, "core|likely|all", "how sure to be that people see a string",
	    OPT_PROJECT, "likely", AT(level)},
	{"literals", 0, OPT_FLAG, NULL, "report every string literal of Dart instead", 0, NULL,
	    AT(literals)},
	{"keys", 'k', OPT_CHOICE, "slug|hash|line", "what keys are made of", OPT_PROJECT, "slug",
	    AT(keys)},
	{"keys-from", 0, OPT_WORDS, "FILE", "take keys from an ARB file that has the text",
	    OPT_PROJECT, NULL, AT(keys_from)},
	{"include", 'i', OPT_WORDS, "GLOB", "of a folder, read only what matches", OPT_PROJECT,
	    NULL, AT(include)},
	{"exclude", 'x', OPT_WORDS, "GLOB", "of a folder, leave out what matches", OPT_PROJECT,
	    NULL, AT(exclude)},
	{"rules", 'r', OPT_WORDS, "FILE", "read with this rule pack and no other", 0, NULL,
	    AT(rules)},
	{"stdin-name", 0, OPT_TEXT, "FILE", "stdin is the source of FILE", 0, NULL,
	    AT(stdin_name)},
	{"paths", 0, OPT_LIST, "PATH", "what to read when nothing is named", OPT_PROJECT, NULL,
	    AT(paths)},
	{"generated", 0, OPT_FLAG, NULL, "read generated files too", OPT_PROJECT, NULL,
	    AT(generated)},
	{"max-file", 0, OPT_SIZE, "SIZE", "a larger file is an error record", OPT_PROJECT, "8M",
	    AT(max_file)},
	{"jobs", 'j', OPT_NUMBER, "N", "files read at once; 0: one a core", OPT_PROJECT, "1",
	    AT(jobs)},
	{0},
};

static const struct tool tool = {
	.name = "kandil-extract",
	.summary = "find user-visible strings in source code",
	.operands = "[FILE | FOLDER ...]",
	.opts = options,
	.epilogue = "kandil-extract lib/ | kandil-translate --to=ar,fr\n"
		    "kandil-extract --literals lib/main.dart",
};

struct extract {
	struct run run;
	struct settings settings;
	struct words *words;
	struct names *names; /* level likely alone */
	struct ignore *ignore;
	struct keys *keys;
	struct files files;
	struct emit emit;
	struct walk_options walk;
	struct jobs *jobs;   /* NULL: files are read here */
	const char *operand; /* being walked */
	struct wire wire;
	char *root;    /* of the package that names are of, for stdin */
	size_t records; /* that stdin held */
};

/* ---- one file, here or in a worker ---- */

static void
to_wire(const struct source *source, const struct found *found, void *out)
{
	(void)source;
	wire_put(out, found);
}

/* An item is `!` or `.` (named by the user or met on a walk) and a path. */
static int
read_job(struct slice item, struct buf *out, void *state)
{
	struct extract *x = state;
	char *path = xstrndup(item.ptr + 1, item.len - 1);
	struct walk_file file = {path, path, AT_FDCWD, item.ptr[0] == '!'};

	files_read(&x->files, walk_open(&file), path, file.operand, to_wire, out);
	free(path);
	return 0;
}

static void
emit_job(struct slice item, struct slice out, int status, bool died, void *state)
{
	struct extract *x = state;
	char *path = xstrndup(item.ptr + 1, item.len - 1);
	struct source source = {.file = path};
	struct found found;

	(void)status;
	if (died) {
		found = (struct found){.kind = "error", .rule = S("worker_died"),
			.value = S("the process that read this file ended")};
		emit_found(&source, &found, &x->emit);
	}
	while (wire_get(&x->wire, &out, &found))
		emit_found(&source, &found, &x->emit);
	free(path);
}

static int
visit(const struct walk_file *file, void *state)
{
	struct extract *x = state;

	if (!file->operand && !files_wants(&x->files, file->path, x->operand))
		return 0;
	if (x->jobs == NULL) {
		files_read(&x->files, walk_open(file), file->path, file->operand, emit_found,
		    &x->emit);
	} else {
		struct buf item = {0};
		buf_addc(&item, file->operand ? '!' : '.');
		buf_adds(&item, file->path);
		jobs_add(x->jobs, buf_slice(&item));
		buf_free(&item);
	}
	return run_interrupted();
}

static void
fault(const char *path, int error, void *state)
{
	struct extract *x = state;

	warn("%s: %s", path, strerror(error));
	run_status(&x->run, STATUS_FAILED);
}

/* ---- stdin ---- */

/* What the package around the file says of its names, when it is another one. */
static void
learn_around(struct extract *x, const char *file)
{
	if (x->files.level != LEVEL_LIKELY || x->files.literals || !files_is_dart(file))
		return;
	char *root = package_root(file);
	bool same = root != NULL && x->root != NULL && strcmp(root, x->root) == 0;
	if (same) {
		free(root);
		return;
	}
	names_free(x->names);
	x->names = names_new();
	x->files.names = x->names;
	free(x->root);
	x->root = root;
	if (root != NULL)
		package_learn(&x->files, root, x->names);
	names_resolve(x->names);
}

/* A record with a file and no other kind names a source to read. */
static void
read_record(struct record *record, void *state)
{
	struct extract *x = state;
	struct buf name = {0};

	x->records++;
	if ((record->kind.len > 0 && !record_kind(record, "file")) ||
	    !record_get_text(record, "file", &name) || name.len == 0) {
		record_pass(record);
		buf_free(&name);
		return;
	}
	struct walk_file file = {name.ptr, name.ptr, AT_FDCWD, true};
	int fd = walk_open(&file);
	if (fd < 0) {
		record_fail(record, "cannot_read", false, "cannot open '%s': %s", name.ptr,
		    strerror(errno));
	} else {
		learn_around(x, name.ptr);
		files_read(&x->files, fd, name.ptr, true, emit_found, &x->emit);
	}
	buf_free(&name);
}

static void
read_stdin_as(struct extract *x, const char *name)
{
	struct buf text = {0};
	struct source source = {.file = name};
	struct err e = {0};

	if (files_slurp(STDIN_FILENO, x->files.max_file, &text, &e) != 0)
		die(STATUS_FAILED, "%s: %s", name, e.text);
	learn_around(x, name);
	source.text = buf_slice(&text);
	files_scan(&x->files, &source, true, emit_found, &x->emit);
	buf_free(&text);
}

/* ---- operands ---- */

/* Reads operands in order; records on stdin (`-`) wait for the files before them. */
static void
read_operands(struct extract *x, char *const *operands, int n)
{
	bool parallel = x->settings.jobs != 1;

	if (x->files.level == LEVEL_LIKELY && !x->files.literals && x->files.nrules == 0) {
		x->names = names_new();
		project_learn(&x->files, operands, n, &x->walk, x->settings.jobs, x->names);
		x->files.names = x->names;
		if (names_full(x->names))
			note("more names than are kept: some strings may be missed below --level=all");
	}
	for (int i = 0; i < n && !run_interrupted(); i++) {
		if (strcmp(operands[i], "-") == 0) {
			if (x->jobs != NULL)
				jobs_finish(x->jobs);
			x->jobs = NULL;
			record_read(&x->run, STDIN_FILENO, "<stdin>", read_record, x);
			continue;
		}
		if (parallel && x->jobs == NULL)
			x->jobs = jobs_start(x->settings.jobs, read_job, emit_job, x);
		x->operand = operands[i];
		walk(operands[i], &x->walk, visit, fault, x);
	}
	if (x->jobs != NULL)
		jobs_finish(x->jobs);
	x->jobs = NULL;
}

/* A bare call in a package reads it: --paths, or lib of a Dart package. */
static bool
read_package(struct extract *x)
{
	struct opt_list *paths = &x->settings.paths;
	struct stat st;
	char lib[] = "lib", here[] = ".";
	char *operand = stat(lib, &st) == 0 && S_ISDIR(st.st_mode) ? lib : here;

	if (paths->n == 0 && access("pubspec.yaml", F_OK) != 0)
		return false;
	if (paths->n > 0) {
		for (size_t i = 0; i < paths->n; i++)
			note("nothing was named: reading '%s'", paths->v[i]);
		read_operands(x, (char *const *)(void *)paths->v, (int)paths->n);
	} else {
		note("nothing was named: reading the package's '%s'", operand);
		read_operands(x, &operand, 1);
	}
	return true;
}

static void
extract(struct extract *x)
{
	if (x->settings.stdin_name != NULL) {
		read_stdin_as(x, x->settings.stdin_name);
	} else if (x->run.noperands > 0) {
		read_operands(x, x->run.operands, x->run.noperands);
	} else if (isatty(STDIN_FILENO)) {
		if (!read_package(x))
			opt_usage(&tool, NULL);
	} else {
		record_loop(&x->run, read_record, x);
		if (x->records == 0 && x->run.status == STATUS_OK)
			read_package(x);
	}
}

/* ---- before and after ---- */

static void
load_rules(struct extract *x)
{
	const struct opt_list *rules = &x->settings.rules;
	struct err e = {0};

	x->files.rules = xcalloc(rules->n + 1, sizeof(*x->files.rules));
	for (size_t i = 0; i < rules->n; i++) {
		struct pack *pack = pack_load(rules->v[i], &e);
		if (pack == NULL || pack_compile(pack, &e) != 0)
			die(strcmp(e.code, "cannot_read") == 0 ? STATUS_FAILED : STATUS_USAGE,
			    "%s:%zu: %s", rules->v[i], e.line, e.text);
		x->files.rules[x->files.nrules++] = pack;
	}
}

static void
load(struct extract *x)
{
	const struct settings *s = &x->settings;
	struct err e = {0};

	if ((x->words = words_load(&e)) == NULL)
		die(STATUS_FAILED, "%s", e.text);
	if ((x->ignore = ignore_load(".kandil/ignore", &e)) == NULL)
		die(STATUS_USAGE, "%s", e.text);
	x->keys = keys_new((enum keys_kind)s->keys, x->words);
	for (size_t i = 0; i < s->keys_from.n; i++)
		if (keys_from_arb(x->keys, s->keys_from.v[i], &e) != 0)
			die(STATUS_FAILED, "%s: %s", s->keys_from.v[i], e.text);
	x->walk = (struct walk_options){.include = s->include.v, .ninclude = s->include.n,
		.exclude = s->exclude.v, .nexclude = s->exclude.n};
	x->files.words = x->words;
	x->files.level = (enum level)(s->level + LEVEL_CORE);
	x->files.literals = s->literals;
	x->files.generated = s->generated;
	x->files.max_file = s->max_file < UINT32_MAX / 4 ? s->max_file : UINT32_MAX / 4;
	x->emit = (struct emit){.run = &x->run, .keys = x->keys, .ignore = x->ignore};
	load_rules(x);
}

static void
unload(struct extract *x)
{
	for (size_t i = 0; i < x->files.nrules; i++)
		pack_free(x->files.rules[i]);
	free(x->files.rules);
	files_free(&x->files);
	emit_free(&x->emit);
	wire_free(&x->wire);
	keys_free(x->keys);
	ignore_free(x->ignore);
	names_free(x->names);
	words_free(x->words);
	free(x->root);
}

int
main(int argc, char **argv)
{
	static struct extract x;

	run_start(&x.run, &tool, &x.settings, argc, argv);
	load(&x);
	extract(&x);
	unload(&x);
	return run_finish(&x.run);
}
