#include "common/opt.h"

#include "common/mem.h"
#include "common/opt_table.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * What is to be parsed: argv from at on. Operands move to the end of argv as
 * they are met, in order.
 */
struct words {
	char **v;
	int n, at;
	char **operands;
	int noperands;
};

static _Noreturn void
bad_option(struct opt_table *t, const char *name)
{
	const char *nearest = opt_table_nearest(t, name);

	if (nearest)
		warn("unknown option '--%s': did you mean '--%s'?", name, nearest);
	else
		warn("unknown option '--%s'", name);
	opt_usage(t->tool, t->command);
}

static void
set_or_die(struct opt_table *t, struct opt_row *row, const char *text)
{
	struct err e;

	row->origin = NULL;
	if (opt_set(t, row, text, "option", &e) == 0)
		return;
	warn("option '--%s': %s", row->opt->name, e.text);
	opt_usage(t->tool, t->command);
}

/* The argument that follows, or a usage error. */
static const char *
next_word(struct opt_table *t, struct words *w, const char *option)
{
	if (w->at < w->n)
		return w->v[w->at++];
	warn("option '%s' needs an argument", option);
	opt_usage(t->tool, t->command);
}

/* --help, --version and --dump-options are answered as soon as they are met. */
static void
answer(struct opt_table *t, const char *name)
{
	if (strcmp(name, "help") == 0)
		opt_help(t->tool, t->command);
	if (strcmp(name, "dump-options") == 0)
		opt_dump(t->tool, t->settings);
	if (strcmp(name, "version") != 0)
		return;
	printf("%s %s\n", t->tool->name, KANDIL_VERSION);
	if (fflush(stdout) != 0)
		die(STATUS_FAILED, "cannot write standard output:");
	exit(STATUS_OK);
}

static void
parse_long(struct opt_table *t, struct words *w, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	struct opt_row *row;

	if (equals == NULL)
		answer(t, name);
	row = opt_table_name(t, (struct slice){name, equals ? (size_t)(equals - name) : strlen(name)});
	if (row == NULL) {
		char *bare = xstrndup(name, equals ? (size_t)(equals - name) : strlen(name));

		bad_option(t, bare);
	}
	if (equals)
		set_or_die(t, row, equals + 1);
	else if (row->opt->type == OPT_FLAG)
		set_or_die(t, row, "true");
	else
		set_or_die(t, row, next_word(t, w, word));
}

/* Letters group: -qn; an argument follows in the same word or the next. */
static void
parse_letters(struct opt_table *t, struct words *w, const char *word)
{
	for (const char *p = word + 1; *p; p++) {
		struct opt_row *row = opt_table_letter(t, *p);
		const char letter[] = {'-', *p, '\0'};

		if (*p == 'h')
			answer(t, "help");
		if (*p == 'V')
			answer(t, "version");
		if (row == NULL) {
			warn("unknown option '%s'", letter);
			opt_usage(t->tool, t->command);
		}
		if (row->opt->type == OPT_FLAG) {
			set_or_die(t, row, "true");
			continue;
		}
		set_or_die(t, row, p[1] ? p + 1 : next_word(t, w, letter));
		return;
	}
}

static void
parse_words(struct opt_table *t, struct words *w, bool stop_at_operand)
{
	while (w->at < w->n) {
		char *word = w->v[w->at++];

		if (strcmp(word, "--") == 0) {
			while (w->at < w->n)
				w->operands[w->noperands++] = w->v[w->at++];
		} else if (word[0] == '-' && word[1] == '-') {
			parse_long(t, w, word);
		} else if (word[0] == '-' && word[1]) {
			parse_letters(t, w, word);
		} else {
			w->operands[w->noperands++] = word;
			if (stop_at_operand)
				return;
		}
	}
}

static const char *
command_word(size_t i, const void *state)
{
	return ((const struct opt_command *)state)[i].name;
}

static const struct opt_command *
find_command(const struct tool *tool, const char *word)
{
	const char *nearest;

	for (const struct opt_command *c = tool->commands; c->name; c++)
		if (strcmp(c->name, word) == 0)
			return c;
	nearest = opt_nearest(word, command_word, tool->commands);
	if (nearest)
		warn("unknown command '%s': did you mean '%s'?", word, nearest);
	else
		warn("unknown command '%s'", word);
	opt_usage(tool, NULL);
}

/*
 * A first pass over the words before the command finds its name, so that its
 * rows exist when configuration is read; what these words set is set again,
 * on top of the configuration, by the second pass.
 */
static const struct opt_command *
command_of(const struct tool *tool, void *settings, struct words *w)
{
	struct opt_table t;
	struct words ahead = *w;

	opt_table_init(&t, tool, NULL, settings);
	parse_words(&t, &ahead, true);
	if (ahead.noperands == 0) {
		warn("a command is missing");
		opt_usage(tool, NULL);
	}
	return find_command(tool, ahead.operands[0]);
}

/* What opt_parse has made, for opt_origin. */
static struct opt_table in_force;

const char *
opt_origin(const char *name)
{
	const struct opt_row *row = opt_table_name(&in_force, slice(name));
	struct buf b = {0};
	const char *kept;

	if (row && row->origin)
		return row->origin;
	buf_addf(&b, "--%s", name);
	kept = opt_keep(b.ptr, b.len);
	buf_free(&b);
	return kept;
}

enum opt_source
opt_source(const char *name)
{
	const struct opt_row *row = opt_table_name(&in_force, slice(name));
	const char *source = row ? row->source : "option";

	if (source == NULL || strcmp(source, "default") == 0)
		return OPT_DEFAULT;
	if (strcmp(source, "option") == 0)
		return OPT_ARGUMENT;
	return strcmp(source, "environment") == 0 ? OPT_ENVIRONMENT : OPT_CONFIG;
}

int
opt_parse(const struct tool *tool, void *settings, int argc, char **argv,
    const struct opt_command **command)
{
	struct opt_table t;
	struct words w = {argv, argc, 1, xcalloc((size_t)argc + 1, sizeof(char *)), 0};
	int first;

	*command = tool->commands ? command_of(tool, settings, &w) : NULL;
	opt_table_init(&t, tool, *command, settings);
	opt_configure(&t, true);
	parse_words(&t, &w, false);
	in_force = t;
	first = argc - w.noperands;
	memcpy(argv + first, w.operands, (size_t)w.noperands * sizeof(char *));
	free(w.operands);
	return first + (*command ? 1 : 0);
}
