/*
 * kandil: the front door.
 *
 * `kandil i18n extract …` becomes the program kandil-i18n-extract: the longest
 * name that exists wins, of at most four leading words. It takes this
 * process's place, so status and signals are its own. What is found where is
 * asked of the folders each time: adding a program or a pipeline is adding a
 * file.
 */
#include "common/hash.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"
#include "common/record.h"
#include "tools/kandil/find.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	MAX_WORDS = 4,
	NAME_COLUMN = 24,
	WIDTH = 80,
};

struct settings {
	struct common common;
	bool json;
};

/* "kandil-a-b" of the first n words. */
static char *
program_name(char **words, int n)
{
	struct buf b = {0};

	buf_adds(&b, "kandil");
	for (int i = 0; i < n; i++)
		buf_addf(&b, "-%s", words[i]);
	return buf_detach(&b);
}

/* Words that may be part of a program's name; the first other one ends them. */
static int
count_words(char **words)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	int n = 0;

	while (n < MAX_WORDS && words[n] && words[n][0] && words[n][0] != '-' &&
	    words[n][strspn(words[n], letters)] == '\0')
		n++;
	return n;
}

static const struct tool kandil;

static const char *
candidate(size_t i, const void *state)
{
	const struct programs *all = state;

	if (i < all->n)
		return all->v[i].words;
	return kandil.commands[i - all->n].name;
}

/* The rest of "i18n extract" behind "i18n", or NULL. */
static const char *
behind(const char *words, const char *start)
{
	size_t n = strlen(start);

	return strncmp(words, start, n) == 0 && words[n] == ' ' ? words + n + 1 : NULL;
}

static _Noreturn void
unknown(const struct folders *f, char **words, int n)
{
	struct programs all = find_programs(f, f->n);
	char *asked = program_name(words, n) + strlen("kandil-"), *whole;
	const char *nearest = NULL, *rest;
	struct buf group = {0};

	for (char *c = asked; *c; c++)
		if (*c == '-')
			*c = ' ';
	whole = xstrdup(asked);
	for (size_t i = 0; i < all.n; i++)
		if ((rest = behind(all.v[i].words, asked)) != NULL)
			buf_addf(&group, "%s'%s'", group.len ? ", " : "", rest);
	if (group.len)
		die(STATUS_USAGE, "'%s' is only the beginning of a command: go on with %s", asked,
		    group.ptr);
	/* The words behind a command may be its operands: fewer may be nearer. */
	for (char *end = asked + strlen(asked); end && !nearest; end = strrchr(asked, ' ')) {
		*end = '\0';
		nearest = opt_nearest(asked, candidate, &all);
	}
	if (nearest)
		die(STATUS_USAGE, "unknown command '%s': did you mean '%s'?", whole, nearest);
	die(STATUS_USAGE, "unknown command '%s': 'kandil help' lists them", whole);
}

/* Programs that a pipeline calls are found beside this one. */
static void
prepend_path(void)
{
	const char *old = getenv("PATH");
	char *bin = path_bin();
	struct buf b = {0};

	/* Behind a colon nothing is the current folder. */
	buf_addf(&b, "%s:%s", bin, old && *old ? old : "/usr/bin:/bin");
	setenv("PATH", b.ptr, 1);
	buf_free(&b);
	free(bin);
}

static _Noreturn void
dispatch(char **words)
{
	struct folders f = find_folders();
	int n = count_words(words);

	if (n == 0)
		die(STATUS_USAGE, "unknown command '%s': 'kandil help' lists them", words[0]);
	signal(SIGPIPE, SIG_DFL); /* a script cannot undo an inherited SIG_IGN */
	prepend_path();
	for (int i = n; i > 0; i--) {
		char *name = program_name(words, i), *file = find_program(&f, name);

		if (file == NULL) {
			free(name);
			continue;
		}
		words[i - 1] = name;
		execv(file, words + i - 1);
		die(STATUS_FAILED, "cannot run '%s':", file);
	}
	unknown(&f, words, n);
}

/* Text as a terminal may show it; valid until the next call. */
static const char *
visible(const char *text)
{
	static struct buf b;

	buf_reset(&b);
	buf_adds(&b, "");
	buf_add_visible(&b, slice(text));
	return b.ptr;
}

/* Words from a column on, the first line being there already. */
static void
print_words(FILE *out, const char *words, int from)
{
	int at = from;

	for (const char *word = words; *word;) {
		size_t bytes = strcspn(word, " ");
		int n = (int)utf8_count(word, bytes);

		if (at > from && at + 1 + n > WIDTH)
			at = fprintf(out, "\n%*s", from, "") - 1;
		else if (at > from)
			at += fprintf(out, " ");
		fprintf(out, "%.*s", (int)bytes, word);
		at += n;
		word += bytes + strspn(word + bytes, " ");
	}
	putc('\n', out);
}

