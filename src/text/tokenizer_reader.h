/*
 * tokenizer_reader - a tokenizer.json while it is read: its values, and the tokenizer that is made from them.
 *
 * One file reads each component: tokenizer_json_normalizer.c, _splitter.c (pre_tokenizer), _model.c, _added.c
 * (added_tokens) and _template.c (post_processor). tokenizer_json.c calls them in the order in which they need each
 * other. To add a type of a component, add it to the table at the end of that file.
 *
 * Functions that may fail return a negative code and say in `err` which component is at fault: `what` is its name.
 * Belongs to the one call that reads; one thread.
 */
#ifndef VSR_TEXT_TOKENIZER_READER_H
#define VSR_TEXT_TOKENIZER_READER_H

#include "core/json.h"
#include "text/tokenizer_engine.h"

enum { READER_NEST_MAX = 8 }; /* Sequences within Sequences: bounds the recursion */

struct tokenizer_reader {
    struct arena *arena; /* of the tokenizer */
    struct arena *own;   /* until it is read */
    struct json_doc doc;
    struct tokenizer *t;
    struct vsr_err *err;
    uint64_t *special; /* bit per id: of tokens that no text may become */
    size_t n_special;
    uint64_t key; /* hash of the file */
    bool has_template;
};

/* ---- values */

/* A string; empty when `ref` is none. Lives in `own`, or in the file. */
vsr_str reader_text(struct tokenizer_reader *r, json_ref ref);
/* Value of a member; JSON_NONE also for null. */
json_ref reader_get(const struct tokenizer_reader *r, json_ref object, const char *key);

/* The following set the error and return its code when the value is not what it should be. */
int reader_bool(struct tokenizer_reader *r, json_ref object, const char *what, const char *key, bool fallback,
                bool *ret);
/* Copies the string into the tokenizer's arena. */
int reader_string(struct tokenizer_reader *r, json_ref object, const char *what, const char *key, vsr_str *ret);
int reader_array(struct tokenizer_reader *r, json_ref object, const char *what, const char *key, json_ref *ret);
int reader_id(struct tokenizer_reader *r, json_ref ref, const char *what, uint32_t *ret);
/* The `type` of a component. */
int reader_type(struct tokenizer_reader *r, json_ref object, const char *what, vsr_str *ret);
/* A `pattern`: {"String": "..."} or {"Regex": "..."}. */
int reader_pattern(struct tokenizer_reader *r, json_ref object, const char *what, const struct token_pattern **ret);
/* All keys of `object` are among the space-separated `known`. */
int reader_check_keys(struct tokenizer_reader *r, json_ref object, const char *what, const char *known);

/* Errors: "<what> <problem>". */
int reader_invalid(struct tokenizer_reader *r, const char *what, const char *problem);
int reader_unknown_type(struct tokenizer_reader *r, const char *what, vsr_str type);

/* ---- components, in the order in which they are read */

int reader_read_normalizer(struct tokenizer_reader *r);
int reader_read_splitter(struct tokenizer_reader *r);
/* Of the model: the strings and their ids, and the scores of Unigram. */
int reader_read_vocabulary(struct tokenizer_reader *r);
int reader_read_added(struct tokenizer_reader *r);
/* Also marks the tokens of the template as special. */
int reader_read_template(struct tokenizer_reader *r);
/* Fills `special`: ids of special tokens, also where the model's vocabulary has their strings under another id. */
void reader_collect_special(struct tokenizer_reader *r);
int reader_read_model(struct tokenizer_reader *r);
/* From here on added tokens count where tokens are looked up by their text or by their id. */
void reader_enter_added(struct tokenizer_reader *r);
/* Every token of the template has a string. */
int reader_check_template(struct tokenizer_reader *r);

bool reader_is_special(const struct tokenizer_reader *r, uint32_t id);

#endif
