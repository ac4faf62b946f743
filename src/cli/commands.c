#include "cli/commands.h"

enum { COMMAND_DISTANCE_MAX = 2 };

const struct command *const commands[COMMANDS_COUNT] = {
#define X(name) [COMMAND_INDEX_##name] = &command_##name##_spec,
    VSR_COMMANDS(X)
#undef X
};

const struct command *const *command_list(const struct command *family, size_t *ret_n) {
    *ret_n = family ? family->n_members : COMMANDS_COUNT;
    return family ? family->members : commands;
}

const struct command *command_find(const struct command *family, vsr_str name) {
    size_t n;
    const struct command *const *list = command_list(family, &n);
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(name, list[i]->name) || (list[i]->alias && str_eq_c(name, list[i]->alias)))
            return list[i];
    return NULL;
}

const struct command *command_nearest(const struct command *family, vsr_str name) {
    const struct command *nearest = NULL;
    size_t best = COMMAND_DISTANCE_MAX + 1, n;
    const struct command *const *list = command_list(family, &n);
    for (size_t i = 0; i < n; i++) {
        size_t distance = str_distance(name, str_from_c(list[i]->name), COMMAND_DISTANCE_MAX);
        if (distance < best) {
            best = distance;
            nearest = list[i];
        }
    }
    return nearest;
}
