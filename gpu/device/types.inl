// SPDX-License-Identifier: MIT
// The voice types that a device renders, in the order of the registry: TUTTI_DEVICE_TYPE(place, template).
#include "voices/ambient_pad_kernel.h"
#include "voices/drum_kernel.h"
#include "voices/fm_kernel.h"
#include "voices/subtractive_kernel.h"
#include "voices/torchsynth_voice_kernel.h"

#define TUTTI_DEVICE_TYPES                                                                                             \
    TUTTI_DEVICE_TYPE(0, Subtractive)                                                                                  \
    TUTTI_DEVICE_TYPE(1, Fm)                                                                                           \
    TUTTI_DEVICE_TYPE(2, AmbientPad)                                                                                   \
    TUTTI_DEVICE_TYPE(3, Drum)                                                                                         \
    TUTTI_DEVICE_TYPE(4, TorchsynthVoice)
