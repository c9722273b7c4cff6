#include "common/regex.h"

#include "common/mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <ctype.h>
#include <stdlib.h>

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	PCRE2_SIZE *offsets; /* data's: pairs of start and end */
	const char **names;  /* by capture number; NULL where it has none */
	uint32_t groups;
	int matched; /* captures that the last match set, and 0 itself */
	bool jit;
};

/* One for the whole process, which is single-threaded: they hold limits, no state of a match. */
static pcre2_match_context *limits;
static pcre2_compile_context *bounds;

static void
set_limits(void)
{
	pcre2_jit_stack *stack = pcre2_jit_stack_create(32 << 10, 256 << 10, NULL);

	limits = pcre2_match_context_create(NULL);
	bounds = pcre2_compile_context_create(NULL);
	if (stack == NULL || limits == NULL || bounds == NULL)
		die(STATUS_FAILED, "out of memory");
	pcre2_set_match_limit(limits, REGEX_MATCHES);
	pcre2_set_depth_limit(limits, REGEX_DEPTH);
	pcre2_set_heap_limit(limits, 16 << 10);
	pcre2_jit_stack_assign(limits, NULL, stack);
	pcre2_set_max_pattern_length(bounds, REGEX_PATTERN);
	pcre2_set_parens_nest_limit(bounds, 100);
}

static uint32_t
options(unsigned flags)
{
	return PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C |
	    (flags & REGEX_ANCHORED ? (uint32_t)PCRE2_ANCHORED : 0) |
	    (flags & REGEX_CASELESS ? PCRE2_CASELESS : 0) |
	    (flags & REGEX_EXTENDED ? PCRE2_EXTENDED : 0) |
	    (flags & REGEX_MULTILINE ? PCRE2_MULTILINE : 0) |
	    (flags & REGEX_DOTALL ? PCRE2_DOTALL : 0) |
	    (flags & REGEX_DUPNAMES ? PCRE2_DUPNAMES : 0);
}

static void
explain(int code, char *text, size_t size)
{
	if (pcre2_get_error_message(code, (PCRE2_UCHAR *)text, size) < 0)
		text[0] = '\0';
}

/* The name table: entries of a two-byte number and a NUL-terminated name, sorted by name. */
static void
read_names(struct regex *re)
{
	uint32_t count = 0, size = 0;
	PCRE2_SPTR table = NULL;

	pcre2_pattern_info(re->code, PCRE2_INFO_NAMECOUNT, &count);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &table);
	re->names = xcalloc(re->groups + 1, sizeof(*re->names));
	for (uint32_t i = 0; i < count; i++, table += size)
		re->names[table[0] << 8 | table[1]] = (const char *)table + 2;
}

struct regex *
regex_compile(struct slice pattern, unsigned flags, struct err *e)
{
	struct regex *re;
	pcre2_code *code;
	PCRE2_SIZE at = 0;
	int error;
	char text[200];
	uint32_t groups = 0;

	if (limits == NULL)
		set_limits();
	code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options(flags), &error, &at, bounds);
	if (code == NULL) {
		explain(error, text, sizeof(text));
		err_set(e, "bad_pattern", "%s", text);
		if (e != NULL)
			e->column = at + 1;
		return NULL;
	}
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups > REGEX_GROUPS) {
		pcre2_code_free(code);
		err_set(e, "bad_pattern", "more than %d captures", REGEX_GROUPS);
		return NULL;
	}
	re = xcalloc(1, sizeof(*re));
	re->code = code;
	re->groups = groups;
	re->jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
	re->data = pcre2_match_data_create_from_pattern(code, NULL);
	if (re->data == NULL)
		die(STATUS_FAILED, "out of memory");
	re->offsets = pcre2_get_ovector_pointer(re->data);
	read_names(re);
	return re;
}

void
regex_free(struct regex *re)
{
	if (re == NULL)
		return;
	pcre2_match_data_free(re->data);
	pcre2_code_free(re->code);
	free(re->names);
	free(re);
}

size_t
regex_groups(const struct regex *re)
{
	return re->groups;
}

const char *
regex_group_name(const struct regex *re, size_t i)
{
	return i <= re->groups ? re->names[i] : NULL;
}

bool
regex_first(const struct regex *re, bool first[256])
{
	uint32_t empty = 1, type = 0, unit = 0;
	const uint8_t *map = NULL;

	pcre2_pattern_info(re->code, PCRE2_INFO_MATCHEMPTY, &empty);
	pcre2_pattern_info(re->code, PCRE2_INFO_FIRSTCODETYPE, &type);
	pcre2_pattern_info(re->code, PCRE2_INFO_FIRSTCODEUNIT, &unit);
	pcre2_pattern_info(re->code, PCRE2_INFO_FIRSTBITMAP, &map);
	memset(first, 0, 256 * sizeof(*first));
	if (empty)
		return false;
	if (type == 1 && unit < 256) {
		/* PCRE2 does not tell whether the case of this byte matters. */
		first[unit] = true;
		if (unit < 128) {
			first[tolower((int)unit)] = true;
			first[toupper((int)unit)] = true;
		}
		return true;
	}
	if (map == NULL)
		return false;
	for (unsigned i = 0; i < 256; i++)
		first[i] = map[i / 8] >> (i % 8) & 1;
	return true;
}

int
regex_subject(struct regex_subject *subject, struct slice text, struct err *e)
{
	size_t valid;

	if (text.len > REGEX_SUBJECT)
		return err_set(e, "too_large", "more than %d MiB of text", REGEX_SUBJECT >> 20);
	valid = utf8_valid(text.ptr, text.len);
	if (valid < text.len) {
		err_set(e, "bad_utf8", "not UTF-8");
		if (e != NULL)
			e->column = valid + 1;
		return -1;
	}
	subject->text = text;
	return 0;
}

int
regex_match(struct regex *re, const struct regex_subject *subject, size_t from, struct err *e)
{
	PCRE2_SPTR text = (PCRE2_SPTR)(subject->text.ptr != NULL ? subject->text.ptr : "");
	char reason[200];

	if (re->jit)
		re->matched = pcre2_jit_match(re->code, text, subject->text.len, from, 0, re->data,
		    limits);
	else
		re->matched = pcre2_match(re->code, text, subject->text.len, from,
		    PCRE2_NO_UTF_CHECK, re->data, limits);
	if (re->matched > 0)
		return 1;
	if (re->matched == PCRE2_ERROR_NOMATCH)
		return 0;
	explain(re->matched, reason, sizeof(reason));
	return err_set(e, "regex_limit", "the pattern takes too much work: %s", reason);
}

bool
regex_capture(const struct regex *re, size_t i, size_t *start, size_t *end)
{
	if (re->matched <= 0 || i >= (size_t)re->matched || re->offsets[2 * i] == PCRE2_UNSET)
		return false;
	*start = re->offsets[2 * i];
	*end = re->offsets[2 * i + 1];
	return true;
}

size_t
regex_end(const struct regex *re)
{
	return re->offsets[1];
}
