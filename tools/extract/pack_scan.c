/*
 * The pass over a source: from byte to byte by the mode's table, rules where one can begin, and
 * what a rule found given to the sink.
 */
#include "common/message.h"
#include "tools/extract/pack_rule.h"
#include "tools/extract/position.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	CHECKED = 32,	 /* matches between two looks at the clock */
	NOTE_CAPTURES = REGEX_GROUPS,
};

/* A mode that was entered. */
struct frame {
	unsigned mode;
	struct slice within; /* what its rule captured as `name`, or the frame below */
};

struct scan {
	struct pack *pack;
	const struct source *source;
	const char *text;
	size_t at, end;
	struct regex_subject subject;
	find_sink *sink;
	void *state;
	struct err *e;

	struct frame *stack;
	size_t depth, cap;

	struct position position;
	unsigned matches;
	double wall, cpu; /* when the first look at the clocks was */

	struct pack_rule *rule; /* the one that just matched, */
	size_t start;		/* where, */
	struct slice word;	/* and the `at` by which it began */
	struct buf reason, widget, key, context, plural, first;
};

static double
seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Fails with the rule's name, at the place in the source. */
static int
fail(struct scan *s, const char *code, const char *what)
{
	struct err e = {0};

	err_set(&e, code, "rule '%s' of '%s': %s", s->rule->name, s->pack->file, what);
	position_find(&s->position, s->at, &e.line, &e.column);
	if (s->e != NULL)
		*s->e = e;
	return -1;
}

/*
 * Matches count as work: now and then the clock is asked, the cheap one first. A pack that took
 * more than 2 s and 1 s a megabyte of CPU is done for. Most sources end before the first look.
 */
static int
spend(struct scan *s)
{
	double budget;

	if (++s->matches % CHECKED != 0)
		return 0;
	budget = 2 + (double)s->end / 1e6;
	if (s->matches == CHECKED) {
		s->wall = seconds(CLOCK_MONOTONIC);
		s->cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	}
	if (seconds(CLOCK_MONOTONIC) - s->wall < budget ||
	    seconds(CLOCK_PROCESS_CPUTIME_ID) - s->cpu < budget)
		return 0;
	fail(s, "rule_limit", "the pack takes too much time");
	if (s->e != NULL)
		s->pack->failed = *s->e;
	return -1;
}

/* ---- what was found ---- */

/* The capture of that meaning that took part in the match; false when none did. */
static bool
capture(const struct pack_rule *r, enum pack_capture which, size_t *start, size_t *end)
{
	for (size_t i = 0; i < r->captures[which].n; i++)
		if (regex_capture(r->match.regex, r->captures[which].v[i], start, end))
			return true;
	return false;
}

static struct slice
within(const struct scan *s)
{
	return s->depth ? s->stack[s->depth - 1].within : S("");
}

/* Appends the template with {at}, {within} and {capture} replaced. */
static void
fill(const struct scan *s, const char *template, struct buf *out)
{
	struct slice rest = slice(template);
	const char *open, *close;

	buf_reset(out);
	while ((open = memchr(rest.ptr, '{', rest.len)) != NULL &&
	    (close = memchr(open, '}', rest.len - (size_t)(open - rest.ptr))) != NULL) {
		struct slice name = {open + 1, (size_t)(close - open) - 1};

		buf_add(out, rest.ptr, (size_t)(open - rest.ptr));
		if (slice_is(name, "at"))
			buf_addslice(out, s->word);
		else if (slice_is(name, "within"))
			buf_addslice(out, within(s));
		for (size_t g = 1, a, b; s->rule->match.regex && g <= regex_groups(s->rule->match.regex);
		    g++) {
			const char *group = regex_group_name(s->rule->match.regex, g);

			if (group != NULL && slice_is(name, group) &&
			    regex_capture(s->rule->match.regex, g, &a, &b))
				buf_add(out, s->text + a, b - a);
		}
		rest.len -= (size_t)(close + 1 - rest.ptr);
		rest.ptr = close + 1;
	}
	buf_addslice(out, rest);
}

/* A capture's decoded text (not as a message), where it took part. */
static void
decode(struct scan *s, enum pack_capture which, struct buf *out)
{
	size_t start, end;

	buf_reset(out);
	if (!capture(s->rule, which, &start, &end))
		return;
	buf_addslice(out, pack_text_read(s->pack->text, s->rule->syntax, s->subject.text, start, end,
	    false).value);
}

static int
is_refused(struct scan *s, struct pack_pattern *patterns, size_t n, struct slice value)
{
	struct regex_subject subject;
	struct err e;
	int found = 0;

	for (size_t i = 0; i < n && found == 0; i++) {
		if (regex_subject(&subject, value, NULL) != 0)
			return 1;
		if ((found = regex_match(patterns[i].regex, &subject, 0, &e)) < 0)
			return fail(s, "rule_limit", e.text);
		if (spend(s) != 0)
			return -1;
	}
	return found;
}

