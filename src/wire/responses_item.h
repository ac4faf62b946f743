/*
 * responses_item - an item of a response's output, while an answer fills it. Private to the encoder.
 *
 * It keeps all its texts, because the events at its end and the object that is stored repeat them.
 */
#ifndef VSR_WIRE_RESPONSES_ITEM_H
#define VSR_WIRE_RESPONSES_ITEM_H

#include "core/buf.h"
#include "core/json_write.h"

enum responses_item_kind {
    RESPONSES_ITEM_REASONING,
    RESPONSES_ITEM_MESSAGE,
    RESPONSES_ITEM_TOOL,
    RESPONSES_ITEM_IMAGE,
    RESPONSES_ITEM_FOREIGN, /* of a backend of this protocol, as it came */
};

enum { RESPONSES_ITEM_EXTRA_LEN_MAX = 8 << 20 }; /* of each of its lists */

struct responses_item {
    enum responses_item_kind kind;
    bool open;
    bool cut;       /* was open when the answer ended early */
    size_t place;   /* output_index */
    uint32_t index; /* of the delta: which call, which block */
    vsr_str id;
    struct buf text;     /* of the message, the reasoning, the arguments; the image; raw JSON of a foreign item */
    struct buf refusal;  /* of a message */
    struct buf summary;  /* of reasoning */
    struct buf list;     /* annotations of a message, joined by commas */
    struct buf logprobs; /* the same */
    struct buf sealed;   /* of reasoning: what the backend wants back */
    size_t n_list;
    bool has_text, has_refusal, has_summary; /* the part was opened */
    vsr_str call_id, name;
};

/* Open and empty. Keeps `id`. Texts longer than `text_len_max` do not fit. Free with responses_item_free(). */
struct responses_item *responses_item_new(enum responses_item_kind kind, size_t place, vsr_str id, size_t text_len_max);
void responses_item_free(struct responses_item *item);

/* The object: as it begins, empty and in progress, or with all that is in it. */
void responses_item_write(struct json_writer *w, const struct responses_item *item, bool done);

/* The text part of a message, empty or with all that is in it. */
void responses_item_write_text_part(struct json_writer *w, const struct responses_item *item, bool done);
/* A part of any other type: `{"type": type, key: text}`. */
void responses_item_write_part(struct json_writer *w, const char *type, const char *key, vsr_str text);
/* A member of raw elements that are joined by commas. */
void responses_item_write_list(struct json_writer *w, const char *name, const struct buf *elements);

#endif
