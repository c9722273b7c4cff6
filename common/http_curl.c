/*
 * libcurl, loaded when the first request is to be made.
 *
 * Linked, it brings thirty libraries that take 7 ms to load: a run that asks
 * nothing (a full cache, texts that memory has, --help) would pay for them each
 * time. So its functions are here, and hand on to the library's own. Its first
 * is curl_global_init(): only that loads, and says by its result that libcurl
 * is not there. The others are called after it only.
 */
#define CURL_DISABLE_TYPECHECK
#include "common/http_part.h"

#include <dlfcn.h>
#include <stdarg.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

/* The name of the ABI that curl.h declares; it has not changed since 7.16. */
#define LIBRARY "libcurl.so.4"

#define FUNCTIONS(X) \
	X(curl_global_init) \
	X(curl_global_cleanup) \
	X(curl_easy_init) \
	X(curl_easy_cleanup) \
	X(curl_easy_setopt) \
	X(curl_easy_getinfo) \
	X(curl_easy_strerror) \
	X(curl_multi_init) \
	X(curl_multi_cleanup) \
	X(curl_multi_setopt) \
	X(curl_multi_add_handle) \
	X(curl_multi_remove_handle) \
	X(curl_multi_info_read) \
	X(curl_multi_socket_action)

#define MEMBER(name) __typeof__(name) *(name);
static struct {
	FUNCTIONS(MEMBER)
	void *library;
} real;

static bool
load(void)
{
	/* Bound lazily, as if it were linked: 0.6 ms less. */
	void *library = real.library ? real.library : dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	bool whole = library != NULL;

	/* POSIX has a function's address come as an object's. */
#define FIND(name) \
	if (whole) \
		*(void **)&real.name = dlsym(library, #name); \
	whole = whole && real.name;
	FUNCTIONS(FIND)
	real.library = library;
	return whole;
}

CURLcode
curl_global_init(long flags)
{
	return load() ? real.curl_global_init(flags) : CURLE_FAILED_INIT;
}

/* The library stays loaded: what it has registered with others may still be called. */
void
curl_global_cleanup(void)
{
	real.curl_global_cleanup();
}

/* ---- one transfer ---- */

CURL *
curl_easy_init(void)
{
	return real.curl_easy_init();
}

void
curl_easy_cleanup(CURL *easy)
{
	real.curl_easy_cleanup(easy);
}

/* The number of an option says which type its value has. */
CURLcode
curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	va_list list;
	CURLcode result;

	va_start(list, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		result = real.curl_easy_setopt(easy, option, va_arg(list, long));
	else if (option < CURLOPTTYPE_OFF_T || option >= CURLOPTTYPE_BLOB)
		result = real.curl_easy_setopt(easy, option, va_arg(list, void *));
	else
		result = real.curl_easy_setopt(easy, option, va_arg(list, curl_off_t));
	va_end(list);
	return result;
}

CURLcode
curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list list;

	va_start(list, info);
	CURLcode result = real.curl_easy_getinfo(easy, info, va_arg(list, void *));
	va_end(list);
	return result;
}

const char *
curl_easy_strerror(CURLcode code)
{
	return real.curl_easy_strerror(code);
}

/* ---- many ---- */

CURLM *
curl_multi_init(void)
{
	return real.curl_multi_init();
}

CURLMcode
curl_multi_cleanup(CURLM *multi)
{
	return real.curl_multi_cleanup(multi);
}

CURLMcode
curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
	va_list list;
	CURLMcode result;

	va_start(list, option);
	if ((int)option < CURLOPTTYPE_OBJECTPOINT)
		result = real.curl_multi_setopt(multi, option, va_arg(list, long));
	else
		result = real.curl_multi_setopt(multi, option, va_arg(list, void *));
	va_end(list);
	return result;
}

CURLMcode
curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	return real.curl_multi_add_handle(multi, easy);
}

CURLMcode
curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
	return real.curl_multi_remove_handle(multi, easy);
}

CURLMsg *
curl_multi_info_read(CURLM *multi, int *left)
{
	return real.curl_multi_info_read(multi, left);
}

CURLMcode
curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int what, int *running)
{
	return real.curl_multi_socket_action(multi, fd, what, running);
}