static void
report(struct scan *s, struct found *f, size_t start, size_t end)
{
	f->start = start;
	f->end = end;
	position_find(&s->position, start, &f->line, &f->column);
	f->rule = slice(s->rule->name);
	s->sink(s->source, f, s->state);
}

/* The ICU proposal of a text that has a plural form of its own: ngettext("one", "many", n). */
static void
propose_plural(struct scan *s)
{
	buf_reset(&s->plural);
	decode(s, CAPTURE_PLURAL, &s->first);
	if (s->first.len == 0)
		return;
	buf_adds(&s->plural, "{n, plural, one{");
	decode(s, CAPTURE_TEXT, &s->key);
	message_quote(buf_slice(&s->key), MESSAGE_ICU, true, true, &s->plural);
	buf_adds(&s->plural, "} other{");
	message_quote(buf_slice(&s->first), MESSAGE_ICU, true, true, &s->plural);
	buf_adds(&s->plural, "}}");
}

/*
 * What `format = auto` means: printf, unless the text has none of its conversions and a {name},
 * which ICU reads as str.format does.
 */
static const char *
guess_format(struct slice text)
{
	const char *open = memchr(text.ptr, '{', text.len);

	for (size_t i = 0; i + 1 < text.len; i++)
		if (text.ptr[i] == '%' && text.ptr[++i] != '%' && text.ptr[i] != ' ')
			return "printf";
	return open != NULL && memchr(open, '}', text.len - (size_t)(open - text.ptr)) ? "icu" : "printf";
}

static int
report_string(struct scan *s)
{
	struct pack_rule *r = s->rule;
	struct pack_read read;
	size_t start, end;
	int refused;

	if (!capture(r, CAPTURE_TEXT, &start, &end))
		return 0;
	propose_plural(s);
	decode(s, CAPTURE_KEY, &s->key);
	decode(s, CAPTURE_CONTEXT, &s->context);
	read = pack_text_read(s->pack->text, r->syntax, s->subject.text, start, end,
	    strcmp(r->format, "icu") == 0);
	if (!read.letters)
		return 0;
	refused = is_refused(s, r->unless, r->nunless, read.value);
	if (refused == 0)
		refused = is_refused(s, s->pack->unless, s->pack->nunless, read.value);
	if (refused != 0)
		return refused < 0 ? -1 : 0;
	fill(s, r->reason, &s->reason);
	fill(s, r->widget ? r->widget : "", &s->widget);
	struct found f = {
	    .kind = "string",
	    .level = r->level,
	    .reason = buf_slice(&s->reason),
	    .widget = buf_slice(&s->widget),
	    .context = buf_slice(&s->context),
	    .key = buf_slice(&s->key),
	    .plural = buf_slice(&s->plural),
	    .value = read.value,
	    .format = strcmp(r->format, "auto") == 0 ? guess_format(read.value) : r->format,
	    .placeholders = read.placeholders,
	    .nplaceholders = read.nplaceholders,
	};
	report(s, &f, read.start, read.end);
	return 0;
}

/* A note: its text, and every capture by its name. */
static int
report_note(struct scan *s)
{
	struct pack_rule *r = s->rule;
	struct placeholder captures[NOTE_CAPTURES];
	size_t start = s->start, end = s->at, n = 0, a, b;
	struct found f = {.kind = "note", .format = r->format};
	int refused;

	capture(r, CAPTURE_TEXT, &start, &end);
	f.value = slice_trim((struct slice){s->text + start, end - start});
	for (size_t g = 1; r->match.regex != NULL && g <= regex_groups(r->match.regex); g++) {
		const char *name = regex_group_name(r->match.regex, g);

		if (name != NULL && strcmp(name, "text") != 0 && regex_capture(r->match.regex, g, &a, &b))
			captures[n++] = (struct placeholder){slice(name), {s->text + a, b - a}, S("")};
	}
	f.captures = captures;
	f.ncaptures = n;
	refused = is_refused(s, r->unless, r->nunless, f.value);
	if (refused == 0)
		refused = is_refused(s, s->pack->unless, s->pack->nunless, f.value);
	if (refused == 0)
		report(s, &f, start, end);
	return refused < 0 ? -1 : 0;
}

/* ---- modes ---- */

static int
change_mode(struct scan *s)
{
	const struct pack_rule *r = s->rule;
	struct slice name = within(s);
	size_t start, end;

	if (r->enter >= 0 && r->match.regex != NULL && capture(r, CAPTURE_NAME, &start, &end))
		name = (struct slice){s->text + start, end - start};
	s->depth -= r->leave < s->depth ? r->leave : s->depth;
	if (r->enter < 0)
		return 0;
	if (s->depth == PACK_STACK)
		return fail(s, "too_deep", "modes are nested too deeply");
	s->stack = xgrow(s->stack, s->depth, &s->cap, sizeof(*s->stack));
	s->stack[s->depth++] = (struct frame){(unsigned)r->enter, name};
	return 0;
}

