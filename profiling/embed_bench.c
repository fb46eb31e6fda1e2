// SPDX-License-Identifier: MIT
// What an embedded engine costs: JSON on standard output. Processor time, medians.
//   create        milliseconds of tutti_create_in in 8 MiB with 64 voices
//   tracked       share of one core for 100,000 tracked voices, 256 of them audible, blocks of 64 frames at 48 kHz, every
//                 voice looked at every 10 ms, the listener moving; `rendering` is that of the 256 voices alone
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tutti/tutti.h>

static double seconds(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}
static int compare(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}
static double median(double* values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static double create_ms(double* first) {
    enum { k_rounds = 21 };
    const size_t size = (size_t)8 << 20;
    double times[k_rounds];
    for (int i = 0; i < k_rounds; ++i) {
        void* const block = malloc(size);
        tutti_config config = tutti_config_default();
        tutti_engine* engine = NULL;
        const double begin = seconds();
        if (tutti_create_in(block, size, &config, &engine) != TUTTI_OK) exit(1);
        times[i] = 1000.0 * (seconds() - begin);
        tutti_destroy(engine);
        free(block);
    }
    *first = times[0]; // its block is fresh from the system: page faults counted
    return median(times, k_rounds);
}

// Share of a core; with `tracked` no more than `audible` the rendering alone.
static double share(int tracked, int audible, tutti_stats* stats) {
    enum { k_rounds = 7, k_blocks = 750 };
    static const char patch[] = "{\"tutti_patch\": 1, \"voices\": 400}";
    static float out[2 * 64];
    tutti_config config = tutti_config_default();
    config.voices = 400;
    config.tracked_voices = tracked;
    config.audible_voices = audible;
    tutti_engine* engine = NULL;
    if (tutti_create(&config, &engine) != TUTTI_OK) exit(1);
    if (tutti_set_patch_text(engine, 0, patch, sizeof patch - 1, TUTTI_NOW) != TUTTI_OK) exit(1);
    unsigned random = 1;
    for (int i = 0; i < tracked; ++i) {
        tutti_voice_start_info info = tutti_voice_default();
        random = random * 1664525u + 1013904223u;
        info.x = (float)(random >> 16) / 65.536f; // a square kilometre
        random = random * 1664525u + 1013904223u;
        info.z = (float)(random >> 16) / 65.536f;
        info.key = 36 + i % 48;
        info.gain = 0.1f;
        info.far_distance = 200.0f;
        if (tracked <= audible) info.far_distance = 0.0f;
        tutti_voice_start(engine, &info);
    }
    double shares[k_rounds];
    int block = 0;
    for (int round = -1; round < k_rounds; ++round) {
        const double begin = seconds();
        for (int i = 0; i < k_blocks; ++i, ++block) {
            const float place[3] = {300.0f + 0.02f * (float)block, 0.0f, 500.0f};
            const float right[3] = {0.0f, 0.0f, 1.0f};
            tutti_listener_move(engine, place, right);
            tutti_voices_update(engine);
            tutti_pull_interleaved(engine, out, 64);
        }
        if (round >= 0) shares[round] = (seconds() - begin) / (k_blocks * 64 / 48000.0);
    }
    stats->struct_size = sizeof *stats;
    tutti_get_stats(engine, stats);
    tutti_destroy(engine);
    return median(shares, k_rounds);
}

int main(void) {
    tutti_stats stats = {0}, few = {0};
    double first = 0.0;
    const double create = create_ms(&first);
    const double rendering = share(256, 256, &few);
    const double all = share(100000, 256, &stats);
    printf("{\"create_ms\": %.3f, \"first_create_ms\": %.3f, \"tracked\": %d, \"audible\": %d, \"sounding\": %d, "
           "\"share_of_core\": %.4f, "
           "\"rendering\": %.4f,"
           " \"dropped_events\": %lld, \"stolen_voices\": %lld}\n",
           create, first, (int)stats.tracked_voices, (int)stats.audible_voices, (int)stats.voices, all, rendering,
           (long long)stats.dropped_events, (long long)stats.stolen_voices);
    return create < 5.0 && first < 5.0 && all < 0.25 && stats.audible_voices == 256 ? 0 : 1;
}
