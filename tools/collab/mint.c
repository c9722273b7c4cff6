/*
 * The subcommand token: prints a JWT, for tests and small teams. The key comes from a file: the
 * hub's own key file, a private key in PEM, a JSON Web Key, or a secret alone.
 */
#include "common/crypto_key.h"
#include "common/json.h"
#include "common/secret.h"
#include "common/time.h"
#include "tools/collab/collab.h"
#include "tools/collab/jwt.h"
#include "tools/collab/keyfile.h"
#include "tools/collab/keyring.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the key is from: one of the two owns it. */
struct source {
	struct keyring *keyring;
	struct crypto_key *own;
	const struct crypto_key *key;
	struct buf kid; /* that the key has itself */
	bool has_kid;
	bool named; /* what is wrong with the file names it */
};

static int
read_jwk(struct source *from, struct slice text, struct err *e)
{
	struct slice value;
	int rc;

	if (json_check(text, e) < 0)
		return err_set(e, "bad_key", "it begins as a JSON Web Key and is no JSON");
	rc = crypto_key_jwk(&from->own, text, e);
	if (rc > 0)
		return err_set(e, "bad_key",
		    "it is no key for signatures: RSA, EC with P-256 or oct, use sig");
	from->has_kid = json_get(text, "kid", &value) && json_text(value, &from->kid);
	return rc;
}

static int
read_keyring(struct source *from, const struct settings *s, enum crypto_alg alg, struct err *e)
{
	struct slice kid;

	if (keyring_open(&from->keyring, s->key_file, e) < 0) {
		from->named = true;
		return -1;
	}
	from->key = keyring_signer(from->keyring, slice(s->kid), alg, &kid);
	if (from->key == NULL)
		return err_set(e, "bad_key", s->kid || alg
			? "it has no key that signs as --kid and --alg say"
			: "it has no key that signs: a line is 'secret KID|- VALUE'");
	from->has_kid = kid.ptr != NULL;
	buf_addslice(&from->kid, kid);
	return 0;
}

static int
read_kind(struct source *from, const struct settings *s, enum crypto_alg alg, struct slice text,
    struct err *e)
{
	switch (keyfile_kind(text)) {
	case KEYFILE_EMPTY:
		return err_set(e, "bad_key", "it is empty");
	case KEYFILE_JWK:
		return read_jwk(from, text, e);
	case KEYFILE_JWKS:
		return err_set(e, "bad_key",
		    "it is a JSON Web Key Set: token wants one private key");
	case KEYFILE_PEM:
		return crypto_key_pem(&from->own, text, e);
	case KEYFILE_TOKEN:
		return err_set(e, "bad_key",
		    "it holds a token, which signs nothing: token wants the hub's key file, or a "
		    "private key");
	case KEYFILE_WORD:
		if (strcspn(text.ptr, " \t\r\n") >= text.len)
			return keyring_secret(&from->own, text, e);
		return read_keyring(from, s, alg, e);
	default:
		return read_keyring(from, s, alg, e);
	}
}

static int
read_key(struct source *from, const struct settings *s, enum crypto_alg alg, struct err *e)
{
	struct buf content = {0};
	struct slice text;
	int rc = keyfile_read(s->key_file, &content, e);

	from->named = rc != 0;
	text = slice_trim(buf_slice(&content));
	if (rc == 0)
		rc = read_kind(from, s, alg, text, e);
	secret_wipe(&content);
	if (from->own)
		from->key = from->own;
	return rc;
}

static void
add_list(struct buf *b, const char *name, const struct opt_list *list)
{
	if (list->n == 0)
		return;
	json_name(b, name);
	json_open(b, '[');
	for (size_t i = 0; i < list->n; i++)
		json_put(b, slice(list->v[i]));
	json_close(b, ']');
}

/* Whole seconds: some readers of JWTs take no others. */
static void
write_claims(struct buf *b, const struct settings *s, int64_t length)
{
	int64_t now = time_now() / 1000;

	json_open(b, '{');
	json_add(b, "role", slice(s->role));
	if (s->sub)
		json_add(b, "sub", slice(s->sub));
	json_add_long(b, "iat", now);
	json_add_long(b, "exp", now + (length + 999) / 1000);
	if (s->read.n || s->write.n) {
		json_name(b, "kandil");
		json_open(b, '{');
		add_list(b, "read", &s->read);
		add_list(b, "write", &s->write);
		json_close(b, '}');
	}
	json_close(b, '}');
}

static int64_t
check(const struct run *run, const struct settings *s, enum crypto_alg *alg)
{
	int64_t length;

	if (run->noperands)
		die(STATUS_USAGE, "token takes no operand: '%s'", run->operands[0]);
	if (s->key_file == NULL)
		die(STATUS_USAGE,
		    "token needs --key-file=FILE: the hub's key file, or a private key");
	*alg = s->alg ? crypto_alg(slice(s->alg)) : CRYPTO_NONE;
	if (s->alg && *alg == CRYPTO_NONE)
		die(STATUS_USAGE, "%s: no such algorithm, '%s': HS256, HS384, HS512, RS256, RS384, "
		    "RS512 or ES256", opt_origin("alg"), s->alg);
	if (!*s->role)
		die(STATUS_USAGE, "%s: a role needs a name", opt_origin("role"));
	if (time_parse_length(slice(s->for_length), &length) < 0 || length <= 0)
		die(STATUS_USAGE, "%s: no length of time, '%s': 30s, 5m, 24h", opt_origin("for"),
		    s->for_length);
	return length;
}

/* Files of tokens are read only where they are nobody else's (keyfile.h): so they are made. */
static void
write_token(struct run *run, struct slice token)
{
	struct stat st;

	if (!run->common->output && fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_mode & (S_IRWXG | S_IRWXO))
		note("others may read the file that standard output goes to (mode %04o): -o FILE "
		     "makes one of our own", (unsigned)(st.st_mode & 07777));
	fwrite(token.ptr, 1, token.len, stdout);
}

void
mint_run(struct run *run, void *settings)
{
	const struct settings *s = settings;
	struct source from = {0};
	struct buf claims = {0}, token = {0};
	struct slice kid = {NULL, 0};
	enum crypto_alg alg;
	int64_t length;
	struct err e;

	run_private(run);
	length = check(run, s, &alg);
	if (read_key(&from, s, alg, &e) < 0)
		die(keyfile_status(&e), "--key-file%s%s: %s", from.named ? "" : "=",
		    from.named ? "" : s->key_file, e.text);
	if (alg == CRYPTO_NONE)
		alg = crypto_key_alg(from.key);
	if (s->kid)
		kid = slice(s->kid);
	else if (from.has_kid)
		kid = buf_slice(&from.kid);
	write_claims(&claims, s, length);
	if (jwt_write(&token, from.key, alg, kid, buf_slice(&claims), &e) < 0)
		die(STATUS_USAGE, "--key-file=%s: %s", s->key_file, e.text);
	buf_addc(&token, '\n');
	write_token(run, buf_slice(&token));
	crypto_key_free(from.own);
	keyring_free(from.keyring);
	buf_free(&from.kid);
	buf_free(&claims);
	secret_wipe(&token);
}
