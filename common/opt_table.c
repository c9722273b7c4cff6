#include "common/opt_table.h"

#include "common/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define AT(member) offsetof(struct common, member)

const struct opt opt_common[] = {
	{"output", 'o', OPT_TEXT, "FILE", "write to FILE, complete or not at all", 0, NULL, AT(output)},
	{"rejects", 0, OPT_TEXT, "FILE", "divert failed records to FILE, reasons to FILE.why", 0, NULL,
	    AT(rejects)},
	{"retry", 0, OPT_FLAG, NULL, "work anew on records that carry an error", 0, NULL, AT(retry)},
	{"strict", 0, OPT_FLAG, NULL, "stop at the first record that fails", OPT_PROJECT, NULL,
	    AT(strict)},
	{"max-record", 0, OPT_SIZE, "SIZE", "longest record that is read", 0, "16M",
	    AT(max_record)},
	{"quiet", 'q', OPT_FLAG, NULL, "say nothing but errors", 0, NULL, AT(quiet)},
	{"verbose", 'v', OPT_FLAG, NULL, "say more", OPT_PROJECT, NULL, AT(verbose)},
	{.name = NULL},
};

/* Values outlive the tables that parsed them: settings point at them. */
static struct arena kept;

char *
opt_keep(const char *text, size_t len)
{
	return arena_copy(&kept, text, len);
}

static void
add_rows(struct opt_table *t, const struct opt *opts)
{
	for (; opts && opts->name; opts++) {
		if (t->n == OPT_ROWS)
			die(STATUS_FAILED, "too many options in one table");
		t->rows[t->n++] = (struct opt_row){opts, NULL, NULL, NULL};
	}
}

void
opt_table_init(struct opt_table *t, const struct tool *tool, const struct opt_command *command,
    void *settings)
{
	struct err e;

	*t = (struct opt_table){.tool = tool, .command = command, .settings = settings};
	if (command)
		add_rows(t, command->opts);
	add_rows(t, tool->opts);
	add_rows(t, opt_common);
	for (size_t i = 0; i < t->n; i++) {
		const char *fallback = t->rows[i].opt->fallback;

		if (fallback && opt_set(t, &t->rows[i], fallback, "default", &e) != 0)
			die(STATUS_FAILED, "the default of '--%s': %s", t->rows[i].opt->name, e.text);
	}
}

struct opt_row *
opt_table_name(struct opt_table *t, struct slice name)
{
	for (size_t i = 0; i < t->n; i++)
		if (slice_is(name, t->rows[i].opt->name))
			return &t->rows[i];
	return NULL;
}

struct opt_row *
opt_table_letter(struct opt_table *t, char letter)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].opt->letter == letter)
			return &t->rows[i];
	return NULL;
}

static const char *
row_name(size_t i, const void *state)
{
	const struct opt_table *t = state;

	return i < t->n ? t->rows[i].opt->name : NULL;
}

const char *
opt_table_nearest(const struct opt_table *t, const char *name)
{
	return opt_nearest(name, row_name, t);
}

static int
parse_flag(const char *text, bool *out, struct err *e)
{
	static const char *const words[] = {"false", "true", "no", "yes", "0", "1", "off", "on"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(text, words[i]) == 0) {
			*out = i % 2;
			return 0;
		}
	return err_set(e, "usage", "'%s' is neither 'true' nor 'false'", text);
}

static int
parse_number(const char *text, long *out, struct err *e)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	if (end == text || *end || errno || *out < 0)
		return err_set(e, "usage", "'%s' is no whole number from 0 on", text);
	return 0;
}

static int
parse_size(const char *text, size_t *out, struct err *e)
{
	static const char units[] = "KMG";
	unsigned long long n;
	const char *unit;
	char *end;
	unsigned shift = 0;

	errno = 0;
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (end == text || strchr(text, '-') || *end || errno || n > SIZE_MAX >> shift)
		return err_set(e, "usage", "'%s' is no size such as 65536, 64K, 16M or 1G", text);
	*out = (size_t)n << shift;
	return 0;
}

static int
parse_real(const char *text, double *out, struct err *e)
{
	char *end;

	*out = strtod(text, &end);
	if (end == text || *end || *out - *out != 0 || *out < 0)
		return err_set(e, "usage", "'%s' is no number from 0 on", text);
	return 0;
}

static int
parse_choice(const char *text, const char *choices, int *out, struct err *e)
{
	size_t n = strlen(text), len;
	const char *p = choices;

	for (int i = 0;; i++) {
		len = strcspn(p, "|");
		if (len == n && memcmp(p, text, n) == 0) {
			*out = i;
			return 0;
		}
		if (p[len] == '\0')
			break;
		p += len + 1;
	}
	return err_set(e, "usage", "'%s' is none of %s", text, choices);
}

static void
list_add(struct opt_list *list, const char *word)
{
	list->v = xreallocarray(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = word;
}

/* Splits at commas; empty parts are dropped, so `a,` is `a`. */
static void
list_split(struct opt_list *list, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ",");

		if (n)
			list_add(list, opt_keep(text, n));
		text += n + (text[n] == ',');
	}
}

static void
set_list(struct opt_row *row, struct opt_list *list, const char *text, bool anew)
{
	struct buf all = {0};

	if (anew)
		list->n = 0;
	if (row->opt->type == OPT_LIST)
		list_split(list, text);
	else
		list_add(list, text);
	if (!anew && row->value)
		buf_addf(&all, "%s,", row->value);
	buf_adds(&all, text);
	row->value = opt_keep(all.ptr, all.len);
	buf_free(&all);
}

int
opt_set(struct opt_table *t, struct opt_row *row, const char *text, const char *source,
    struct err *e)
{
	void *at = (char *)t->settings + row->opt->at;
	bool anew = row->source == NULL || strcmp(row->source, source) != 0;
	int rc = 0;

	switch (row->opt->type) {
	case OPT_FLAG:
		rc = parse_flag(text, at, e);
		break;
	case OPT_TEXT:
		*(const char **)at = text;
		break;
	case OPT_LIST:
	case OPT_WORDS:
		set_list(row, at, text, anew);
		row->source = source;
		return 0;
	case OPT_NUMBER:
		rc = parse_number(text, at, e);
		break;
	case OPT_SIZE:
		rc = parse_size(text, at, e);
		break;
	case OPT_REAL:
		rc = parse_real(text, at, e);
		break;
	case OPT_CHOICE:
		rc = parse_choice(text, row->opt->arg, at, e);
		break;
	}
	if (rc == 0) {
		row->value = text;
		row->source = source;
	}
	return rc;
}

/*
 * Optimal string alignment (Damerau-Levenshtein with adjacent transpositions)
 * of words of at most 31 bytes; longer ones are never near.
 */
static size_t
distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	size_t d[32][32];

	if (na > 31 || nb > 31)
		return SIZE_MAX;
	for (size_t i = 0; i <= na; i++)
		for (size_t j = 0; j <= nb; j++) {
			size_t best;

			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[na][nb];
}

const char *
opt_nearest(const char *word, const char *(*next)(size_t i, const void *state), const void *state)
{
	const char *best = NULL, *candidate;
	size_t least = 3;

	for (size_t i = 0; (candidate = next(i, state)) != NULL; i++) {
		size_t n = distance(word, candidate);

		if (n < least && n * 2 < strlen(word)) {
			least = n;
			best = candidate;
		}
	}
	return best;
}
