# builtin_models(target models task...): the built-in models as constant data of the program (src/model/builtin_data.h).
#
# Files are named by what they are for: models/trunk/trunk.safetensors, models/trunk/tokenizer.json, and
# models/<task>/head.safetensors. A version is a hash of all that a model's numbers depend on.
function(builtin_models target models)
    set(assembly "/* Written by tools/builtin_models.cmake. */\n    .section .rodata\n")
    set(externs "")
    set(rows "")
    set(files "")

    # builtin_blob(label file): the bytes of a file between two labels.
    macro(builtin_blob label file)
        if(NOT EXISTS ${file})
            message(FATAL_ERROR "${file} is missing: it is part of the program (see training/README.md)")
        endif()
        string(APPEND assembly "    .balign 64\n    .global ${label}\n    .hidden ${label}\n    .global ${label}_end\n"
            "    .hidden ${label}_end\n${label}:\n    .incbin \"${file}\"\n${label}_end:\n    .byte 0\n")
        string(APPEND externs "extern const char ${label}[], ${label}_end[];\n")
        list(APPEND files ${file})
        file(SHA256 ${file} hash_${label})
    endmacro()

    builtin_blob(builtin_file_trunk ${models}/trunk/trunk.safetensors)
    builtin_blob(builtin_file_tokenizer ${models}/trunk/tokenizer.json)
    set(trunk_hash ${hash_builtin_file_trunk}${hash_builtin_file_tokenizer})
    string(SHA256 version "${trunk_hash}")
    string(SUBSTRING ${version} 0 12 version)
    string(APPEND rows "    { \"embedding\", \"${version}\", NULL, NULL },\n")
    foreach(task ${ARGN})
        string(MAKE_C_IDENTIFIER ${task} label)
        set(label builtin_file_${label})
        builtin_blob(${label} ${models}/${task}/head.safetensors)
        string(SHA256 version "${trunk_hash}${hash_${label}}")
        string(SUBSTRING ${version} 0 12 version)
        string(APPEND rows "    { \"${task}\", \"${version}\", ${label}, ${label}_end },\n")
    endforeach()
    string(APPEND assembly "    .section .note.GNU-stack, \"\", %progbits\n")
    string(CONCAT table "/* Written by tools/builtin_models.cmake. */\n#include \"model/builtin_data.h\"\n\n${externs}\n"
        "const struct builtin_data builtin_data_trunk = { NULL, NULL, builtin_file_trunk, builtin_file_trunk_end };\n"
        "const struct builtin_data builtin_data_tokenizer = { NULL, NULL, builtin_file_tokenizer, builtin_file_tokenizer_end };\n"
        "const struct builtin_data builtin_data_models[] = {\n${rows}};\n"
        "const size_t builtin_data_models_n = sizeof(builtin_data_models) / sizeof(*builtin_data_models);\n")
    file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/builtin_data.S CONTENT "${assembly}")
    file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/builtin_data.c CONTENT "${table}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
    target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/builtin_data.S ${CMAKE_BINARY_DIR}/builtin_data.c)
    set_source_files_properties(${CMAKE_BINARY_DIR}/builtin_data.S PROPERTIES OBJECT_DEPENDS "${files}")
endfunction()
