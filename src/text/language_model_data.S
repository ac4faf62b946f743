/* The language model as constant data of the program. CMake names the file. */
    .section .rodata
    .balign 64
    .global language_model_file
    .hidden language_model_file
    .global language_model_file_end
    .hidden language_model_file_end
language_model_file:
    .incbin VSR_LANGUAGE_MODEL
language_model_file_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
