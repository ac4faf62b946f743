/* lsp_context - what could be written at a place. */
#include "dsl/lsp_walk.h"

static bool is_in_partition(const struct lsp_walk *walk, const struct lsp_frame *frame) {
    const struct lsp_frame *program = &walk->frames[0];
    for (size_t i = 0; i < walk->n; i++)
        if (walk->frames[i].kind == LSP_FRAME_PROGRAM)
            program = &walk->frames[i];
    return lsp_is_word(frame->decl, "PROJECTION") && str_eq_c(lsp_frame_word(program, 0), "partition");
}

static bool names_models(vsr_str key) {
    return str_eq_c(key, "model") || str_eq_c(key, "models") || str_ends(key, VSR_STR("_model")) ||
           str_ends(key, VSR_STR("_models"));
}

static void role_of_value(const struct lsp_walk *walk, const struct lsp_frame *frame, struct lsp_context *ret) {
    vsr_str key = frame->key ? frame->key->text : VSR_STR("");
    ret->role = ROLE_VALUE;
    ret->field = frame->field;
    if (lsp_is_word(frame->decl, "ENTRYPOINT") && str_eq_c(key, "recipe")) {
        ret->role = ROLE_RECIPE;
    } else if (is_in_partition(walk, frame) && (str_eq_c(key, "members") || str_eq_c(key, "default"))) {
        ret->role = ROLE_SIGNAL;
    } else if (lsp_is_word(frame->decl, "PROJECTION") && str_eq_c(key, "source")) {
        ret->role = ROLE_SCORE;
    } else if (str_eq_c(key, "name") && frame->type.len > 0 &&
               (str_eq_c(frame->type, "projection") || language_block(walk->language, LANGUAGE_SIGNALS, frame->type))) {
        ret->role = ROLE_SIGNAL;
        ret->type = frame->type;
    } else if (frame->field && !frame->field->field->choices && names_models(key)) {
        ret->role = ROLE_MODEL;
    }
}

static void role_in_program(const struct lsp_frame *frame, struct lsp_context *ret) {
    const struct token *head = frame->head;
    size_t n = frame->n_words;
    if (!head)
        ret->role = ROLE_DECLARATION;
    else if (lsp_is_word(head, "SIGNAL"))
        ret->role = n == 0 ? ROLE_SIGNAL_TYPE : n == 1 ? ROLE_NAME : ROLE_NONE;
    else if (lsp_is_word(head, "PROJECTION"))
        ret->role = n == 0 ? ROLE_PROJECTION : n == 1 ? ROLE_NAME : ROLE_NONE;
    else if (lsp_is_word(head, "PLUGIN"))
        ret->role = n == 0 ? ROLE_NAME : n == 1 ? ROLE_PLUGIN_TYPE : ROLE_NONE;
    else if (!lsp_is_word(head, "ROUTING") && !lsp_is_word(head, "ENTRYPOINT"))
        ret->role = n == 0 ? ROLE_NAME : ROLE_NONE;
    if (ret->role == ROLE_NAME && lsp_is_word(head, "SIGNAL"))
        ret->type = lsp_frame_word(frame, 0);
}

static enum lsp_role role_in_condition(const struct lsp_frame *frame) {
    return frame->operand ? ROLE_CONDITION : ROLE_OPERATOR;
}

static void role_in_body(const struct lsp_frame *frame, struct lsp_context *ret) {
    const struct token *head = frame->head;
    size_t n = frame->n_words;
    if (lsp_is_word(head, "WHEN"))
        ret->role = role_in_condition(frame);
    else if (lsp_is_word(head, "MODEL"))
        ret->role = frame->listing ? ROLE_MODEL : ROLE_ITEM;
    else if (lsp_is_word(head, "ALGORITHM"))
        ret->role = n == 0 ? ROLE_ALGORITHM : ROLE_ITEM;
    else if (lsp_is_word(head, "PLUGIN"))
        ret->role = n == 0 ? ROLE_PLUGIN : ROLE_ITEM;
    else if (lsp_is_word(head, "EMIT"))
        ret->role = n == 0 ? ROLE_EMIT : ROLE_ITEM;
    else if (lsp_is_word(head, "FOR"))
        ret->role = ROLE_NONE;
    else
        ret->role = head && n == 0 ? ROLE_NONE : ROLE_ITEM;
}

static bool is_option(const struct lsp_frame *frame) {
    return frame->opened && token_is(frame->opened, '(') && frame->type.len == 0;
}

