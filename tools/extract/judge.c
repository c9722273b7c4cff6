#include "tools/extract/judge.h"

bool
judge_is_core(const struct words *w, const struct place *p)
{
	char key[256];

	if (p->kind != PLACE_ARGUMENT || p->listed || p->consumed)
		return false;
	if (words_core(w, p->call, p->argument))
		return true;
	if (p->constructor && words_core(w, S("*"), p->argument))
		return true;
	if (p->target.len == 0)
		return false;
	/* InputDecoration.collapsed(hintText: …) */
	if (p->constructor && p->widget.ptr == p->target.ptr && !p->positional &&
	    words_core(w, p->target, p->argument))
		return true;
	if (p->target.len + 1 + p->call.len > sizeof(key))
		return false;
	memcpy(key, p->target.ptr, p->target.len);
	key[p->target.len] = '.';
	memcpy(key + p->target.len + 1, p->call.ptr, p->call.len);
	struct slice qualified = {key, p->target.len + 1 + p->call.len};
	return words_core(w, qualified, p->argument) ||
	    (p->positional && words_core(w, qualified, S("*")));
}

/* Whether the call or the argument is for machines. */
static bool
is_for_machines(const struct words *w, const struct place *p)
{
	if (p->kind != PLACE_ARGUMENT)
		return false;
	return (!p->positional && words_has(w, WORDS_NEVER_ARGUMENTS, p->argument)) ||
	    words_has_call(w, WORDS_NEVER_CALLS, p->target, p->call);
}

/* A name without the underscores of privacy. */
static struct slice
bare(struct slice name)
{
	while (name.len > 0 && name.ptr[0] == '_')
		name.ptr++, name.len--;
	return name;
}

static void
add_words(struct buf *out, const char *what, struct slice name, const char *between,
    struct slice other)
{
	buf_adds(out, what);
	buf_addslice(out, name);
	buf_adds(out, between);
	buf_addslice(out, other);
}

static bool
likely_argument(const struct words *w, const struct names *names, const struct place *p,
    struct buf *reason)
{
	struct slice call = p->constructor ? p->widget : p->call;

	if (names_helper(names, p->call, p->argument) ||
	    (!p->constructor && words_has(w, WORDS_HELPERS, bare(p->call)))) {
		add_words(reason, "helper ", p->call, "", S(""));
		return true;
	}
	if (p->positional) {
		if (!p->constructor || !slice_is(p->argument, "0") ||
		    !words_has(w, WORDS_TEXT_CLASSES, call))
			return false;
		buf_addslice(reason, call);
		return true;
	}
	if (!words_has(w, WORDS_TITLE_LIKE, p->argument)) {
		if (!p->constructor || names_shown(names, p->argument).len == 0)
			return false;
	}
	add_words(reason, "", call, ".", p->argument);
	return true;
}

/* A name that is shown, or that says of itself that it is for people. */
static bool
likely_name(const struct words *w, const struct names *names, struct slice name, const char *what,
    struct buf *reason)
{
	struct slice by = names_shown(names, name);

	if (by.len > 0) {
		add_words(reason, what, name, " in ", by);
		return true;
	}
	if (!words_has(w, WORDS_TITLE_LIKE, bare(name)))
		return false;
	add_words(reason, what, name, "", S(""));
	return true;
}

/* A map's key without its quotes. */
static struct slice
bare_key(struct slice key)
{
	while (key.len > 1 && (key.ptr[0] == '\'' || key.ptr[0] == '"')) {
		key.ptr++;
		key.len -= 2;
	}
	return key;
}

/*
 * Whether what the project says of itself, or the argument's or the
 * function's name, makes it likely to be shown.
 */
static bool
is_likely(const struct words *w, const struct names *names, const struct place *p,
    struct buf *reason)
{
	if (p->consumed || p->thrown)
		return false;
	if (p->key.len > 0) {
		struct slice key = bare_key(p->key);
		if (words_has(w, WORDS_TITLE_LIKE, key)) {
			add_words(reason, "map value ", key, "", S(""));
			return true;
		}
	}
	switch (p->kind) {
	case PLACE_ARGUMENT:
		return !p->listed && likely_argument(w, names, p, reason);
	case PLACE_CLOSURE:
		if (!words_has(w, WORDS_TEXT_CLOSURES, p->argument))
			return false;
		buf_addslice(reason, p->argument);
		return true;
	case PLACE_RETURN:
		if (words_has(w, WORDS_TEXT_FUNCTIONS, bare(p->name))) {
			add_words(reason, "return of ", p->name, "", S(""));
			return true;
		}
		return likely_name(w, names, p->name, "return of ", reason);
	case PLACE_ASSIGNED:
		if (p->listed && names_shown(names, p->name).len == 0)
			return false;
		return likely_name(w, names, p->name, "value of ", reason);
	case PLACE_BRANCH:
		if (p->outer != LEVEL_CORE && p->outer != LEVEL_LIKELY)
			return false;
		buf_adds(reason, "branch in an interpolation");
		return true;
	default:
		return false;
	}
}

static void
add_prose_reason(const struct place *p, struct buf *reason)
{
	buf_adds(reason, "prose: ");
	if (p->thrown)
		buf_adds(reason, "thrown");
	else if (p->key.len > 0)
		buf_adds(reason, "map value");
	else if (p->listed)
		buf_adds(reason, "list element");
	else if (p->kind == PLACE_ARGUMENT)
		add_words(reason, "", p->call, ".", p->argument);
	else if (p->kind == PLACE_CLOSURE || p->kind == PLACE_RETURN)
		buf_adds(reason, "return");
	else if (p->kind == PLACE_ASSIGNED)
		buf_adds(reason, "assignment");
	else if (p->kind == PLACE_BRANCH)
		buf_adds(reason, "branch in an interpolation");
	else
		buf_adds(reason, "expression");
}

/* The reason of a core place: its widget and, unless it is the first thing of it, what of it. */
static void
add_core_reason(const struct place *p, struct buf *reason)
{
	bool named = p->constructor && p->widget.ptr != p->call.ptr;

	buf_addslice(reason, p->constructor ? p->widget : p->call);
	if (!p->positional || named) {
		buf_addc(reason, '.');
		buf_addslice(reason, p->positional ? p->call : p->argument);
	}
}

enum level
judge(const struct words *w, const struct names *names, const struct place *p, enum shape shape,
    struct buf *reason)
{
	if (shape == SHAPE_NO_TEXT || p->kind == PLACE_NEVER)
		return LEVEL_NONE;
	/* A core position stays core whatever the text looks like. */
	if (judge_is_core(w, p)) {
		add_core_reason(p, reason);
		return LEVEL_CORE;
	}
	if (shape == SHAPE_MACHINE || is_for_machines(w, p))
		return LEVEL_NONE;
	/* 'item' : 'items' in a shown text are words that are shown. */
	bool branch = p->kind == PLACE_BRANCH && p->ternary;
	if ((shape == SHAPE_PROSE || branch) && is_likely(w, names, p, reason))
		return LEVEL_LIKELY;
	if (shape != SHAPE_PROSE)
		return LEVEL_NONE;
	add_prose_reason(p, reason);
	return LEVEL_ALL;
}
