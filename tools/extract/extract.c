/*
 * kandil-extract: finds things in source text: user-visible strings, every
 * literal, whatever a rule pack names.
 */
#include "common/jobs.h"
#include "common/mem.h"
#include "common/message.h"
#include "common/path.h"
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
	    OPT_PROJECT | OPT_INSIDE, NULL, AT(keys_from)},
	{"include", 'i', OPT_WORDS, "GLOB", "of a folder, read only what matches", OPT_PROJECT,
	    NULL, AT(include)},
	{"exclude", 'x', OPT_WORDS, "GLOB", "of a folder, leave out what matches", OPT_PROJECT,
	    NULL, AT(exclude)},
	{"rules", 'r', OPT_WORDS, "FILE", "read with this rule pack and no other", 0, NULL,
	    AT(rules)},
	{"stdin-name", 0, OPT_TEXT, "FILE", "stdin is the source of FILE", 0, NULL,
	    AT(stdin_name)},
	{"paths", 0, OPT_LIST, "PATH", "what to read when nothing is named",
	    OPT_PROJECT | OPT_INSIDE, NULL, AT(paths)},
	{"generated", 0, OPT_FLAG, NULL, "read generated files too", OPT_PROJECT, NULL,
	    AT(generated)},
	{"max-file", 0, OPT_SIZE, "SIZE", "a larger file is an error record", 0, "8M",
	    AT(max_file)},
	{"jobs", 'j', OPT_NUMBER, "N", "files read at once; 0: one a core", 0, "1", AT(jobs)},
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

/* What a package says of its names, for the files that records name. */
struct package {
	char *root; /* NULL: free */
	struct names *names;
};

enum { PACKAGES = 4 };

struct extract {
	struct run run;
	struct settings settings;
	struct words *words;
	struct names *names; /* of the operands; level likely alone */
	struct package packages[PACKAGES]; /* around records' files, the oldest goes */
	size_t npackages;		   /* that were learned so far */
	struct ignore *ignore;
	struct keys *keys;
	struct files files;
	struct emit emit;
	struct walk_options walk;
	struct jobs *jobs;   /* NULL: files are read here */
	const char *operand; /* being walked */
	struct wire wire;
	size_t records; /* that stdin held */
};

/* ---- one file, here or in a worker ---- */

static void
to_wire(const struct source *source, const struct found *found, void *out)
{
	(void)source;
	wire_put(out, found);
}

static void
read_file(struct extract *x, const struct walk_file *file, find_sink *sink, void *state)
{
	int fd = walk_open(file);

	if (fd < 0)
		files_fault(file->path, errno, sink, state);
	else
		files_read(&x->files, fd, file->path, file->operand, sink, state);
}

/*
 * An item is `!` (named by the user), `.` (met on a walk) or `?` (it cannot be
 * read), a path, and behind `?` a NUL and the errno.
 */
static int
read_job(struct slice item, struct buf *out, void *state)
{
	struct extract *x = state;
	char *path = xstrndup(item.ptr + 1, item.len - 1);
	struct walk_file file = {path, path, AT_FDCWD, item.ptr[0] == '!'};

	if (item.ptr[0] == '?')
		files_fault(path, (int)strtol(path + strlen(path) + 1, NULL, 10), to_wire, out);
	else
		read_file(x, &file, to_wire, out);
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
		read_file(x, file, emit_found, &x->emit);
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

	if (x->jobs == NULL) {
		files_fault(path, error, emit_found, &x->emit);
	} else {
		struct buf item = {0};
		buf_addf(&item, "?%s%c%d", path, '\0', error);
		jobs_add(x->jobs, buf_slice(&item));
		buf_free(&item);
	}
}

/* ---- stdin ---- */

/* The names of a package, learned unless they are known. Takes the root. */
static const struct names *
names_of_package(struct extract *x, char *root)
{
	for (size_t i = 0; i < PACKAGES; i++) {
		if (x->packages[i].root != NULL && strcmp(x->packages[i].root, root) == 0) {
			free(root);
			return x->packages[i].names;
		}
	}
	struct package *p = &x->packages[x->npackages++ % PACKAGES];
	names_free(p->names);
	free(p->root);
	*p = (struct package){root, names_new()};
	package_learn(&x->files, root, p->names);
	names_resolve(p->names);
	return p->names;
}

