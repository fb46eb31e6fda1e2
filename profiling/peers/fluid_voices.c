/* SPDX-License-Identifier: MIT
 * libfluidsynth with at least VOICES sounding sample voices, written in blocks of 64.
 * usage: PROGRAM SOUNDFONT VOICES SECONDS THREADS; prints the number of voices that sounded. */

#include <fluidsynth.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char** values) {
    if (count < 5) {
        fprintf(stderr, "usage: %s SOUNDFONT VOICES SECONDS THREADS\n", values[0]);
        return 2;
    }
    const int wanted = atoi(values[2]);
    const long blocks = (long)(atof(values[3]) * 48000.0 / 64.0);
    fluid_settings_t* settings = new_fluid_settings();
    fluid_settings_setnum(settings, "synth.sample-rate", 48000.0);
    fluid_settings_setint(settings, "synth.polyphony", wanted + 64);
    fluid_settings_setint(settings, "synth.midi-channels", 256);
    fluid_settings_setint(settings, "synth.cpu-cores", atoi(values[4]));
    fluid_settings_setint(settings, "synth.reverb.active", 0);
    fluid_settings_setint(settings, "synth.chorus.active", 0);
    fluid_settings_setnum(settings, "synth.gain", 0.01);
    fluid_synth_t* synth = new_fluid_synth(settings);
    if (!synth || fluid_synth_sfload(synth, values[1], 1) == FLUID_FAILED) {
        fprintf(stderr, "cannot load %s\n", values[1]);
        return 1;
    }
    for (int channel = 0; channel < 256; ++channel)
        fluid_synth_program_change(synth, channel, 81);
    fluid_synth_set_interp_method(synth, -1, FLUID_INTERP_4THORDER);
    float left[64], right[64];
    for (int key = 36; key < 96 && fluid_synth_get_active_voice_count(synth) < wanted; ++key)
        for (int channel = 0; channel < 256 && fluid_synth_get_active_voice_count(synth) < wanted; ++channel)
            if (channel % 16 != 9) fluid_synth_noteon(synth, channel, key, 100); /* tenths are drum channels */
    for (int i = 0; i < 200; ++i)
        fluid_synth_write_float(synth, 64, left, 0, 1, right, 0, 1);
    const int sounding = fluid_synth_get_active_voice_count(synth);
    for (long i = 0; i < blocks; ++i)
        fluid_synth_write_float(synth, 64, left, 0, 1, right, 0, 1);
    printf("{\"voices\": %d, \"voices_at_end\": %d}\n", sounding, fluid_synth_get_active_voice_count(synth));
    delete_fluid_synth(synth);
    delete_fluid_settings(settings);
    return 0;
}
