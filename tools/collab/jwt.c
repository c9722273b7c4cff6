#include "tools/collab/jwt.h"

#include "common/base64.h"
#include "common/json.h"

int
jwt_refuse(struct err *e)
{
	return err_set(e, "not_jwt", "The token provided is not a valid JWT");
}

int
jwt_members(struct slice object, const char *const *names, struct slice *values, size_t n)
{
	struct json_walk walk = json_walk(object);
	struct slice key, value;

	memset(values, 0, n * sizeof(*values));
	while (json_member(&walk, &key, &value)) {
		for (size_t i = 0; i < n; i++) {
			if (!json_is(key, names[i]))
				continue;
			if (values[i].ptr)
				return -1;
			values[i] = value;
		}
	}
	return 0;
}

/* The part of rest up to the next dot, which must be there. */
static bool
next_part(struct slice *rest, struct slice *part)
{
	const char *dot = rest->len ? memchr(rest->ptr, '.', rest->len) : NULL;

	if (dot == NULL)
		return false;
	*part = (struct slice){rest->ptr, (size_t)(dot - rest->ptr)};
	*rest = (struct slice){dot + 1, rest->len - part->len - 1};
	return true;
}

/* Decodes a part that must be a JSON object. */
static bool
get_object(struct slice part, struct buf *out, struct slice *object)
{
	if (!base64url_get(out, part) || json_check(buf_slice(out), NULL) < 0)
		return false;
	*object = slice_trim(buf_slice(out));
	return json_type(*object) == JSON_OBJECT;
}

static bool
read_header(struct jwt *j, struct slice header)
{
	enum { ALG, KID, TYP, CRIT, N };
	static const char *const names[N] = {"alg", "kid", "typ", "crit"};
	struct slice values[N];
	struct buf alg = {0};

	/* What crit names we would have to understand (RFC 7515 section 4.1.11). */
	if (jwt_members(header, names, values, N) < 0 || values[CRIT].ptr)
		return false;
	if (values[ALG].ptr && json_text(values[ALG], &alg))
		j->alg = crypto_alg(buf_slice(&alg));
	buf_free(&alg);
	j->has_kid = values[KID].ptr != NULL;
	return !j->has_kid || json_text(values[KID], &j->kid);
}

int
jwt_read(struct jwt *j, struct slice token, struct err *e)
{
	struct slice rest = token, header, payload, object;

	buf_reset(&j->kid);
	buf_reset(&j->header);
	buf_reset(&j->payload);
	buf_reset(&j->signature);
	j->alg = CRYPTO_NONE;
	j->has_kid = false;
	/* The signature is what is left: no dot is base64. */
	if (token.len > JWT_SIZE || !next_part(&rest, &header) || !next_part(&rest, &payload) ||
	    !get_object(header, &j->header, &object) || !read_header(j, object) ||
	    !get_object(payload, &j->payload, &j->claims) || !base64url_get(&j->signature, rest))
		return jwt_refuse(e);
	j->signing = (struct slice){token.ptr, header.len + 1 + payload.len};
	return 0;
}

bool
jwt_verify(const struct jwt *j, const struct crypto_key *key)
{
	return crypto_verify(key, j->alg, j->signing, buf_slice(&j->signature));
}

void
jwt_free(struct jwt *j)
{
	buf_free(&j->kid);
	buf_free(&j->header);
	buf_free(&j->payload);
	buf_free(&j->signature);
	*j = (struct jwt){0};
}

int
jwt_write(struct buf *out, const struct crypto_key *key, enum crypto_alg alg, struct slice kid,
    struct slice claims, struct err *e)
{
	struct buf header = {0}, signature = {0};
	size_t from = out->len;
	int rc;

	json_open(&header, '{');
	json_add(&header, "alg", slice(crypto_alg_name(alg)));
	json_add(&header, "typ", S("JWT"));
	if (kid.ptr)
		json_add(&header, "kid", kid);
	json_close(&header, '}');
	base64url_put(out, buf_slice(&header));
	buf_addc(out, '.');
	base64url_put(out, claims);
	rc = crypto_sign(key, alg, (struct slice){out->ptr + from, out->len - from}, &signature, e);
	buf_addc(out, '.');
	base64url_put(out, buf_slice(&signature));
	if (rc == 0 && out->len - from > JWT_SIZE)
		rc = err_set(e, "too_long",
		    "a token of %zu bytes is longer than %d: grant fewer topics", out->len - from,
		    JWT_SIZE);
	if (rc < 0)
		buf_cut(out, from);
	buf_free(&header);
	buf_free(&signature);
	return rc;
}
