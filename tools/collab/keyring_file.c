/*
 * Reading the hub's key file, and the key sets that it names. No message shows a value.
 */
#include "tools/collab/keyring_part.h"

#include "common/base64.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"
#include "common/secret.h"
#include "tools/collab/jwt.h"
#include "tools/collab/keyfile.h"

#include <stdlib.h>

enum { STATIC_MIN = 16 }; /* characters */

/* What is wrong in which line: set by the reader of a line, worded by open. */
static int
wrong(struct err *e, const char *text)
{
	return err_set(e, "bad_key_file", "%s", text);
}

/* The next word of a line; false when there is none. */
static bool
next_word(struct slice *rest, struct slice *word)
{
	size_t n = 0;

	*rest = slice_trim(*rest);
	while (n < rest->len && rest->ptr[n] != ' ' && rest->ptr[n] != '\t')
		n++;
	*word = (struct slice){rest->ptr, n};
	rest->ptr += n;
	rest->len -= n;
	return n > 0;
}

/* ---- static keys ---- */

/* "a,b:*" as "a\0b:*\0". */
static void
add_globs(struct buf *out, struct slice list)
{
	while (list.len) {
		const char *comma = memchr(list.ptr, ',', list.len);
		size_t n = comma ? (size_t)(comma - list.ptr) : list.len;

		if (n) {
			buf_add(out, list.ptr, n);
			buf_addc(out, '\0');
		}
		list.ptr += comma ? n + 1 : n;
		list.len -= comma ? n + 1 : n;
	}
}

static int
read_grants(struct slice rest, struct slice *role, struct buf *read, struct buf *write,
    struct err *e)
{
	struct slice word;

	while (next_word(&rest, &word)) {
		const char *is = memchr(word.ptr, '=', word.len);
		size_t n = is ? (size_t)(is - word.ptr) + 1 : 0;
		struct slice value = {word.ptr + n, word.len - n};

		if (slice_starts(word, "role=") && value.len)
			*role = value;
		else if (slice_starts(word, "read="))
			add_globs(read, value);
		else if (slice_starts(word, "write="))
			add_globs(write, value);
		else
			return wrong(e, "behind a key come role=, read= and write= only");
	}
	return 0;
}

static int
add_static(struct keyring *k, struct slice name, struct slice value, struct slice rest,
    struct err *e)
{
	struct slice role = S("authenticated");
	struct buf read = {0}, write = {0};
	struct sha256 sum = crypto_sha256(value);
	struct static_key *key;
	int rc;

	if (value.len < STATIC_MIN)
		return wrong(e, "a key has at least 16 characters: openssl rand -hex 16");
	if (value.len > JWT_SIZE)
		return wrong(e, "a key has at most 8192 characters");
	for (size_t i = 0; i < k->nfixed; i++)
		if (memcmp(&k->fixed[i].sum, &sum, sizeof(sum)) == 0)
			return wrong(e, "the same key stands in the file already");
	rc = read_grants(rest, &role, &read, &write, e);
	if (rc == 0) {
		k->fixed = xgrow(k->fixed, k->nfixed, &k->fixed_cap, sizeof(*k->fixed));
		key = &k->fixed[k->nfixed++];
		key->sum = sum;
		key->claims = claims_static(name, role, buf_slice(&read), buf_slice(&write));
	}
	buf_free(&read);
	buf_free(&write);
	return rc;
}

/* ---- keys that verify ---- */

/* Takes the key over. kid: ptr NULL, none. */
static int
add_signer(struct keyring *k, struct slice kid, struct crypto_key *key, struct err *e)
{
	for (size_t i = 0; kid.ptr && i < k->nsigners; i++) {
		const struct signer *s = &k->signers[i];

		if (s->kid && slice_is(kid, s->kid) &&
		    crypto_key_kind(s->key) == crypto_key_kind(key)) {
			crypto_key_free(key);
			return err_set(e, "bad_key_file", "there are two keys of kid '%s'", s->kid);
		}
	}
	k->signers = xgrow(k->signers, k->nsigners, &k->signers_cap, sizeof(*k->signers));
	k->signers[k->nsigners++] =
	    (struct signer){kid.ptr ? xstrndup(kid.ptr, kid.len) : NULL, key};
	return 0;
}