static const struct pack_mode *
mode(const struct scan *s)
{
	return s->pack->modes[s->depth ? s->stack[s->depth - 1].mode : 0];
}

/* ---- the pass ---- */

/*
 * One rule at the cursor, of whose `at` len bytes were compared: 1 with the cursor after what it
 * took, 0, or -1.
 */
static int
try_rule(struct scan *s, struct pack_rule *r, size_t len)
{
	size_t after = s->at + len;
	struct err e;
	int found;

	s->rule = r;
	if (r->match.regex != NULL) {
		found = regex_match(r->match.regex, &s->subject, after, &e);
		if (found < 0)
			return fail(s, "rule_limit", e.text);
		if (spend(s) != 0)
			return -1;
		if (found == 0)
			return 0;
		after = regex_end(r->match.regex);
	}
	if (r->until.ptr != NULL) {
		const char *until = memmem(s->text + after, s->end - after, r->until.ptr, r->until.len);

		after = until ? (size_t)(until - s->text) + r->until.len : s->end;
	}
	if (after == s->at)
		return 0;
	s->start = s->at;
	s->word = (struct slice){s->text + s->at, len};
	s->at = after;
	if (r->reports && (s->pack->notes ? report_note(s) : report_string(s)) != 0)
		return -1;
	return change_mode(s) == 0 ? 1 : -1;
}

/* The rules of a list at the cursor, until one takes its text. */
static int
try_rules(struct scan *s, const struct pack_tries *tries, size_t word)
{
	int took = 0;

	for (size_t i = 0; i < tries->n && took == 0; i++) {
		struct pack_rule *r = tries->v[i].rule;
		struct slice literal = tries->v[i].literal;

		if (literal.len == 0)
			took = try_rule(s, r, r->nat ? word : 0);
		else if (literal.len == 1 || (s->end - s->at >= literal.len &&
		    memcmp(s->text + s->at, literal.ptr, literal.len) == 0))
			took = try_rule(s, r, literal.len);
	}
	return took;
}

/* At a word's first byte: the rules of the word, or of the byte; the end of the word in *end. */
static const struct pack_tries *
look_up(const struct scan *s, const struct pack_mode *m, size_t *end)
{
	const char *text = s->text;
	size_t at = s->at, len;
	const uint64_t *list = NULL;

	while (at < s->end && m->word[(unsigned char)text[at]])
		at++;
	*end = at;
	len = at - s->at;
	if (m->lengths[(unsigned char)text[s->at]] >> (len < 63 ? len : 63) & 1)
		list = table_get(&m->words, (struct slice){text + s->at, len});
	if (list != NULL)
		return &m->lists[*list];
	for (size_t i = 0; m->last[(unsigned char)text[at - 1]] && i < m->nsuffixes; i++) {
		struct slice suffix = m->suffixes[i].text;

		if (len > suffix.len && text[at - suffix.len] == suffix.ptr[0] &&
		    memcmp(text + at - suffix.len, suffix.ptr, suffix.len) == 0)
			return &m->suffixes[i].tries;
	}
	return &m->bytes[(unsigned char)text[s->at]];
}

static int
pass(struct scan *s)
{
	const char *text = s->text;
	const struct pack_mode *m = mode(s);

	while (s->at < s->end) {
		unsigned char byte = (unsigned char)text[s->at];
		enum pack_byte kind = m->kind[byte];
		const struct pack_tries *tries = &m->bytes[byte];
		size_t next = s->at + 1;
		int took;

		if (kind == BYTE_PLAIN) {
			s->at++;
			continue;
		}
		if (kind != BYTE_RULES && (s->at == 0 || !m->word[(unsigned char)text[s->at - 1]])) {
			tries = look_up(s, m, &next);
			if (tries->n == 0) {
				s->at = next;
				continue;
			}
		} else if (kind == BYTE_WORD) {
			s->at++;
			continue;
		}
		took = try_rules(s, tries, next - s->at);
		if (took < 0)
			return -1;
		if (took)
			m = mode(s);
		else
			s->at = kind == BYTE_WORD ? next : s->at + 1;
	}
	return 0;
}

int
pack_scan(struct pack *pack, const struct source *source, find_sink *sink, void *state,
    struct err *e)
{
	struct scan s = {.pack = pack, .source = source, .text = source->text.ptr,
	    .end = source->text.len, .sink = sink, .state = state, .e = e};
	int result;

	if (pack->failed.code != NULL) {
		if (e != NULL)
			*e = pack->failed;
		return -1;
	}
	if (pack_compile(pack, e) != 0)
		return -1;
	s.position = position_start(source->text);
	if (regex_subject(&s.subject, source->text, e) != 0) {
		if (e != NULL && e->column)
			position_find(&s.position, e->column - 1, &e->line, &e->column);
		return -1;
	}
	result = pass(&s);
	free(s.stack);
	buf_free(&s.reason);
	buf_free(&s.widget);
	buf_free(&s.key);
	buf_free(&s.context);
	buf_free(&s.plural);
	buf_free(&s.first);
	return result;
}
