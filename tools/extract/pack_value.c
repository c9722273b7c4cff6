#include "tools/extract/pack_value.h"

#include "common/message.h"
#include "tools/extract/shape.h"

#include <ctype.h>
#include <stdio.h>

void
value_reset(struct pack_value *v, bool icu)
{
	buf_reset(&v->text);
	buf_reset(&v->segment);
	arena_reset(&v->names);
	v->nplaceholders = 0;
	v->icu = icu;
	v->letters = v->blank = false;
}

void
value_free(struct pack_value *v)
{
	buf_free(&v->text);
	buf_free(&v->segment);
	arena_free(&v->names);
}

void
value_blank(struct pack_value *v)
{
	if (v->blank && (v->segment.len || v->text.len))
		buf_addc(&v->segment, ' ');
	v->blank = false;
}

static void
flush_segment(struct pack_value *v, bool more)
{
	struct slice s = buf_slice(&v->segment);

	for (size_t i = 0; i < s.len && !v->letters;) {
		uint32_t c;
		size_t n = utf8_decode(s.ptr + i, s.len - i, &c);

		v->letters = n && shape_is_letter(c);
		i += n ? n : 1;
	}
	/* Most texts hold nothing that ICU would read otherwise. */
	if (v->icu &&
	    (memchr(s.ptr, '\'', s.len) || memchr(s.ptr, '{', s.len) || memchr(s.ptr, '}', s.len)))
		message_quote(s, MESSAGE_ICU, false, more, &v->text);
	else
		buf_addslice(&v->text, s);
	buf_reset(&v->segment);
}

/* Names that say nothing of what they hold: the one before them does. */
static bool
is_conversion(struct slice name)
{
	static const char *const words[] = {"toString", "toFixed", "toLocaleString", "toUpperCase",
	    "toLowerCase", "uppercase", "lowercase", "uppercased", "lowercased", "trim", "format",
	    "formatted", "description", "join", "joined", "joinToString", "value", "current", "text",
	    "String", "self", "this", "it"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (slice_is(name, words[i]))
			return true;
	return false;
}

static bool
is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The name at the outermost level of an expression that tells most; len 0 for operators. */
static struct slice
telling_name(struct slice expr)
{
	struct slice best = {"", 0};
	size_t open = 0;

	for (size_t i = 0; i < expr.len;) {
		char c = expr.ptr[i];
		size_t start = i;

		if (is_name_byte(c)) {
			while (i < expr.len && is_name_byte(expr.ptr[i]))
				i++;
			struct slice name = {expr.ptr + start, i - start};

			if (open == 0 && !isdigit((unsigned char)c) && (best.len == 0 || !is_conversion(name)))
				best = name;
			continue;
		}
		if (c == '(' || c == '[' || c == '{')
			open++;
		else if (c == ')' || c == ']' || c == '}')
			open -= open > 0;
		else if (open == 0 && (c == '\0' || strchr(".?!: \t\r\n$", c) == NULL))
			return S("");
		i++;
	}
	return best;
}

/* A legal name of a placeholder: getUserName and _userName are userName. */
static struct slice
legal_name(struct pack_value *v, struct slice name)
{
	bool shouts;
	char *own;

	if (name.len > 3 && slice_starts(name, "get") && isupper((unsigned char)name.ptr[3]))
		name.ptr += 3, name.len -= 3;
	while (name.len && !isalpha((unsigned char)name.ptr[0]))
		name.ptr++, name.len--;
	if (name.len == 0 || name.len > 40)
		return S("value");
	own = arena_copy(&v->names, name.ptr, name.len);
	/* UserName is userName, and USER_NAME is user_name. */
	shouts = name.len > 1 && !islower((unsigned char)name.ptr[1]);
	for (size_t i = 0; i < (shouts ? name.len : 1); i++)
		own[i] = (char)tolower((unsigned char)own[i]);
	return (struct slice){own, name.len};
}

static bool
is_taken(const struct pack_value *v, struct slice name)
{
	for (size_t i = 0; i < v->nplaceholders; i++)
		if (slice_eq(v->placeholders[i].name, name))
			return true;
	return false;
}

static struct slice
placeholder_name(struct pack_value *v, struct slice expr)
{
	struct slice base, name;

	for (size_t i = 0; i < v->nplaceholders; i++)
		if (slice_eq(v->placeholders[i].expr, expr))
			return v->placeholders[i].name;
	base = name = legal_name(v, telling_name(expr));
	for (unsigned n = 2; is_taken(v, name); n++) {
		char made[64];
		int len = snprintf(made, sizeof(made), "%.*s%u", (int)base.len, base.ptr, n);

		name = (struct slice){arena_copy(&v->names, made, (size_t)len), (size_t)len};
	}
	v->placeholders[v->nplaceholders++] = (struct placeholder){name, expr, S("Object")};
	return name;
}

/* An expression that is nothing but a literal, as JSX's {" "}: its text. */
static bool
is_literal(struct slice expr)
{
	return expr.len >= 2 && strchr("\"'`", expr.ptr[0]) != NULL &&
	    memchr(expr.ptr + 1, expr.ptr[0], expr.len - 1) == expr.ptr + expr.len - 1 &&
	    memchr(expr.ptr, '\\', expr.len) == NULL && memchr(expr.ptr, '$', expr.len) == NULL;
}

bool
value_expression(struct pack_value *v, struct slice expr)
{
	expr = slice_trim(expr);
	/* Nothing, or a comment. */
	if (expr.len == 0 || (slice_starts(expr, "/*") && slice_ends(expr, "*/")))
		return false;
	if (is_literal(expr) && slice_trim((struct slice){expr.ptr + 1, expr.len - 2}).len == 0) {
		v->blank = true;
		return false;
	}
	value_blank(v);
	if (is_literal(expr)) {
		buf_add(&v->segment, expr.ptr + 1, expr.len - 2);
		return true;
	}
	if (!v->icu || v->nplaceholders == VALUE_PLACEHOLDERS) {
		buf_addf(&v->segment, "${%.*s}", (int)expr.len, expr.ptr);
		return true;
	}
	flush_segment(v, true);
	buf_addc(&v->text, '{');
	buf_addslice(&v->text, placeholder_name(v, expr));
	buf_addc(&v->text, '}');
	return true;
}

struct slice
value_finish(struct pack_value *v)
{
	flush_segment(v, false);
	return buf_slice(&v->text);
}
