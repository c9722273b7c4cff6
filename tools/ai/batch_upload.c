/*
 * Google's resumable uploads, in one piece: the API gives the address that the
 * content then goes to.
 */
#include "tools/ai/batch_part.h"

#include "common/json.h"

/* Whether two URLs name the same scheme, host and port. */
static bool
same_host(struct slice a, const char *base)
{
	const char *host = strstr(base, "://"), *end;
	size_t len;

	if (host == NULL)
		return false;
	end = strchr(host + 3, '/');
	len = end ? (size_t)(end - base) : strlen(base);
	return a.len > len && memcmp(a.ptr, base, len) == 0 && a.ptr[len] == '/';
}

/* Begins an upload: its address into b->url. */
static int
upload_start(struct batches *b, const struct batch *batch, size_t size, struct failure *f)
{
	struct buf to = {0}, length = {0}, body = {0};
	struct answer a = {0};
	struct slice headers[4] = {S("X-Goog-Upload-Protocol: resumable"),
	    S("X-Goog-Upload-Command: start"),
	    S("X-Goog-Upload-Header-Content-Type: application/jsonl")};
	struct call call = {.method = "POST", .headers = headers, .nheaders = 4};
	struct http_reply reply = {0};
	struct slice where;
	int rc;

	buf_addf(&to, "%s/upload/v1beta/files", batch->endpoint->base);
	buf_addf(&length, "X-Goog-Upload-Header-Content-Length: %zu", size);
	headers[3] = buf_slice(&length);
	json_open(&body, '{');
	json_name(&body, "file");
	json_open(&body, '{');
	json_add(&body, "display_name", slice(batch->name));
	json_close(&body, '}');
	json_close(&body, '}');
	call.url = to.ptr;
	call.body = buf_slice(&body);
	call.any = true;
	rc = batch_call(b, batch, &call, &a, f);
	if (rc == 0) {
		reply.headers = buf_slice(&a.headers);
		where = http_header(&reply, "x-goog-upload-url");
		buf_reset(&b->url);
		buf_addslice(&b->url, where);
		/* What people wrote goes to the API's own host alone. */
		if (where.ptr == NULL || !same_host(where, batch->endpoint->base))
			rc = batch_bad(f, "address of its own host to upload to");
	}
	buf_free(&to);
	buf_free(&length);
	buf_free(&body);
	answer_free(&a);
	return rc;
}

int
batch_upload(struct batches *b, struct batch *batch, struct slice content, struct failure *f)
{
	static const struct slice headers[] = {
	    {"X-Goog-Upload-Offset: 0", 23}, {"X-Goog-Upload-Command: upload, finalize", 39}};
	struct call call = {.method = "POST", .headers = headers, .nheaders = 2,
	    .type = "application/jsonl", .body = content, .no_key = true};
	struct answer a = {0};
	struct slice file, name = {0};
	int rc = upload_start(b, batch, content.len, f);

	if (rc != 0)
		return rc;
	call.url = b->url.ptr;
	rc = batch_call(b, batch, &call, &a, f);
	if (rc == 0) {
		if (json_get(buf_slice(&a.body), "file", &file))
			name = batch_text(b, file, "name");
		if (batch_word(name))
			state_file(&b->state, batch, name);
		else
			rc = batch_bad(f, "'name' of a file");
	}
	answer_free(&a);
	return rc;
}
