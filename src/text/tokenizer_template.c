#include "text/tokenizer_template.h"

#include "core/arena.h"
#include "text/tokenizer_work.h"

bool template_form_add(struct template_form *form, struct arena *arena, struct template_item item) {
    if (form->n == TEMPLATE_ITEMS_MAX)
        return false;
    form->items = arena_grow(arena, form->items, sizeof(item), form->n, &form->cap);
    form->items[form->n++] = item;
    form->n_tokens += item.kind == TEMPLATE_TOKEN;
    return true;
}

void token_template_plain(struct token_template *template, struct arena *arena) {
    (void)template_form_add(&template->single, arena, (struct template_item){ .kind = TEMPLATE_FIRST });
    (void)template_form_add(&template->pair, arena, (struct template_item){ .kind = TEMPLATE_FIRST });
    (void)template_form_add(&template->pair, arena, (struct template_item){ .kind = TEMPLATE_SECOND, .type = 1 });
}

static void add_token(struct template_form *form, struct arena *arena, uint32_t id, uint8_t type) {
    if (id != TOKEN_NONE)
        (void)template_form_add(form, arena, (struct template_item){ .kind = TEMPLATE_TOKEN, .id = id, .type = type });
}

void token_template_around(struct token_template *template, struct arena *arena, struct template_ends ends) {
    struct template_form *forms[] = { &template->single, &template->pair };
    for (size_t i = 0; i < VSR_COUNT(forms); i++) {
        add_token(forms[i], arena, ends.first, 0);
        (void)template_form_add(forms[i], arena, (struct template_item){ .kind = TEMPLATE_FIRST });
        add_token(forms[i], arena, ends.last, 0);
    }
    add_token(&template->pair, arena, ends.second, ends.second_type);
    (void)template_form_add(&template->pair, arena,
                            (struct template_item){ .kind = TEMPLATE_SECOND, .type = ends.second_type });
    add_token(&template->pair, arena, ends.last, ends.second_type);
}

/* The longer text gives way first; once both are equal they share what is left. */
static void longest_first(size_t room, size_t *n_first, size_t *n_second) {
    bool swapped = *n_first > *n_second;
    size_t shorter = swapped ? *n_second : *n_first, longer;
    if (shorter > room || room - shorter < shorter)
        longer = shorter;
    else
        longer = room - shorter;
    if (shorter + longer > room) {
        shorter = room / 2;
        longer = shorter + room % 2;
    }
    *n_first = swapped ? longer : shorter;
    *n_second = swapped ? shorter : longer;
}

static int cut_one(size_t room, size_t *n, size_t other, const char *which, struct vsr_err *err) {
    size_t excess = *n + other - room;
    if (*n <= excess)
        return err_set(
            err, VSR_E_LIMIT,
            "the %s text has %zu tokens, and %zu would have to go: the other one with its %zu leaves no room", which,
            *n, excess, other);
    *n -= excess;
    return 0;
}

int truncate_lengths(size_t room, enum tokenizer_truncation truncation, bool pair, size_t *n_first, size_t *n_second,
                     struct vsr_err *err) {
    if (*n_first + *n_second <= room)
        return 0;
    if (!pair) {
        *n_first = room;
        return 0;
    }
    switch (truncation) {
    case TOKENIZER_KEEP_START:
        longest_first(room, n_first, n_second);
        return 0;
    case TOKENIZER_ONLY_FIRST:
        return cut_one(room, n_first, *n_second, "first", err);
    case TOKENIZER_ONLY_SECOND:
        return cut_one(room, n_second, *n_first, "second", err);
    }
    return err_set(err, VSR_E_INVALID, "unknown way of truncating");
}
