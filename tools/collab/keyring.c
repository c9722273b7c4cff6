#include "tools/collab/keyring_part.h"

#include "tools/collab/jwt.h"

#include <stdlib.h>

void
keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->nfixed; i++)
		claims_free(&k->fixed[i].claims);
	for (size_t i = 0; i < k->nsigners; i++) {
		free(k->signers[i].kid);
		crypto_key_free(k->signers[i].key);
	}
	free(k->fixed);
	free(k->signers);
	free(k);
}

/* All are compared, whichever is found: time says nothing about any. */
static const struct static_key *
find_static(const struct keyring *k, struct slice value)
{
	struct sha256 sum = crypto_sha256(value);
	const struct static_key *found = NULL;

	for (size_t i = 0; i < k->nfixed; i++)
		if (crypto_equal(sum.bytes, k->fixed[i].sum.bytes, sizeof(sum.bytes)))
			found = &k->fixed[i];
	return found;
}

/*
 * Whether the signer is to be tried for the token: its family first, then the kid. A token
 * without one fits HS* keys that have none either, and any key of the others.
 */
static bool
fits(const struct signer *s, const struct jwt *token)
{
	if (!crypto_key_serves(s->key, token->alg))
		return false;
	if (token->has_kid)
		return s->kid && slice_is(buf_slice(&token->kid), s->kid);
	return s->kid == NULL || crypto_key_kind(s->key) != CRYPTO_SECRET;
}

static int
no_signer(const struct jwt *token, struct err *e)
{
	enum { KID_SHOWN = 64 };
	struct buf kid = {0};
	int rc;

	if (token->has_kid && token->kid.len <= KID_SHOWN)
		buf_add_visible(&kid, buf_slice(&token->kid));
	rc = kid.len ? err_set(e, "no_signer",
	    "Failed to generate JWT signer for key ID (kid) \"%s\", check your JWT secret or "
	    "JWKS configuration", kid.ptr)
		     : err_set(e, "no_signer",
	    "Failed to generate JWT signer, check your JWT secret or JWKS configuration");
	buf_free(&kid);
	return rc;
}

/* Without a kid several secrets are tried; which of several public keys is meant is not guessed. */
static int
check_signature(const struct keyring *k, const struct jwt *token, struct err *e)
{
	size_t n = 0;
	bool good = false;

	for (size_t i = 0; i < k->nsigners; i++)
		n += fits(&k->signers[i], token);
	if (n == 0 || (n > 1 && crypto_alg_kind(token->alg) != CRYPTO_SECRET))
		return no_signer(token, e);
	for (size_t i = 0; i < k->nsigners && !good; i++)
		good = fits(&k->signers[i], token) && jwt_verify(token, k->signers[i].key);
	return good ? 0 : err_set(e, "bad_signature", "Failed to validate JWT signature");
}

int
keyring_admit(const struct keyring *k, struct slice token, int64_t now_ms, struct claims *out,
    struct err *e)
{
	const struct static_key *key;
	struct jwt jwt = {0};
	int rc;

	*out = (struct claims){0};
	token = slice_trim(token);
	if (token.len == 0)
		return err_set(e, "key_missing", "API key is missing");
	if (token.len > JWT_SIZE)
		return jwt_refuse(e);
	if ((key = find_static(k, token)) != NULL) {
		*out = claims_copy(&key->claims);
		return 0;
	}
	rc = jwt_read(&jwt, token, e);
	if (rc == 0)
		rc = check_signature(k, &jwt, e);
	if (rc == 0)
		rc = claims_read(out, jwt.claims, now_ms, e);
	jwt_free(&jwt);
	return rc;
}

const struct crypto_key *
keyring_signer(const struct keyring *k, struct slice wanted, enum crypto_alg alg,
    struct slice *kid)
{
	for (size_t i = 0; i < k->nsigners; i++) {
		const struct signer *s = &k->signers[i];

		if (!crypto_key_private(s->key) ||
		    (alg != CRYPTO_NONE && !crypto_key_serves(s->key, alg)) ||
		    (wanted.ptr && !(s->kid && slice_is(wanted, s->kid))))
			continue;
		*kid = slice(s->kid);
		return s->key;
	}
	return NULL;
}
