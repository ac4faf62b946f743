/*
 * plugins - the list of plugins. Internal to plugin/.
 */
#ifndef VSR_PLUGIN_PLUGINS_H
#define VSR_PLUGIN_PLUGINS_H

/* clang-format off: it never settles on this one */
#define PLUGINS(X) \
    X(fast_response) \
    X(response_cache) \
    X(rag) \
    X(image_gen) \
    X(memory) \
    X(context_compression) \
    X(system_prompt) \
    X(request_params) \
    X(header_mutation) \
    X(tools) \
    X(tool_selection) \
    X(response_jailbreak) \
    X(hallucination) \
    X(router_replay)
/* clang-format on */

#endif
