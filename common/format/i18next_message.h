/*
 * i18next_message: what is put in as i18next has it, {{name}} and {{n, number}},
 * and as ICU has it.
 */
#ifndef KANDIL_FORMAT_I18NEXT_MESSAGE_H
#define KANDIL_FORMAT_I18NEXT_MESSAGE_H

#include "common/format/forms.h"

/*
 * Splits a message (format: as in records) into the texts of i18next's keys: a
 * plural's number becomes {{count}}, an argument of printf {{arg1}}. -1 with e as
 * forms_split; also where another placeholder is called count, and for styles
 * that Intl has no words for.
 */
int i18next_split(struct slice text, const char *format, struct slice locale, struct arena *,
    struct forms *, struct err *e);
/*
 * Appends the texts of a family (number is count) as one ICU message. False
 * where ICU cannot say it: $t(), {{- name}}, {{a.b}}, a format of one's own.
 */
bool i18next_join(const struct forms *, struct slice locale, struct buf *out);

#endif
