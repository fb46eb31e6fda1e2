// SPDX-License-Identifier: MIT
// Every effect, one row each.
#include "engine/effects/chorus.h"
#include "engine/effects/compressor.h"
#include "engine/effects/delay.h"
#include "engine/effects/equalizer.h"
#include "engine/effects/limiter.h"
#include "engine/effects/reverb.h"
#include "engine/effects/saturation.h"

namespace tutti::engine {

std::span<const EffectType> effect_types() noexcept {
    static const EffectType k_types[] = {
        chorus_type(),     delay_type(),      reverb_type(),  equalizer_type(),
        compressor_type(), saturation_type(), limiter_type(),
    };
    return k_types;
}

const EffectType* find_effect_type(std::string_view id) noexcept {
    for (const EffectType& type : effect_types())
        if (id == type.id) return &type;
    return nullptr;
}

} // namespace tutti::engine
