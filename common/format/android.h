/*
 * android: string resources, res/values-fr/strings.xml.
 *
 * A <string> is a message; so is a <plurals>, over the number n; so is each
 * item of a <string-array>, under the key "name[0]". A string that another
 * one of that name shadows on some products has the key "name#tablet".
 * <xliff:g id="user">%1$s</xliff:g> names an argument: where all are named the
 * message is ICU, "Hello {user}", else printf. What translatable="false" or a
 * reference (@string/x) is, is fixed. States stand in comments (mark.h).
 * Sources: developer.android.com, "String resources"; aapt2, ResourceUtils.cpp
 * and ResourceParser.cpp, for white space, quotes and escapes.
 */
#ifndef KANDIL_FORMAT_ANDROID_H
#define KANDIL_FORMAT_ANDROID_H

#include "common/format/catalog.h"

/* The functions of struct catalog_kind. */
int android_parse(struct catalog *, struct err *e);
int android_merge(const struct catalog *old, const struct catalog_merge *, struct buf *out,
    struct err *e);
int android_say(const struct catalog_change *, struct slice text, struct slice locale,
    struct buf *out, struct err *e);
void android_skeleton(struct slice locale, struct slice source_locale, struct buf *out);

/* Whether aapt2 takes the name: NULL, or what is wrong with it. */
const char *android_name_fault(struct slice name);

#endif