static void
print_row(FILE *out, const char *name, const char *summary)
{
	fprintf(out, "  %-*s ", NAME_COLUMN, visible(name));
	print_words(out, visible(summary ? summary : ""), NAME_COLUMN + 3);
}

static void
list_programs(FILE *out, const struct programs *all, bool scripts, const char *title)
{
	bool any = false;

	for (size_t i = 0; i < all->n; i++) {
		struct program *p = &all->v[i];

		if (p->script != scripts)
			continue;
		if (!any)
			fprintf(out, "\n%s:\n", title);
		any = true;
		print_row(out, p->words, p->summary);
	}
}

/* What help opens besides the manuals of programs. */
static void
list_topics(FILE *out)
{
	struct programs topics = find_topics(find_manuals());
	struct buf b = {0};

	buf_adds(&b, "'kandil help WORD ...' opens a manual");
	for (size_t i = 0; i < topics.n; i++)
		buf_addf(&b, "%s %s", i == 0 ? "; topics:" : ",", topics.v[i].words);
	fprintf(out, "\n");
	print_words(out, visible(b.ptr), 0);
	buf_free(&b);
}

/* The same as records, for completions. */
static void
list_records(struct run *run, const struct programs *all)
{
	struct programs topics = find_topics(find_manuals());
	struct buf b = {0};

	for (size_t i = 0; i < all->n; i++) {
		const struct program *p = &all->v[i];

		buf_reset(&b);
		json_open(&b, '{');
		json_add(&b, "words", slice(p->words));
		json_add(&b, "summary", slice(p->summary ? p->summary : ""));
		json_add(&b, "file", slice(p->file));
		json_name(&b, "pipeline");
		json_put_bool(&b, p->script);
		json_close(&b, '}');
		record_emit(run, buf_slice(&b));
	}
	for (size_t i = 0; i < topics.n; i++) {
		buf_reset(&b);
		json_open(&b, '{');
		json_add(&b, "topic", slice(topics.v[i].words));
		json_add(&b, "file", slice(topics.v[i].file));
		json_close(&b, '}');
		record_emit(run, buf_slice(&b));
	}
	buf_free(&b);
}

static struct programs
described(const struct folders *f)
{
	struct programs all = find_programs(f, f->n);

	for (size_t i = 0; i < all.n; i++)
		find_summary(&all.v[i]);
	return all;
}

static void
overview(FILE *out, const struct programs *all)
{
	fprintf(out, "usage: kandil WORD ... [OPTION ...] [FILE ...]\n%s\n", kandil.summary);
	list_programs(out, all, false, "programs (each also runs as kandil-<word>)");
	list_programs(out, all, true, "pipelines");
	fprintf(out, "\nbuilt in:\n");
	for (const struct opt_command *c = kandil.commands; c->name; c++)
		print_row(out, c->name, c->summary);
	list_topics(out);
}

/* The programs whose names begin with those words; false: none do. */
static bool
list_beginning(const struct folders *f, const char *start)
{
	struct programs all = described(f);
	bool any = false;

	for (size_t i = 0; i < all.n; i++)
		if (behind(all.v[i].words, start)) {
			print_row(stdout, all.v[i].words, all.v[i].summary);
			any = true;
		}
	return any;
}

/* Shows the page in man's or mandoc's hands; returns when neither is there. */
static void
show_page(const char *man, const char *name, int section)
{
	struct buf file = {0};
	char number[] = {(char)('0' + section), '\0'};

	buf_addf(&file, "%s/man%d/%s.%d", man, section, name, section);
	fflush(stdout);
	setenv("MANPATH", man, 1);
	execlp("man", "man", number, name, (char *)NULL);
	execlp("mandoc", "mandoc", isatty(STDOUT_FILENO) ? "-a" : "-c", file.ptr, (char *)NULL);
	buf_free(&file);
}

/* A topic's manual, else what the program says of itself. */
static void
help(struct run *run, void *settings)
{
	struct folders f = find_folders();
	char *man = find_manuals(), *name, *file, *words;
	bool own;
	int section;

	if (run->noperands == 0) {
		struct programs all = described(&f);
		if (((const struct settings *)settings)->json)
			list_records(run, &all);
		else
			overview(stdout, &all);
		return;
	}
	name = program_name(run->operands, run->noperands);
	/* kandil(7) says what it is all about; kandil(1) is about this program and its words. */
	own = strcmp(name, "kandil-help") == 0;
	if (own || strcmp(name, "kandil-kandil") == 0)
		name[strlen("kandil")] = '\0';
	section = find_page(man, name, own ? "1" : "751");
	if (section > 0)
		show_page(man, name, section);
	file = strchr(name, '/') ? NULL : find_program(&f, name);
	if (file) {
		fflush(stdout);
		execl(file, name, "--help", (char *)NULL);
		die(STATUS_FAILED, "cannot run '%s':", file);
	}
	if (section > 0)
		die(STATUS_FAILED, "neither 'man' nor 'mandoc' is here to show %s(%d): install one",
		    name, section);
	words = xstrdup(name + strcspn(name, "-") + (strchr(name, '-') != NULL));
	for (char *c = words; *c; c++)
		*c = *c == '-' ? ' ' : *c;
	if (!list_beginning(&f, words))
		unknown(&f, run->operands, run->noperands);
	free(words);
}

