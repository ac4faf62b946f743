/*
 * responses_stream - the events of a Responses stream about items and the response (gateway.md 6.4). Private to the
 * encoder, which decides when each is due; nothing is written for answers that are told whole.
 */
#ifndef VSR_WIRE_RESPONSES_STREAM_H
#define VSR_WIRE_RESPONSES_STREAM_H

#include "core/json_write.h"
#include "wire/responses_events.h"

struct buf;
struct responses_item;

enum { RESPONSES_STREAM_NO_PART = -1 }; /* content index of what is in no part of an item */

struct responses_stream {
    struct buf *out; /* NULL: the answer is told whole */
    struct json_writer w;
    int64_t sequence; /* of the next event */
};

/* About the response; `object` is what it is now. */
void responses_stream_response(struct responses_stream *s, enum responses_event event, vsr_str object);

/* About an item: what it was when it began, or (`done`) what it is. */
void responses_stream_item(struct responses_stream *s, enum responses_event event, const struct responses_item *item,
                           bool done);

/* A part of type `output_text`, `refusal` or `reasoning_text` begins, empty, or is done. */
void responses_stream_part(struct responses_stream *s, enum responses_event event, const struct responses_item *item,
                           const char *type, bool done);
void responses_stream_summary_part(struct responses_stream *s, enum responses_event event,
                                   const struct responses_item *item, vsr_str text);

/* A piece of text (`key` is "delta"), or all of it ("text", "refusal"). */
void responses_stream_text(struct responses_stream *s, enum responses_event event, const struct responses_item *item,
                           int content_index, const char *key, vsr_str text);

/* Content index of a refusal: behind the text, where there is one. */
int responses_stream_refusal_index(const struct responses_item *item);

/* The annotation that the item has at n_list, and the picture that it now has. */
void responses_stream_annotation(struct responses_stream *s, const struct responses_item *item, vsr_str raw);
void responses_stream_image(struct responses_stream *s, const struct responses_item *item);

/* All events at the end of an item: of the parts that it has, and its own. */
void responses_stream_done(struct responses_stream *s, const struct responses_item *item);

#endif
