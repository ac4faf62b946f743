#include "config/kb_builtin.h"

#include <stddef.h>

/* Of kb_builtin_data.S. */
extern const char kb_builtin_privacy[], kb_builtin_privacy_end[];
extern const char kb_builtin_mmlu[], kb_builtin_mmlu_end[];

static const struct {
    vsr_str path, name;
    const char *text, *end;
} manifests[] = {
    { VSR_STR_INIT("knowledge_bases/privacy/labels.json"), VSR_STR_INIT("built-in knowledge_bases/privacy/labels.json"),
      kb_builtin_privacy, kb_builtin_privacy_end },
    { VSR_STR_INIT("knowledge_bases/mmlu/labels.json"), VSR_STR_INIT("built-in knowledge_bases/mmlu/labels.json"),
      kb_builtin_mmlu, kb_builtin_mmlu_end },
};

bool kb_builtin(vsr_str path, vsr_str *ret_name, vsr_str *ret_text) {
    for (size_t i = 0; i < VSR_COUNT(manifests); i++)
        if (str_eq(path, manifests[i].path)) {
            *ret_name = manifests[i].name;
            *ret_text = str_make(manifests[i].text, (size_t)(manifests[i].end - manifests[i].text));
            return true;
        }
    return false;
}
