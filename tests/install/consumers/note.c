/* SPDX-License-Identifier: MIT
   A note through the C interface, as a program in C. */
#include <stdio.h>

#include <tutti/tutti.h>

int main(void) {
    static float samples[2 * 9600];
    tutti_config config = tutti_config_default();
    tutti_engine* engine = NULL;
    tutti_sender* sender = NULL;
    float peak = 0.0f;
    int i;
    if (tutti_create(&config, &engine) != TUTTI_OK || tutti_set_patch(engine, 0, "soft-keys", TUTTI_NOW) != TUTTI_OK ||
        tutti_sender_create(engine, &sender) != TUTTI_OK)
        return 1;
    tutti_note_on(sender, TUTTI_NOW, 0, 60, 0.8, TUTTI_ANY_NOTE);
    tutti_pull_interleaved(engine, samples, 9600);
    for (i = 0; i < 2 * 9600; ++i)
        if (samples[i] > peak) peak = samples[i];
    printf("%s, peak %.3f\n", tutti_version_string(), (double)peak);
    tutti_destroy(engine);
    return peak > 0.01f && tutti_version() == TUTTI_VERSION_NUMBER ? 0 : 1;
}
