/*
 * backend_dialect - the protocols that the stand-in model speaks, as a family.
 *
 * A dialect reads its form of a question, refusing what the real provider refuses, and writes the answer: whole, or an
 * event for each step. To add one: a file that defines its table here, a line for its path in backend_request.c, a
 * test.
 */
#ifndef VSR_CLI_BACKEND_DIALECT_H
#define VSR_CLI_BACKEND_DIALECT_H

#include "cli/backend_answer.h"
#include "cli/backend_question.h"
#include "core/err.h"
#include "core/str.h"

struct arena;
struct buf;
struct http1_head;

/* Why a question is not answered. */
struct backend_refusal {
    int status;
    const char *type; /* in the dialect's words; NULL: by status */
    const char *code; /* NULL: none */
    vsr_str param;    /* empty: none */
    vsr_str message;  /* in the request's arena */
};

struct backend_dialect {
    /* Reads the request; `ret_question` lives in `arena` and borrows `body`. False: refused. */
    bool (*read)(struct arena *arena, const struct http1_head *head, vsr_str body,
                 struct backend_question *ret_question, struct backend_refusal *ret_refusal);
    /* Appends the whole answer. */
    void (*whole)(struct arena *arena, struct backend_answer *answer, struct buf *out);
    /* Appends what the stream says at this step, which may be nothing, one event or several. */
    void (*event)(struct arena *arena, struct backend_answer *answer, const struct backend_step *step, struct buf *out);
    /* Appends the body of an error. */
    void (*error)(const struct backend_refusal *refusal, uint64_t id, struct buf *out);
    int overloaded;   /* status with which the provider says so */
    bool no_thoughts; /* there is no place for them */
    bool redacts;     /* there is a place for redacted ones */
};

extern const struct backend_dialect backend_chat, backend_completions, backend_messages, backend_responses;

/* ---- for the dialects */

/* Writes the refusal; returns false. */
bool backend_refuse(struct backend_refusal *ret_refusal, int status, const char *type, vsr_str message);
/* Parses the body, which has to be an object. */
bool backend_parse(struct arena *arena, vsr_str body, struct json_doc *ret_doc, struct backend_refusal *ret_refusal);

/* Members of an object; false, 0 or an empty text where they are absent or of another type. */
bool backend_flag(const struct json_doc *doc, json_ref object, const char *key);
uint64_t backend_count(const struct json_doc *doc, json_ref object, const char *key);
vsr_str backend_text(struct arena *arena, const struct json_doc *doc, json_ref object, const char *key);
bool backend_is(const struct json_doc *doc, json_ref object, const char *key, const char *value);
/* Adds a tool; more than BACKEND_TOOLS_MAX are left out. */
void backend_add_tool(struct backend_question *question, vsr_str name, json_ref schema);

/* An error as OpenAI's endpoints write it. */
void backend_openai_error(const struct backend_refusal *refusal, uint64_t id, struct buf *out);

#endif
