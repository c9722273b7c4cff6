#include "tools/extract/keys.h"

#include "common/format/l10n.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/message.h"
#include "common/path.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	SLUG = 40,	     /* bytes after which a slug takes no further word */
	NUMBERED = 256,	     /* placeholders that are told apart, far more than a message has */
	NAMES = 400,	     /* bytes of placeholder names that are kept */
	ARB_FILE = 64 << 20, /* bytes of an ARB file */
};

/* What a key stands for. */
struct holder {
	uint64_t hash;	    /* of the message's identity */
	struct slice names; /* its placeholders', in order */
};

struct keys {
	enum keys_kind kind;
	const struct words *words;
	struct table holders; /* key → struct holder */
	struct table given;   /* identity hash (8 bytes) → key, from a catalogue */
	struct arena arena;
	struct arena scratch; /* for one message */
	struct buf identity, key, names, text;
};

struct keys *
keys_new(enum keys_kind kind, const struct words *words)
{
	struct keys *k = xcalloc(1, sizeof(*k));

	k->kind = kind;
	k->words = words;
	return k;
}

void
keys_free(struct keys *k)
{
	if (k == NULL)
		return;
	table_free(&k->holders);
	table_free(&k->given);
	arena_free(&k->arena);
	arena_free(&k->scratch);
	buf_free(&k->identity);
	buf_free(&k->key);
	buf_free(&k->names);
	buf_free(&k->text);
	free(k);
}

/* ---- identity ---- */

/* The number of a name in k->names, where it is added when it is new. */
static unsigned
name_index(struct keys *k, struct slice name)
{
	struct slice rest = buf_slice(&k->names);
	unsigned i = 0;

	for (; rest.len > 0; i++) {
		const char *blank = memchr(rest.ptr, ' ', rest.len);
		size_t len = blank ? (size_t)(blank - rest.ptr) : rest.len;
		if (slice_eq((struct slice){rest.ptr, len}, name))
			return i;
		rest.ptr += len + (blank != NULL);
		rest.len -= len + (blank != NULL);
		if (i == NUMBERED)
			return i;
	}
	if (k->names.len > 0)
		buf_addc(&k->names, ' ');
	buf_addslice(&k->names, name);
	return i;
}

/* A node of a message, with placeholders as DC1, their number, DC1. */
static void
identify_node(struct keys *k, const struct message *m, const struct message_node *node)
{
	switch (node->type) {
	case MESSAGE_TEXT:
		message_literal(m, node, &k->identity);
		break;
	case MESSAGE_PLACEHOLDER:
	case MESSAGE_POUND:
		buf_addf(&k->identity, "\x11%u\x11", name_index(k, node->name));
		break;
	case MESSAGE_PLURAL:
	case MESSAGE_ORDINAL:
	case MESSAGE_SELECT:
		buf_addf(&k->identity, "\x12%u,%u\x12", (unsigned)node->type, name_index(k, node->name));
		break;
	case MESSAGE_CASE:
		buf_addf(&k->identity, "\x13%u,", node->size);
		buf_addslice(&k->identity, node->name);
		break;
	default:
		buf_addslice(&k->identity, message_bytes(m, node));
	}
}

/*
 * Into k->identity: context, EOT, and the message with its placeholders by
 * position. What is no message counts as its own bytes.
 */
static void
identify(struct keys *k, struct slice value, int dialect, struct slice context)
{
	struct message m;
	bool text_only = dialect == MESSAGE_ICU && memchr(value.ptr, '{', value.len) == NULL &&
	    memchr(value.ptr, '\'', value.len) == NULL;

	buf_reset(&k->identity);
	buf_reset(&k->names);
	buf_addslice(&k->identity, context);
	buf_addc(&k->identity, '\4');
	arena_reset(&k->scratch);
	/* Most messages are text that nothing quotes: there is nothing to parse. */
	if (text_only || dialect < 0 ||
	    message_parse(value, (unsigned)dialect, &k->scratch, &m, NULL) != 0) {
		buf_addslice(&k->identity, value);
		return;
	}
	for (size_t i = 0; i < m.n; i++)
		identify_node(k, &m, &m.nodes[i]);
}

/* ---- slugs ---- */

/* Latin letters with marks, U+00C0 to U+017F, without them. */
static char
unmarked(uint32_t c)
{
	static const char latin[] =
	    "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty"
	    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
	    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

	return c >= 0xc0 && c < 0xc0 + sizeof(latin) - 1 ? latin[c - 0xc0] : ' ';
}