static void role_in_fields(const struct lsp_walk *walk, const struct lsp_frame *frame, struct lsp_context *ret) {
    if (frame->state == LSP_STATE_VALUE) {
        role_of_value(walk, frame, ret);
    } else if (frame->state == LSP_STATE_KEY) {
        ret->role = ROLE_FIELD;
        ret->block = frame->block;
        ret->opened = frame->opened;
        ret->option = is_option(frame);
        ret->strategy = ret->option && walk->n == 2 && lsp_is_word(frame->decl, "RECIPE");
    }
}

static void role_in_frame(const struct lsp_walk *walk, const struct lsp_frame *frame, struct lsp_context *ret) {
    switch (frame->kind) {
    case LSP_FRAME_PROGRAM:
        role_in_program(frame, ret);
        break;
    case LSP_FRAME_BODY:
        ret->in_branch = walk->n > 1 && walk->frames[walk->n - 2].kind == LSP_FRAME_TREE;
        role_in_body(frame, ret);
        break;
    case LSP_FRAME_TREE:
        ret->role = lsp_is_word(frame->head, "IF") ? role_in_condition(frame) : ROLE_BRANCH;
        break;
    case LSP_FRAME_GROUP:
        ret->role = role_in_condition(frame);
        break;
    case LSP_FRAME_LEAF:
        ret->role = ROLE_SIGNAL;
        ret->type = frame->type;
        break;
    case LSP_FRAME_MODELS:
        ret->role = frame->listing ? ROLE_MODEL : ROLE_NONE;
        break;
    case LSP_FRAME_TEST:
        ret->role = frame->last && frame->last->kind == TOKEN_ARROW ? ROLE_ROUTE : ROLE_NONE;
        break;
    case LSP_FRAME_LIST:
        role_of_value(walk, frame, ret);
        break;
    case LSP_FRAME_FIELDS:
        role_in_fields(walk, frame, ret);
        break;
    case LSP_FRAME_UNKNOWN:
        break;
    }
}

/* The word that stands there may be more than what could be: a keyword begins something new. */
static void role_of_word(const struct lsp_frame *frame, const struct token *here, struct lsp_context *ret) {
    bool new_line = frame->head && here->at.line != frame->head->at.line;
    if (frame->kind == LSP_FRAME_PROGRAM && new_line && lsp_is_declaration(here))
        ret->role = ROLE_DECLARATION;
    if (frame->kind == LSP_FRAME_BODY && (new_line || ret->role == ROLE_OPERATOR) && lsp_is_item(here))
        ret->role = ROLE_ITEM;
    if (ret->role == ROLE_OPERATOR && !lsp_is_operator(here))
        ret->role = ROLE_NONE;
    if (ret->role == ROLE_CONDITION && lsp_is_operator(here))
        ret->role = ROLE_OPERATOR;
}

void lsp_walk_context(struct lsp_walk *walk, const struct token *here, struct lsp_context *ret) {
    *ret = (struct lsp_context){ .role = ROLE_NONE };
    ret->program = lsp_walk_scope(walk);
    ret->in_recipe = walk->recipe != NULL;
    if (walk->lost > 0)
        return;
    if (here && lsp_walk_restarts(walk, here)) {
        ret->role = ROLE_DECLARATION;
        ret->program = &walk->document->parsed.program;
        ret->in_recipe = false;
        return;
    }
    role_in_frame(walk, lsp_walk_top(walk), ret);
    if (here)
        role_of_word(lsp_walk_top(walk), here, ret);
}

void lsp_context_at(const struct lsp_document *document, const struct language *language, const struct tokens *tokens,
                    size_t n, struct lsp_context *ret) {
    struct lsp_walk walk;
    lsp_walk_init(&walk, language, document);
    for (size_t i = 0; i < n && i < tokens->n && tokens->items[i].kind != TOKEN_END; i++)
        lsp_walk_take(&walk, &tokens->items[i]);
    lsp_walk_context(&walk, n < tokens->n ? &tokens->items[n] : NULL, ret);
}

size_t lsp_token_at(const struct tokens *tokens, uint32_t byte) {
    size_t low = 0, high = tokens->n;
    while (low < high) { /* the first that ends at the byte or behind it */
        size_t mid = low + (high - low) / 2;
        if (tokens->items[mid].at.end < byte)
            low = mid + 1;
        else
            high = mid;
    }
    if (low + 1 < tokens->n && tokens->items[low].at.end == byte && tokens->items[low + 1].at.start == byte &&
        tokens->items[low + 1].kind != TOKEN_PUNCTUATION && tokens->items[low + 1].kind != TOKEN_END)
        low++; /* the word, not the sign before it */
    if (low == tokens->n || tokens->items[low].at.start > byte || tokens->items[low].kind == TOKEN_END)
        return tokens->n;
    return low;
}
