/*
 * message_check: adding faults. Private to message_*.c.
 */
#ifndef KANDIL_MESSAGE_CHECK_H
#define KANDIL_MESSAGE_CHECK_H

#include "common/message.h"

enum { MESSAGE_FAULTS_MAX = 50 };

/* The same fault of the same subject is said once. */
void message_fault(struct message_faults *, struct arena *, enum message_fault_kind, bool warning,
    size_t at, struct slice subject, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

#endif
