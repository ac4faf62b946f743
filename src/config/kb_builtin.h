/*
 * kb_builtin - the knowledge bases that are part of the program: what `knowledge_bases/privacy` and
 * `knowledge_bases/mmlu` mean where no file of that name is found. Constant data: any thread.
 */
#ifndef VSR_CONFIG_KB_BUILTIN_H
#define VSR_CONFIG_KB_BUILTIN_H

#include <stdbool.h>

#include "core/str.h"

/*
 * Looks up a manifest by the path that a document's source makes ("knowledge_bases/mmlu/labels.json"). False: none of
 * that path is built in. `*ret_name` is what messages call it in place of a file.
 */
bool kb_builtin(vsr_str path, vsr_str *ret_name, vsr_str *ret_text);

#endif