/* A slug as it grows: at most SLUG bytes and one more word of that length. */
struct slug {
	char text[2 * SLUG + 24];
	size_t len;
	bool begins; /* the next letter starts a word */
};

static void
add_letter(struct slug *s, char c)
{
	bool small = s->len == 0 || !s->begins;

	if (small && c >= 'A' && c <= 'Z')
		c = (char)(c | 32);
	else if (!small && c >= 'a' && c <= 'z')
		c = (char)(c & ~32);
	s->text[s->len++] = c;
	s->begins = false;
}

/* A placeholder (DC1, number, DC1 at p) is a word: P1. Returns its bytes. */
static size_t
add_placeholder(struct slug *s, const char *p)
{
	char *end;
	unsigned long number = strtoul(p + 1, &end, 10);

	s->len += (size_t)snprintf(s->text + s->len, 24, "%c%lu", s->len > 0 ? 'P' : 'p', number + 1);
	s->begins = true;
	return (size_t)(end - p) + 1;
}

/* Into k->key: the first words of the identity, in camelCase. */
static void
make_slug(struct keys *k)
{
	const char *at = memchr(k->identity.ptr, '\4', k->identity.len);
	const char *end = k->identity.ptr + k->identity.len;
	struct slug s = {.begins = true};
	size_t n;

	for (at++; at < end && s.len < 2 * SLUG && !(s.begins && s.len >= SLUG); at += n) {
		uint32_t c = (unsigned char)*at;
		n = c < 128 ? 1 : utf8_decode(at, (size_t)(end - at), &c);
		n = n == 0 ? 1 : n;
		if (c == 0x11)
			n = add_placeholder(&s, at);
		else if (c < 128 && isalnum((int)c))
			add_letter(&s, (char)c);
		else if (c >= 128 && unmarked(c) != ' ')
			add_letter(&s, unmarked(c));
		else if (c != '\'' && c != 0x2019)
			s.begins = true;
	}
	buf_reset(&k->key);
	if (s.len == 0 || isdigit((unsigned char)s.text[0]))
		buf_adds(&k->key, "msg");
	buf_add(&k->key, s.text, s.len);
	if (words_has(k->words, WORDS_RESERVED, buf_slice(&k->key)))
		buf_adds(&k->key, "Text");
}

/* ---- keys ---- */

/* Whether the key is free, or holds this message; it is taken then. */
static bool
take(struct keys *k, struct slice key, uint64_t hash, struct slice *names)
{
	uint64_t *found = table_get(&k->holders, key);
	struct holder *h;

	if (found != NULL) {
		h = (struct holder *)(uintptr_t)*found;
		*names = h->names;
		return h->hash == hash;
	}
	*names = (struct slice){"", 0};
	if (k->holders.used >= KEYS_MAX)
		return false;
	h = arena_alloc(&k->arena, sizeof(*h));
	*h = (struct holder){.hash = hash, .names = {"", 0}};
	if (k->names.len > 0 && k->names.len <= NAMES)
		h->names = (struct slice){
			arena_copy(&k->arena, k->names.ptr, k->names.len), k->names.len};
	key.ptr = arena_copy(&k->arena, key.ptr, key.len);
	*table_put(&k->holders, key, NULL) = (uint64_t)(uintptr_t)h;
	return true;
}

/*
 * The key in k->key, or that with the hash's first hex digits: 6 of them,
 * more only where even those collide.
 */
static struct slice
take_or_add_hash(struct keys *k, uint64_t hash, struct slice *names)
{
	size_t base = k->key.len;

	if (take(k, buf_slice(&k->key), hash, names))
		return buf_slice(&k->key);
	for (int digits = 6; digits <= 16; digits += 5) {
		buf_cut(&k->key, base);
		buf_addf(&k->key, "_%0*llx", digits, (unsigned long long)(hash >> (64 - 4 * digits)));
		if (take(k, buf_slice(&k->key), hash, names) ||
		    table_get(&k->holders, buf_slice(&k->key)) == NULL)
			break;
	}
	return buf_slice(&k->key);
}

static void
add_file_slug(struct buf *key, const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t start = key->len;

	for (const char *s = slash ? slash + 1 : file; *s != '\0' && *s != '.'; s++)
		if (isalnum((unsigned char)*s) || (*s == '_' && key->len > start))
			buf_addc(key, (char)tolower((unsigned char)*s));
	if (key->len == start || isdigit((unsigned char)key->ptr[start]))
		buf_splice(key, start, 0, S("file"));
	buf_addc(key, '_');
}

