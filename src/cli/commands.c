#include "cli/commands.h"

enum { COMMAND_DISTANCE_MAX = 2 };

const struct command *const commands[COMMANDS_COUNT] = {
#define X(name) [COMMAND_INDEX_##name] = &command_##name##_spec,
    VSR_COMMANDS(X)
#undef X
};

const struct command *command_find(vsr_str name) {
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        if (str_eq_c(name, commands[i]->name))
            return commands[i];
    return NULL;
}

const struct command *command_nearest(vsr_str name) {
    const struct command *nearest = NULL;
    size_t best = COMMAND_DISTANCE_MAX + 1;
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        size_t distance = str_distance(name, str_from_c(commands[i]->name), COMMAND_DISTANCE_MAX);
        if (distance < best) {
            best = distance;
            nearest = commands[i];
        }
    }
    return nearest;
}
