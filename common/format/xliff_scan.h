/*
 * xliff_scan: where everything stands in an XLIFF file, for reading it and for
 * splicing it.
 */
#ifndef KANDIL_FORMAT_XLIFF_SCAN_H
#define KANDIL_FORMAT_XLIFF_SCAN_H

#include "common/format/catalog.h"

/* An inline code of a source: what it says in the message, and its element. */
struct xliff_code {
	struct slice text; /* its original data, or where there is none the tag itself */
	struct slice raw;  /* the tag as it stands; </pc> for the second half of a pair */
	bool alone;	   /* <ph …/>: may be repeated under another id */
};

/* Offsets [start, end) here are those of the text that was scanned. */
struct xliff_side {
	struct catalog_span span, content; /* of <source>, <target>; end 0: there is none */
	struct slice text;		   /* as the message has it */
};

struct xliff_segment {
	bool ignorable;
	struct catalog_span span, tag;
	struct slice id, state, substate; /* ptr NULL: not said */
	struct xliff_side source, target;
};

struct xliff_unit {
	struct slice id, name, type; /* name, type: ptr NULL where there is none */
	struct slice file_id;
	bool fixed; /* translate="no" */
	struct catalog_span span, tag, data;
	struct xliff_segment *segments;
	size_t n, cap;
	struct xliff_code *codes; /* of its sources, in order */
	size_t ncodes, codes_cap;
	struct slice notes, context;
	size_t line, column;
};

/* What is wrong: rule and place. */
struct xliff_fault {
	const char *rule;
	struct catalog_span span;
	size_t unit; /* SIZE_MAX: none */
	char text[120];
};

struct xliff_file {
	struct xliff_unit *v;
	size_t n, cap;
	struct xliff_fault *faults;
	size_t nfaults, faults_cap;
	struct slice source_locale, target_locale; /* len 0: not said */
	struct catalog_span root;		   /* the tag <xliff …> */
	struct catalog_span file;		   /* the content of the last <file> */
	struct catalog_span file_tag;
	struct arena arena;
};

/* 0, or -1 with e: those of xml.h, "bad_catalog", "bad_charset". To be freed. */
int xliff_scan(struct slice text, struct xliff_file *, struct err *e);
void xliff_scan_free(struct xliff_file *);

#endif
