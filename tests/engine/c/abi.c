// SPDX-License-Identifier: MIT
// Prints what a program that was compiled against tutti.h relies on. Compared with abi.txt by abi_test.py.
#include <stdio.h>

#include <tutti/tutti.h>

#define TYPE(type) printf("struct %s size %zu\n", #type, sizeof(type))
#define FIELD(type, field) printf("  %s at %zu, %zu\n", #field, offsetof(type, field), sizeof(((type*)0)->field))
#define VALUE(name) printf("value %s %lld\n", #name, (long long)(name))

int main(void) {
    TYPE(tutti_config);
    FIELD(tutti_config, struct_size);
    FIELD(tutti_config, sample_rate);
    FIELD(tutti_config, channels);
    FIELD(tutti_config, layout);
    FIELD(tutti_config, mode);
    FIELD(tutti_config, max_frames);
    FIELD(tutti_config, look_ahead_blocks);
    FIELD(tutti_config, threads);
    FIELD(tutti_config, parts);
    FIELD(tutti_config, voices);
    FIELD(tutti_config, senders);
    FIELD(tutti_config, events);
    FIELD(tutti_config, tracked_voices);
    FIELD(tutti_config, audible_voices);
    FIELD(tutti_config, seed);
    FIELD(tutti_config, patch_bytes);
    FIELD(tutti_config, limiter);
    FIELD(tutti_config, soft_start);
    FIELD(tutti_config, allocator);
    FIELD(tutti_config, log_level);
    FIELD(tutti_config, log);
    FIELD(tutti_config, log_user);
    TYPE(tutti_allocator);
    TYPE(tutti_reader);
    TYPE(tutti_parameter);
    FIELD(tutti_parameter, choice_count);
    FIELD(tutti_parameter, id);
    FIELD(tutti_parameter, choices);
    FIELD(tutti_parameter, minimum);
    FIELD(tutti_parameter, initial);
    TYPE(tutti_stats);
    FIELD(tutti_stats, voices);
    FIELD(tutti_stats, frames);
    FIELD(tutti_stats, late_blocks);
    FIELD(tutti_stats, peak);
    FIELD(tutti_stats, memory_size);
    TYPE(tutti_sound);
    FIELD(tutti_sound, samples);
    FIELD(tutti_sound, sample_rate);
    FIELD(tutti_sound, borrow);
    FIELD(tutti_sound, loop_begin);
    FIELD(tutti_sound, fade_seconds);
    VALUE(TUTTI_NOW);
    VALUE(TUTTI_ANY_NOTE);
    VALUE(TUTTI_EVERY_PART);
    VALUE(TUTTI_MAX_CHANNELS);
    VALUE(TUTTI_OK);
    VALUE(TUTTI_INVALID_ARGUMENT);
    VALUE(TUTTI_OUT_OF_RANGE);
    VALUE(TUTTI_NOT_FOUND);
    VALUE(TUTTI_UNSUPPORTED);
    VALUE(TUTTI_FILE_NOT_FOUND);
    VALUE(TUTTI_FILE_UNREADABLE);
    VALUE(TUTTI_FILE_UNWRITABLE);
    VALUE(TUTTI_MALFORMED);
    VALUE(TUTTI_TRUNCATED);
    VALUE(TUTTI_TOO_LARGE);
    VALUE(TUTTI_WRONG_STATE);
    VALUE(TUTTI_FULL);
    VALUE(TUTTI_CANCELLED);
    VALUE(TUTTI_OUT_OF_MEMORY);
    VALUE(TUTTI_DEADLINE);
    VALUE(TUTTI_NO_DEVICE);
    VALUE(TUTTI_DEVICE_FAILED);
    VALUE(TUTTI_BACKEND_FAILED);
    VALUE(TUTTI_INTERNAL);
    VALUE(TUTTI_MODE_INLINE);
    VALUE(TUTTI_MODE_AHEAD);
    VALUE(TUTTI_MODE_OFFLINE);
    VALUE(TUTTI_DISCRETE);
    VALUE(TUTTI_SURROUND_5_1);
    VALUE(TUTTI_SURROUND_7_1);
    VALUE(TUTTI_AMBISONIC);
    VALUE(TUTTI_PITCH);
    VALUE(TUTTI_LOWPASS);
    return tutti_config_default().struct_size == sizeof(tutti_config) ? 0 : 1;
}
