/*
 * facts - what signals may know of a request.
 *
 * One pass over the JSON tape of a Chat Completions body yields texts by role, counts, tool facts and the token floor
 * of signals.md §2 and §11. Texts are slices of the body where they hold no escapes, else copies in the request's
 * arena. Immutable once read. Protocols other than Chat Completions fill the same struct.
 */
#ifndef VSR_WIRE_FACTS_H
#define VSR_WIRE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"

struct arena;

enum {
    FACTS_METADATA_MAX = 32,
    FACTS_METADATA_KEY_LEN_MAX = 128,
    FACTS_METADATA_VALUE_LEN_MAX = 1024,
};

enum message_role {
    ROLE_NONE,
    ROLE_USER,
    ROLE_ASSISTANT,
    ROLE_SYSTEM,
    ROLE_DEVELOPER,
    ROLE_TOOL,
    ROLE_FUNCTION,
    ROLE_OTHER
};

struct texts {
    vsr_str *items;
    size_t n;
};

/* A message as session identity sees it (gateway.md 13.4). */
struct facts_turn {
    vsr_str role, text;
};

struct request_facts {
    vsr_str model; /* trimmed */
    bool stream;
    bool include_usage_asked; /* client sent stream_options.include_usage: true */

    vsr_str current_user;
    struct texts prior_user; /* oldest first */
    struct texts non_user;   /* system, assistant, developer, in order */
    struct texts tool_text;
    struct texts tool_names;    /* functions that assistant messages called, in order */
    vsr_str first_user;         /* first user message with text: session identity */
    struct facts_turn *opening; /* messages with text up to the first user message, which is the last of them */
    size_t n_opening;
    vsr_str eval_text;    /* current_user, or all non_user joined with one space */
    vsr_str context_text; /* non_user joined with spaces + current_user */

    uint32_t n_messages, n_user, n_assistant, n_system, n_developer, n_tool;
    uint32_t n_tool_definitions, n_assistant_tool_calls, n_tool_results, n_images;
    uint32_t open_tool_calls;
    bool has_assistant_reply;
    bool last_message_tool_result;
    bool last_user_after_tool;
    bool active_tool_loop; /* signals.md §5.4, Better */
    bool has_non_text;
    enum message_role last_role;
    vsr_str last_role_text;
    vsr_str image_ref; /* safe inline image, or empty */

    struct {
        vsr_str key, value;
    } metadata[FACTS_METADATA_MAX];
    size_t n_metadata;
    vsr_str reasoning_effort; /* raw JSON value of the client's top-level member; empty when absent */

    /* Who asks, as far as somebody trustworthy said so: facts_set_identity(). Never from the body. */
    vsr_str user_id; /* empty: nobody said */
    struct texts user_groups;

    /* Envelope floor (signals.md §11.2). */
    uint64_t text_bytes, structured_bytes, framing_tokens, output_reserve, image_tokens;
    uint64_t token_floor;       /* with the reserve */
    uint64_t token_floor_input; /* without it */
};

/* Whether anything besides text could make a decision match: metadata, counts, images, tools. */
bool facts_has_envelope(const struct request_facts *facts);

struct facts_options {
    double structured_bytes_per_token; /* >= 1; 0: 3.0 */
    bool model_optional;               /* dry runs may leave `model` out; facts->model is then empty */
};

/*
 * Reads a Chat Completions request. Fails with VSR_E_INVALID and a message for the client (`messages field is
 * required`, ...; err->where is the JSON path, "" for the whole body). The members that decide the route must not occur
 * twice; others may. Everything lives in `arena` or borrows the tape's text.
 */
int facts_read_chat(struct arena *arena, const struct json_doc *doc, const struct facts_options *options,
                    struct request_facts *ret_facts, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Says who asks. `groups` is a comma list; blanks around its entries do not count, empty entries neither. Keeps both
 * texts. Fails with VSR_E_NOMEM.
 */
int facts_set_identity(struct arena *arena, struct request_facts *facts, vsr_str user_id, vsr_str groups,
                       struct vsr_err *err) VSR_MUST_CHECK;

#endif
