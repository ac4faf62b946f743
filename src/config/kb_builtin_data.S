/* The built-in knowledge bases as constant data of the program. CMake names the folder. */
    .section .rodata
    .global kb_builtin_privacy
    .hidden kb_builtin_privacy
    .global kb_builtin_privacy_end
    .hidden kb_builtin_privacy_end
kb_builtin_privacy:
    .incbin VSR_KB_PRIVACY
kb_builtin_privacy_end:
    .byte 0
    .global kb_builtin_mmlu
    .hidden kb_builtin_mmlu
    .global kb_builtin_mmlu_end
    .hidden kb_builtin_mmlu_end
kb_builtin_mmlu:
    .incbin VSR_KB_MMLU
kb_builtin_mmlu_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