/* Reads one file (fd is closed) by what the package around it says of its names. */
static void
read_alone(struct extract *x, int fd, const char *file)
{
	bool likely = x->files.level == LEVEL_LIKELY && !x->files.literals && files_is_dart(file);
	char *root = likely ? package_root(file) : NULL;

	if (root != NULL)
		x->files.names = names_of_package(x, root);
	files_read(&x->files, fd, file, true, emit_found, &x->emit);
	x->files.names = x->names;
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
	if (memchr(name.ptr, '\0', name.len) != NULL) {
		record_fail(record, "bad_record", false, "a NUL in the name of the file");
		buf_free(&name);
		return;
	}
	struct walk_file file = {name.ptr, name.ptr, AT_FDCWD, true};
	int fd = walk_open(&file);
	x->emit.record = record;
	if (fd < 0)
		files_fault(name.ptr, errno, emit_found, &x->emit);
	else
		read_alone(x, fd, name.ptr);
	x->emit.record = NULL;
	buf_free(&name);
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
		if (parallel && x->jobs == NULL) {
			files_prepare(&x->files);
			x->jobs = jobs_start(x->settings.jobs, read_job, emit_job, x);
		}
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
		read_alone(x, STDIN_FILENO, x->settings.stdin_name);
	} else if (x->run.noperands > 0) {
		read_operands(x, x->run.operands, x->run.noperands);
	} else if (isatty(STDIN_FILENO)) {
		if (!read_package(x)) {
			warn("no pubspec.yaml here: name a file or folder");
			opt_usage(&tool, NULL);
		}
	} else {
		record_loop(&x->run, read_record, x);
		if (x->records == 0 && x->run.status == STATUS_OK)
			read_package(x);
	}
}

/* ---- before and after ---- */

static _Noreturn void
refuse_rules(const char *file, const struct err *e)
{
	if (e->line > 0)
		die(STATUS_USAGE, "%s:%zu: %s", file, e->line, e->text);
	die(strcmp(e->code, "cannot_read") == 0 ? STATUS_FAILED : STATUS_USAGE, "%s: %s", file, e->text);
}

static void
load_rules(struct extract *x)
{
	const struct opt_list *rules = &x->settings.rules;
	struct err e = {0};

	x->files.rules = xcalloc(rules->n + 1, sizeof(*x->files.rules));
	for (size_t i = 0; i < rules->n; i++) {
		struct pack *pack = pack_load(rules->v[i], &e);
		x->files.rules[x->files.nrules++] = pack;
		if (pack == NULL || pack_compile(pack, &e) != 0)
			refuse_rules(rules->v[i], &e);
	}
}

/* The keys that the project of an operand has already. */
static void
load_project_keys(struct extract *x, const char *operand, char **last)
{
	/* Of the operand, be it a file or a folder. */
	char *below = path_join(operand, "."), *root = package_root(below);
	struct err e = {0};

	free(below);
	if (root == NULL && (root = package_root(operand)) == NULL)
		root = xstrdup(".");
	if (*last == NULL || strcmp(root, *last) != 0)
		if (keys_from_project(x->keys, root, &e) != 0)
			warn("%s: keys of the project's catalogue are not known", e.text);
	free(*last);
	*last = root;
}

static void
load_keys(struct extract *x)
{
	const struct settings *s = &x->settings;
	struct err e = {0};
	char *last = NULL;

	for (size_t i = 0; i < s->keys_from.n; i++)
		if (*s->keys_from.v[i] != '\0' &&
		    keys_from_arb(x->keys, s->keys_from.v[i], MESSAGE_ARB, &e) != 0)
			die(STATUS_FAILED, "%s: %s", s->keys_from.v[i], e.text);
	if (s->keys_from.n > 0 || s->literals)
		return;
	if (s->stdin_name != NULL)
		load_project_keys(x, s->stdin_name, &last);
	else if (x->run.noperands == 0)
		load_project_keys(x, ".", &last);
	else
		for (int i = 0; i < x->run.noperands; i++)
			load_project_keys(x, strcmp(x->run.operands[i], "-") == 0 ? "." :
			    x->run.operands[i], &last);
	free(last);
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
	load_keys(x);
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
	for (size_t i = 0; i < PACKAGES; i++) {
		names_free(x->packages[i].names);
		free(x->packages[i].root);
	}
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
