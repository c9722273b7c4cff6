/*
 * keyring: who may join: the keys of the hub's key file, and what they open.
 *
 * The key file has a key a line, blank lines and `# comments`:
 *
 *	key NAME VALUE [role=ROLE] [read=GLOB,...] [write=GLOB,...]
 *		a static key: who sends VALUE is NAME; role authenticated, never expires
 *	secret KID|- VALUE|base64:BASE64
 *		verifies tokens by HS256, HS384, HS512; `-` those without a kid
 *	jwks FILE
 *		a JSON Web Key Set (RFC 7517): RSA, EC P-256, oct; relative to the key file
 *
 * A file that holds something else by its form (keyfile_kind) is refused as that.
 * VALUE has no blanks; a static key at least 16 characters, a secret at least
 * 32 bytes. The file must not be open to others, nor a JWKS that holds secrets
 * (keyfile.h). Several secrets may have `-`, while one replaces another.
 */
#ifndef KANDIL_COLLAB_KEYRING_H
#define KANDIL_COLLAB_KEYRING_H

#include "common/crypto_key.h"
#include "tools/collab/claims.h"

struct keyring;

/*
 * -1 with e (e->line, and the text names file and line, never a value):
 * "cannot_read", "too_large", "open_key_file", "bad_key_file".
 */
int keyring_open(struct keyring **, const char *file, struct err *e);
void keyring_free(struct keyring *);
/* A key of a secret as that file has it: VALUE or base64:BASE64. 0, or -1 with e: "bad_key". */
int keyring_secret(struct crypto_key **, struct slice value, struct err *e);
/* Static keys in the text of such a file, and the value of the last, lent; for who wants one. */
size_t keyring_fixed(struct slice text, struct slice *value);

/*
 * Whether token lets somebody in, and as whom: a static key (compared in
 * constant time, by SHA-256) or a JWT. White space around it does not count; it comes
 * percent-decoded. 0: out is the caller's to claims_free. -1, with the protocol's words
 * in e->text and e->code:
 *
 *	key_missing	API key is missing
 *	not_jwt		The token provided is not a valid JWT
 *	no_signer	Failed to generate JWT signer[ for key ID (kid) "K"], check your …
 *	bad_signature	Failed to validate JWT signature
 *	no_claims	Fields `role` and `exp` are required in JWT
 *	token_expired	Token has expired (a join says since when: out->exp is filled)
 *	not_yet		Token is not valid yet
 *
 * There is nothing to free then. The key of a JWT is chosen by the family of its alg, and in
 * it by its kid, which must be known; without one HS* tries the secrets that have
 * none, RS* and ES* need a single key of their type.
 */
int keyring_admit(const struct keyring *, struct slice token, int64_t now_ms, struct claims *out,
    struct err *e);

/*
 * The first key that can sign: of that kid (ptr NULL: any), for that algorithm (CRYPTO_NONE: any).
 * *kid: its own, ptr NULL: none. NULL: there is no such key. Lent.
 */
const struct crypto_key *keyring_signer(const struct keyring *, struct slice wanted,
    enum crypto_alg, struct slice *kid);

#endif