int
keyring_secret(struct crypto_key **key, struct slice value, struct err *e)
{
	static const char prefix[] = "base64:";
	struct buf bytes = {0};
	int rc;

	if (!slice_starts(value, prefix))
		return crypto_key_secret(key, value, e);
	value.ptr += sizeof(prefix) - 1;
	value.len -= sizeof(prefix) - 1;
	rc = base64_get(&bytes, value) ? crypto_key_secret(key, buf_slice(&bytes), e)
				       : err_set(e, "bad_key", "what is behind base64: is none");
	secret_wipe(&bytes);
	return rc;
}

static int
add_secret(struct keyring *k, struct slice kid, struct slice value, struct err *e)
{
	struct crypto_key *key;

	if (keyring_secret(&key, value, e) < 0)
		return -1;
	return add_signer(k, slice_is(kid, "-") ? (struct slice){NULL, 0} : kid, key, e);
}

/* One key of a set. Those of types that are not ours are left out (RFC 7517 section 5). */
static int
add_jwk(struct keyring *k, struct slice jwk, bool *secret, struct err *e)
{
	struct crypto_key *key;
	struct slice value;
	struct buf kid = {0};
	int rc;

	if (json_type(jwk) != JSON_OBJECT)
		return wrong(e, "a member of 'keys' is no object");
	if (json_get(jwk, "kid", &value) &&
	    (!json_text(value, &kid) || memchr(buf_slice(&kid).ptr, '\0', kid.len))) {
		buf_free(&kid);
		return wrong(e, "a kid is no string that can be compared");
	}
	rc = crypto_key_jwk(&key, jwk, e);
	if (rc == 0) {
		*secret |= crypto_key_private(key);
		rc = add_signer(k, kid.ptr ? buf_slice(&kid) : (struct slice){NULL, 0}, key, e);
	}
	buf_free(&kid);
	return rc < 0 ? -1 : 0;
}

/* A set that holds a secret must be nobody else's, as the key file itself. */
static int
read_jwks(struct keyring *k, const char *name, struct buf *text, struct err *e)
{
	struct slice set, list, jwk;
	struct json_walk walk;
	bool secret = false;

	if (keyfile_read_public(name, text, e) < 0)
		return -1;
	if (json_check(buf_slice(text), e) < 0)
		return err_set(e, "bad_key_file", "'%s' is no JSON", name);
	set = slice_trim(buf_slice(text));
	if (json_type(set) != JSON_OBJECT || !json_get(set, "keys", &list) ||
	    json_type(list) != JSON_ARRAY)
		return err_set(e, "bad_key_file", "'%s' has no array 'keys': it is no JWKS", name);
	walk = json_walk(list);
	while (json_element(&walk, &jwk)) {
		struct err why;

		if (add_jwk(k, jwk, &secret, &why) < 0)
			return err_set(e, "bad_key_file", "'%s': %s", name, why.text);
	}
	return secret ? keyfile_check(name, e) : 0;
}

static int
add_jwks(struct keyring *k, const char *keyfile, struct slice value, struct err *e)
{
	char *name = xstrndup(value.ptr, value.len), *folder = xstrdup(keyfile), *path;
	char *slash = strrchr(folder, '/');
	struct buf text = {0};
	size_t had = k->nsigners;
	int rc;

	if (slash)
		slash[1] = '\0';
	path = *name == '/' || !slash ? xstrdup(name) : path_join(folder, name);
	rc = read_jwks(k, path, &text, e);
	if (rc == 0 && k->nsigners == had)
		rc = err_set(e, "bad_key_file", "'%s' holds no key that verifies tokens", path);
	secret_wipe(&text);
	free(path);
	free(folder);
	free(name);
	return rc;
}

