#include "tools/collab/claims.h"

#include "common/glob.h"
#include "common/json.h"
#include "common/mem.h"
#include "tools/collab/jwt.h"

#include <math.h>
#include <stdlib.h>

/* 9999-12-31T23:59:59Z: later is as good as that, and seconds beyond do not fit. */
static const double LATEST = 253402300799.0;

/* One block holds all of it. */
static struct claims
pack(const struct claims *c)
{
	size_t role = strlen(c->role) + 1, sub = strlen(c->sub) + 1, name = strlen(c->name) + 1;
	char *memory = xmalloc(role + sub + name + c->read.len + c->write.len), *at = memory;
	struct claims out = *c;

	out.memory = memory;
	out.role = memcpy(at, c->role, role);
	out.sub = memcpy(at += role, c->sub, sub);
	out.name = memcpy(at += sub, c->name, name);
	at += name;
	if (c->read.len)
		memcpy(at, c->read.ptr, c->read.len);
	out.read.ptr = at;
	at += c->read.len;
	if (c->write.len)
		memcpy(at, c->write.ptr, c->write.len);
	out.write.ptr = at;
	return out;
}

struct claims
claims_copy(const struct claims *c)
{
	return pack(c);
}

void
claims_free(struct claims *c)
{
	free(c->memory);
	*c = (struct claims){0};
}

bool
claims_may(const struct claims *c, struct slice topic, bool write)
{
	struct slice rest = write ? c->write : c->read;

	if (strcmp(c->role, "service_role") == 0)
		return true;
	while (rest.len) {
		struct slice pattern = {rest.ptr, strlen(rest.ptr)};

		if (glob_match(pattern, topic))
			return true;
		rest.ptr += pattern.len + 1;
		rest.len -= pattern.len + 1;
	}
	return false;
}

struct claims
claims_static(struct slice name, struct slice role, struct slice read, struct slice write)
{
	struct buf names = {0};
	struct claims c = {.sub = "", .read = read, .write = write}, packed;

	buf_addslice(&names, name);
	buf_addc(&names, '\0');
	buf_addslice(&names, role);
	c.name = names.ptr;
	c.role = names.ptr + name.len + 1;
	packed = pack(&c);
	buf_free(&names);
	return packed;
}

/* A NumericDate (RFC 7519 section 2) in ms; false when it is none. */
static bool
get_time(struct slice value, int64_t *ms)
{
	double seconds;

	if (!json_double(value, &seconds) || !isfinite(seconds))
		return false;
	seconds = seconds > LATEST ? LATEST : seconds < -LATEST ? -LATEST : seconds;
	*ms = (int64_t)(seconds * 1000);
	return true;
}

/* A string without a NUL in it. */
static bool
get_name(struct slice value, struct buf *out)
{
	return json_text(value, out) && memchr(buf_slice(out).ptr, '\0', out->len) == NULL;
}

/* The strings of an array, a NUL behind each. What is no such thing grants nothing. */
static void
get_grants(struct slice list, struct buf *out)
{
	struct json_walk walk = json_walk(list);
	struct buf pattern = {0};
	struct slice value;

	while (json_element(&walk, &value)) {
		buf_reset(&pattern);
		if (!get_name(value, &pattern) || !pattern.len)
			continue;
		buf_addslice(out, buf_slice(&pattern));
		buf_addc(out, '\0');
	}
	buf_free(&pattern);
}

enum { EXP, ROLE, IAT, NBF, SUB, KANDIL, N };

static bool
there(struct slice value)
{
	return value.ptr && json_type(value) != JSON_NULL;
}

/* In the order of the protocol's server. Sets exp when it is past, or when all is well. */
static int
check_times(struct claims *out, const struct slice *values, int64_t now, struct err *e)
{
	static const char needed[] = "Fields `role` and `exp` are required in JWT";
	int64_t exp, nbf = INT64_MIN;

	if (!there(values[EXP]) || !get_time(values[EXP], &exp))
		return err_set(e, "no_claims", "%s", needed);
	if (exp <= now) {
		out->exp = exp;
		return err_set(e, "token_expired", "Token has expired");
	}
	if ((there(values[IAT]) && !get_time(values[IAT], &out->iat)) ||
	    (there(values[NBF]) && !get_time(values[NBF], &nbf)))
		return jwt_refuse(e);
	if (nbf > now + CLAIMS_LEEWAY_MS)
		return err_set(e, "not_yet", "Token is not valid yet");
	if (!there(values[ROLE]) || json_type(values[ROLE]) != JSON_STRING)
		return err_set(e, "no_claims", "%s", needed);
	out->exp = exp;
	return 0;
}

static int
check_names(const struct slice *values, struct buf *role, struct buf *sub, struct err *e)
{
	if (!get_name(values[ROLE], role) || (there(values[SUB]) && !get_name(values[SUB], sub)))
		return jwt_refuse(e);
	if (role->len == 0)
		return err_set(e, "no_claims", "Fields `role` and `exp` are required in JWT");
	return 0;
}

int
claims_read(struct claims *out, struct slice payload, int64_t now_ms, struct err *e)
{
	static const char *const names[N] = {"exp", "role", "iat", "nbf", "sub", "kandil"};
	static const char *const kinds[] = {"read", "write"};
	struct slice values[N], grants[2] = {{NULL, 0}, {NULL, 0}};
	struct buf role = {0}, sub = {0}, read = {0}, write = {0};
	struct claims c = {0};
	int rc = -1;

	*out = c;
	if (jwt_members(payload, names, values, N) < 0 ||
	    (there(values[KANDIL]) && jwt_members(values[KANDIL], kinds, grants, 2) < 0))
		return jwt_refuse(e);
	if (check_times(&c, values, now_ms, e) < 0) {
		out->exp = c.exp;
		return -1;
	}
	if (check_names(values, &role, &sub, e) == 0) {
		if (grants[0].ptr)
			get_grants(grants[0], &read);
		if (grants[1].ptr)
			get_grants(grants[1], &write);
		c.role = role.ptr;
		c.sub = sub.len ? sub.ptr : "";
		c.name = sub.len ? sub.ptr : role.ptr;
		c.read = buf_slice(&read);
		c.write = buf_slice(&write);
		*out = pack(&c);
		rc = 0;
	}
	buf_free(&role);
	buf_free(&sub);
	buf_free(&read);
	buf_free(&write);
	return rc;
}
