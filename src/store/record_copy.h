/*
 * record_copy - copies of records, and what becomes of one that nobody works on any more.
 */
#ifndef VSR_STORE_RECORD_COPY_H
#define VSR_STORE_RECORD_COPY_H

#include "store/event_log.h"
#include "store/response_store.h"

struct arena;

/* Bytes of all its strings. */
size_t record_len(const struct response_record *record);
/* Copies the strings, one after the other, to `at`, which has room for record_len() bytes. */
void record_copy_to(char *at, const struct response_record *record, struct response_record *ret_record);
/* The same into an arena. VSR_E_NOMEM. */
int record_copy(struct arena *arena, const struct response_record *record, struct response_record *ret_record);

size_t event_len(const struct event_record *event);
int event_copy(struct arena *arena, const struct event_record *event, struct event_record *ret_event);

/* VSR_E_INVALID or VSR_E_LIMIT where no place could keep it. */
int record_check(const struct response_record *record, struct vsr_err *err);
int event_id_check(vsr_str id, struct vsr_err *err);

/*
 * The object of a response that was under way when its process ended: status `failed` and an error that says so.
 * Where the object cannot be read it stays as it is. The result lives in `arena`.
 */
vsr_str record_failed_object(struct arena *arena, vsr_str object_json);

#endif
