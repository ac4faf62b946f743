/*
 * builtin_data - the files of the built-in models as they lie in the program. CMakeLists.txt writes the definitions,
 * from the files of the repository that it names; for builtin.c alone.
 */
#ifndef VSR_MODEL_BUILTIN_DATA_H
#define VSR_MODEL_BUILTIN_DATA_H

#include <stddef.h>

struct builtin_data {
    const char *task;        /* "domain" */
    const char *version;     /* of trunk, tokenizer and head: a hash of their content */
    const char *begin, *end; /* of the head; both NULL: the trunk alone */
};

extern const struct builtin_data builtin_data_models[];
extern const size_t builtin_data_models_n;
extern const struct builtin_data builtin_data_trunk, builtin_data_tokenizer;

#endif