/* ---- the file ---- */

static int
read_line(struct keyring *k, const char *file, struct slice line, struct err *e)
{
	struct slice word, name, value, rest = line;

	if (!next_word(&rest, &word) || *word.ptr == '#')
		return 0;
	if (memchr(line.ptr, '\0', line.len))
		return wrong(e, "a byte NUL is in it");
	if (slice_is(word, "jwks")) {
		value = slice_trim(rest);
		return value.len ? add_jwks(k, file, value, e) : wrong(e, "jwks wants a file");
	}
	if (!slice_is(word, "key") && !slice_is(word, "secret"))
		return wrong(e, "a line begins with key, secret, jwks or #");
	if (!next_word(&rest, &name) || !next_word(&rest, &value))
		return wrong(e, slice_is(word, "key")
			? "a key is: key NAME VALUE [role=ROLE] [read=GLOBS] [write=GLOBS]"
			: "a secret is: secret KID|- VALUE|base64:BASE64");
	if (slice_is(word, "key"))
		return add_static(k, name, value, rest, e);
	if (slice_trim(rest).len)
		return wrong(e, "nothing comes behind a secret: it has no blanks");
	return add_secret(k, name, value, e);
}

/*
 * What a member or a signer has is no file of ours: said as that. A first word that
 * is none of ours, with lines behind it, is a line that is wrong.
 */
static int
check_kind(const char *file, struct slice text, struct err *e)
{
	enum keyfile_kind kind = keyfile_kind(text);
	const char *what = keyfile_kind_name(kind);

	switch (kind) {
	case KEYFILE_WORD:
	case KEYFILE_TOKEN:
		text = slice_trim(text);
		if (memchr(text.ptr, '\n', text.len))
			return 0;
		return err_set(e, "bad_key_file",
		    "'%s' holds %s, as a member has it: a hub's key file has lines "
		    "'key NAME VALUE', 'secret KID VALUE', 'jwks FILE'", file, what);
	case KEYFILE_JWK:
	case KEYFILE_JWKS:
		return err_set(e, "bad_key_file",
		    "'%s' holds %s: a hub's key file names a set of public keys in a line "
		    "'jwks FILE'", file, what);
	case KEYFILE_PEM:
		return err_set(e, "bad_key_file",
		    "'%s' holds %s: a hub takes public keys as a JSON Web Key Set, in a line "
		    "'jwks FILE' of its key file", file, what);
	default:
		return 0;
	}
}

size_t
keyring_fixed(struct slice text, struct slice *value)
{
	struct slice line, word, name, rest;
	size_t n = 0;

	while (slice_line(&text, &rest)) {
		if (!next_word(&rest, &word) || !slice_is(word, "key") ||
		    !next_word(&rest, &name) || !next_word(&rest, &line))
			continue;
		*value = line;
		n++;
	}
	return n;
}

int
keyring_open(struct keyring **out, const char *file, struct err *e)
{
	struct keyring *k;
	struct buf text = {0};
	struct slice rest, line;
	struct err why;
	size_t number = 0;
	int rc = keyfile_read(file, &text, e);

	*out = NULL;
	if (rc == 0)
		rc = check_kind(file, buf_slice(&text), e);
	if (rc < 0) {
		secret_wipe(&text);
		return -1;
	}
	k = xcalloc(1, sizeof(*k));
	rest = buf_slice(&text);
	while (rc == 0 && slice_line(&rest, &line)) {
		number++;
		rc = read_line(k, file, line, &why);
	}
	if (rc < 0) {
		err_set(e, "bad_key_file", "%s:%zu: %s", file, number, why.text);
		if (e)
			e->line = number;
	} else if (k->nfixed + k->nsigners == 0) {
		rc = err_set(e, "bad_key_file", "'%s' holds no key: a line is 'key NAME VALUE'",
		    file);
	}
	secret_wipe(&text);
	if (rc < 0)
		keyring_free(k);
	else
		*out = k;
	return rc;
}