static struct slice
line_key(struct keys *k, const char *file, size_t line, uint64_t hash, struct slice *names)
{
	buf_reset(&k->key);
	buf_addf(&k->key, "msg_%zu", line);
	if (take(k, buf_slice(&k->key), hash, names))
		return buf_slice(&k->key);
	buf_reset(&k->key);
	add_file_slug(&k->key, file);
	buf_addf(&k->key, "msg_%zu", line);
	return take_or_add_hash(k, hash, names);
}

/* The key that a catalogue gives the message in k->identity, or NULL. */
static const struct slice *
given(const struct keys *k, uint64_t hash)
{
	uint64_t *key = table_get(&k->given, (struct slice){(const char *)&hash, sizeof(hash)});

	return key ? (const struct slice *)(uintptr_t)*key : NULL;
}

struct slice
keys_of(struct keys *k, const char *file, const struct found *f, struct slice *names)
{
	const struct slice *key = NULL;
	uint64_t hash;

	*names = (struct slice){"", 0};
	if (k->given.used > 0 && f->plural.len > 0) {
		/* The catalogue may hold this message as a plural, in another order of names. */
		identify(k, f->plural, MESSAGE_ICU, f->context);
		key = given(k, hash_stable(buf_slice(&k->identity)));
		if (key != NULL)
			return *key;
	}
	identify(k, f->value, message_dialect_of(slice(f->format)), f->context);
	hash = hash_stable(buf_slice(&k->identity));
	if (k->given.used > 0 && (key = given(k, hash)) != NULL) {
		take(k, *key, hash, names);
		return *key;
	}
	if (f->key.len > 0)
		return f->key;
	if (k->kind == KEYS_LINE)
		return line_key(k, file, f->line, hash, names);
	if (k->kind == KEYS_HASH) {
		buf_reset(&k->key);
		buf_addf(&k->key, "msg_%012llx", (unsigned long long)(hash >> 16));
		take(k, buf_slice(&k->key), hash, names);
		return buf_slice(&k->key);
	}
	make_slug(k);
	return take_or_add_hash(k, hash, names);
}

/* ---- keys that a catalogue gives ---- */

static void
give(struct keys *k, struct slice name, struct slice value, unsigned dialect)
{
	struct slice *key, names, hash_text;
	uint64_t hash, *slot;
	bool added;

	identify(k, value, (int)dialect, S(""));
	hash = hash_stable(buf_slice(&k->identity));
	hash_text = (struct slice){arena_copy(&k->arena, (const char *)&hash, sizeof(hash)), 8};
	slot = table_put(&k->given, hash_text, &added);
	key = arena_alloc(&k->arena, sizeof(*key));
	*key = (struct slice){arena_copy(&k->arena, name.ptr, name.len), name.len};
	if (added)
		*slot = (uint64_t)(uintptr_t)key;
	/* The key is taken even where another one serves the text. */
	take(k, *key, hash, &names);
}

int
keys_from_arb(struct keys *k, const char *file, unsigned dialect, struct err *e)
{
	struct buf text = {0}, name = {0}, value = {0};
	struct slice key, raw;
	int status = -1;

	if (path_read(file, ARB_FILE, &text, e) == 0 && json_check(buf_slice(&text), e) == 0) {
		struct json_walk walk = json_walk(slice_trim(buf_slice(&text)));
		while (json_member(&walk, &key, &raw)) {
			buf_reset(&name);
			buf_reset(&value);
			if (json_text(key, &name) && name.len > 0 && name.ptr[0] != '@' &&
			    json_text(raw, &value))
				give(k, buf_slice(&name), buf_slice(&value), dialect);
		}
		status = 0;
	}
	buf_free(&text);
	buf_free(&name);
	buf_free(&value);
	return status;
}

int
keys_from_project(struct keys *k, const char *root, struct err *e)
{
	struct l10n l;
	struct err inner = {0};
	int status = l10n_read(root, &l, e);

	if (status == 0) {
		char *folder = l.found ? xstrdup(l.arb_dir) : path_join(root, l.arb_dir);
		char *template = path_join(folder, l.template);
		if (access(template, F_OK) == 0)
			status = keys_from_arb(k, template, l.dialect, &inner);
		if (status != 0)
			err_set(e, inner.code, "%s: %s", template, inner.text);
		free(template);
		free(folder);
	}
	l10n_free(&l);
	return status;
}
