#include "tools/ai/fetch.h"

#include "common/http.h"
#include "common/json.h"

struct fetched {
	struct buf *out;
	struct err *e;
	bool done, fine;
};

static void
take(struct http_call *call, const struct http_reply *reply, void *state)
{
	struct fetched *f = state;

	(void)call;
	f->done = true;
	f->fine = reply->fault == HTTP_DONE && reply->status / 100 == 2 &&
		  json_check(reply->body, NULL) == 0;
	if (f->fine)
		buf_addslice(f->out, reply->body);
	else if (reply->fault != HTTP_DONE)
		err_set(f->e, http_code(reply->fault), "%s", reply->text);
	else if (reply->status == 401 || reply->status == 403)
		err_set(f->e, "authentication", "the server answers with status %d", reply->status);
	else if (reply->status == 404 || reply->status == 405)
		err_set(f->e, "no_model", "the server has no such page");
	else
		err_set(f->e, "bad_reply", "the server answers with status %d%s", reply->status,
		    reply->status / 100 == 2 ? ", and no JSON" : "");
}

bool
fetch_json(
    const char *url, const struct slice *headers, size_t nheaders, long timeout_ms, struct buf *out,
    struct err *e)
{
	struct fetched f = {.out = out, .e = e};
	struct http_settings settings = {.connect_ms = timeout_ms, .connections = 1};
	struct http_request request = {.method = "GET",
	    .url = url,
	    .headers = headers,
	    .nheaders = nheaders,
	    .max_reply = FETCH_MAX,
	    .total_ms = timeout_ms,
	    .done = take,
	    .state = &f};
	struct http *http = http_open(&settings, e);

	if (http == NULL)
		return false;
	if (http_start(http, &request, e))
		while (!f.done && http_wait(http, timeout_ms, NULL, 0) >= 0)
			;
	http_close(http);
	return f.fine;
}
