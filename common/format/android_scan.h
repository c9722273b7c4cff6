/*
 * android_scan: where everything stands in a strings.xml, for reading it and
 * for splicing it.
 */
#ifndef KANDIL_FORMAT_ANDROID_SCAN_H
#define KANDIL_FORMAT_ANDROID_SCAN_H

#include "common/format/catalog.h"

/* Offsets [start, end) here are those of the text that was scanned. */
struct android_item {
	struct slice quantity; /* of <plurals>; else ptr NULL */
	struct catalog_span span, content;
	struct slice text;   /* decoded: printf, or any text */
	struct slice *names; /* as android_text has them, or NULL */
	size_t nnames;
	const char *fault;
	bool reference;
	struct catalog_span mark; /* of an array's item: the comment that is its mark */
	struct slice mark_text;
	size_t line, column;
};

enum android_type { ANDROID_STRING, ANDROID_PLURALS, ANDROID_ARRAY };

struct android_resource {
	enum android_type type;
	struct slice name, product;
	bool fixed, formatted; /* translatable, formatted are not "false" */
	struct catalog_span span, content;
	struct catalog_span mark; /* the comment that is its mark; end 0: none */
	struct slice mark_text, comment; /* between the delimiters; len 0: none */
	struct android_item *items;      /* a string has one */
	size_t n, cap;
	size_t line, column;
};

struct android_file {
	struct android_resource *v;
	size_t n, cap;
	size_t root_name; /* the offset behind "<resources" */
	struct catalog_span content;
	bool hollow;   /* <resources/> */
	bool has_xliff; /* the prefix xliff is declared */
	struct arena arena;
};

/* 0, or -1 with e: those of xml.h, "bad_catalog", "bad_charset". To be freed. */
int android_scan(struct slice text, struct android_file *, struct err *e);
void android_scan_free(struct android_file *);

/* The key of a resource, or of its item i where it is an array; the arena's. */
struct slice android_key(const struct android_resource *, size_t i, struct arena *);

#endif
