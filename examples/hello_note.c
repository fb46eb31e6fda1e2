// SPDX-License-Identifier: MIT
// The smallest program: one note of a factory patch, a second of it, into memory. See docs/examples/hello_note.md.
#include <stdio.h>

#include <tutti/tutti.h>

int main(void) {
    tutti_config config = tutti_config_default();
    tutti_engine* engine = NULL;
    tutti_sender* sender = NULL;
    static float samples[2 * 48000];
    if (tutti_create(&config, &engine) != TUTTI_OK || tutti_set_patch(engine, 0, "soft-keys", TUTTI_NOW) != TUTTI_OK ||
        tutti_sender_create(engine, &sender) != TUTTI_OK) {
        fprintf(stderr, "%s\n", tutti_last_error(engine));
        tutti_destroy(engine);
        return 1;
    }
    tutti_note_on(sender, TUTTI_NOW, 0, 60, 0.8, TUTTI_ANY_NOTE);
    tutti_pull_interleaved(engine, samples, 48000);
    float peak = 0.0f;
    for (int i = 0; i < 2 * 48000; ++i)
        peak = samples[i] > peak ? samples[i] : peak;
    printf("middle C, one second, peak %.2f\n", (double)peak);
    tutti_destroy(engine);
    return peak > 0.01f ? 0 : 1;
}
