/*
 * backend_record - the last request that a backend got, for tests to look at. Any thread.
 */
#ifndef VSR_CLI_BACKEND_RECORD_H
#define VSR_CLI_BACKEND_RECORD_H

#include "core/str.h"
#include "net/http1.h"

struct backend_record;
struct buf;

/* Free with backend_record_free(). */
struct backend_record *backend_record_new(void);
void backend_record_free(struct backend_record *record);

/* Copies the request over the one before it. One lock and a few copies. */
void backend_record_put(struct backend_record *record, vsr_str listener, const struct http1_head *head, vsr_str body);

/* Appends `{"listener","method","target","headers":[[name,value],...],"body":"..."}`, or `null` when there was none. */
void backend_record_json(struct backend_record *record, struct buf *out);

#endif