/*
 * A program's settings in the files' own syntax, each source once above what
 * came from it. The same option of several commands is one setting.
 */
static void
print_settings(const char *tool, struct slice rows)
{
	struct buf name = {0}, value = {0}, source = {0}, last = {0};
	struct table shown = {0};
	struct slice row, raw;
	bool added;

	printf("[%s]\n", tool);
	while (find_line(&rows, &row)) {
		if (json_check(row, NULL) != 0 || !json_get(row, "name", &raw))
			continue;
		table_put(&shown, raw, &added);
		if (!added)
			continue;
		json_get_text(row, "name", &name);
		if (!json_get_text(row, "value", &value)) {
			printf("# %s is not set\n", name.ptr);
			continue;
		}
		json_get_text(row, "source", &source);
		if (!slice_eq(buf_slice(&source), buf_slice(&last)))
			printf("# %s:\n", visible(source.ptr));
		buf_reset(&last);
		buf_addslice(&last, buf_slice(&source));
		printf("%s = %s\n", name.ptr, visible(value.ptr));
	}
	putchar('\n');
	buf_free(&name);
	buf_free(&value);
	buf_free(&source);
	buf_free(&last);
	table_free(&shown);
}

static _Noreturn void
no_settings(const struct program *pipeline)
{
	struct buf words = {0};

	find_needs(pipeline, &words);
	die(STATUS_USAGE, "'%s' is a pipeline, without settings of its own%s%s%s", pipeline->words,
	    words.len ? ": see 'kandil config " : "", words.len ? words.ptr : "",
	    words.len ? "'" : "");
}

static void
config(struct run *run, void *state)
{
	const struct settings *settings = state;
	struct folders f = find_folders();
	struct programs all = find_programs(&f, f.own);
	struct buf rows = {0};
	bool found = false;
	int status;

	for (size_t i = 0; i < all.n; i++) {
		struct program *p = &all.v[i];
		bool named = run->noperands == 0;

		for (int k = 0; k < run->noperands; k++)
			named |= strcmp(run->operands[k], p->words) == 0;
		if (!named)
			continue;
		find_summary(p);
		if (p->script && run->noperands > 0)
			no_settings(p);
		if (p->script)
			continue;
		found = true;
		buf_reset(&rows);
		status = find_ask(p->file, "--dump-options", &rows);
		if (status != 0)
			run_status(run, (enum status)status);
		else if (settings->json)
			fwrite(rows.ptr, 1, rows.len, stdout);
		else
			print_settings(p->words, buf_slice(&rows));
	}
	if (!found && run->noperands > 0)
		unknown(&f, run->operands, run->noperands);
	buf_free(&rows);
}

static const struct opt options[] = {
	{"json", 0, OPT_FLAG, NULL, "records instead of text", OPT_PROJECT, NULL,
	    offsetof(struct settings, json)},
	{.name = NULL},
};

static const struct opt_command commands[] = {
	{"help", "lists programs and pipelines, or opens a manual", "[WORD ...]", NULL, help},
	{"config", "prints the settings in force and where they come from", "[PROGRAM ...]",
	    NULL, config},
	{.name = NULL},
};

static const struct tool kandil = {
	.name = "kandil",
	.summary = "small filters for the chores around building software, made to be piped together",
	.operands = "[WORD ...]",
	.opts = options,
	.commands = commands,
};

int
main(int argc, char **argv)
{
	struct settings settings = {0};
	struct run run;
	const char *word = argc > 1 ? argv[1] : "-";
	static char help_word[] = "help";

	die_name(kandil.name);
	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
		argv[1] = help_word;
		argc = 2;
	} else if (argc == 1) {
		struct folders f = find_folders();
		struct programs all = described(&f);
		overview(stderr, &all);
		return STATUS_USAGE;
	} else if (word[0] != '-' && strcmp(word, "help") != 0 && strcmp(word, "config") != 0) {
		dispatch(argv + 1);
	}
	run_start(&run, &kandil, &settings, argc, argv);
	run_command(&run, &settings);
	return run_finish(&run);
}
