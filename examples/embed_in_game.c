// SPDX-License-Identifier: MIT
// Inside a game engine: a fixed block of memory, no thread of ours, the game's mixer pulls, the game's thread posts, many more
// sound sources than can sound. See docs/examples/embed_in_game.md.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <tutti/tutti.h>

enum { k_sources = 2000, k_frames_a_picture = 800, k_pictures = 240 };

// What a game's mixer does on its own thread: any number of frames, whenever it likes.
static float mix(tutti_engine* engine, float* out, unsigned frames) {
    float peak = 0.0f;
    tutti_pull_interleaved(engine, out, frames);
    for (unsigned i = 0; i < 2 * frames; ++i)
        peak = fabsf(out[i]) > peak ? fabsf(out[i]) : peak;
    return peak;
}

int main(void) {
    static const char k_engine_patch[] =
        "{\"tutti_patch\": 1, \"name\": \"Engine\", \"voice\": \"subtractive\", \"voices\": 96,"
        " \"parameters\": {\"osc1_wave\": \"saw\", \"cutoff\": 900, \"env1_attack\": 0.05, \"env1_release\": 0.2}}";
    tutti_config config = tutti_config_default();
    config.voices = 128;
    config.tracked_voices = k_sources;
    config.audible_voices = 48;
    const size_t size = tutti_memory_size(&config);
    void* const block = malloc(size); // a console would take it from its own pool
    tutti_engine* engine = NULL;
    if (tutti_create_in(block, size, &config, &engine) != TUTTI_OK ||
        tutti_set_patch_text(engine, 0, k_engine_patch, sizeof k_engine_patch - 1, TUTTI_NOW) != TUTTI_OK) {
        fprintf(stderr, "%s\n", tutti_last_error(engine));
        free(block);
        return 1;
    }
    // A field of machines, each humming at its own pitch.
    static tutti_voice sources[k_sources];
    for (int i = 0; i < k_sources; ++i) {
        tutti_voice_start_info info = tutti_voice_default();
        info.key = 36 + i % 24;
        info.gain = 0.3f;
        info.x = (float)(i % 50) * 4.0f;
        info.z = (float)(i / 50) * 4.0f;
        info.near_distance = 1.0f;
        info.far_distance = 60.0f;
        sources[i] = tutti_voice_start(engine, &info);
    }
    static float out[2 * k_frames_a_picture];
    float peak = 0.0f;
    for (int picture = 0; picture < k_pictures; ++picture) {
        // The player walks through them; one of them speeds up.
        const float place[3] = {(float)picture * 0.8f, 0.0f, 40.0f};
        const float right[3] = {0.0f, 0.0f, 1.0f};
        tutti_listener_move(engine, place, right);
        tutti_voice_set(engine, sources[7], TUTTI_PITCH, (float)picture * 0.05f);
        tutti_voices_update(engine);
        const float now = mix(engine, out, k_frames_a_picture);
        peak = now > peak ? now : peak;
    }
    tutti_stats stats = {0};
    stats.struct_size = sizeof stats;
    tutti_get_stats(engine, &stats);
    printf("%d tracked, %d audible, %d sounding, peak %.2f, %.1f of %.1f MiB\n", stats.tracked_voices,
           stats.audible_voices, stats.voices, (double)peak, (double)stats.memory_most / 1048576.0,
           (double)stats.memory_size / 1048576.0);
    tutti_destroy(engine);
    free(block);
    return peak > 0.01f && stats.audible_voices == 48 ? 0 : 1;
}
