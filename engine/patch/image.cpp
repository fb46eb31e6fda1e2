// SPDX-License-Identifier: MIT
#include "engine/patch/image.h"

#include <cmath>
#include <limits>
#include <string>

#include "engine/patch/catalog.h"
#include "engine/patch/patch_file.h"

namespace tutti::engine {
namespace {

int find_row(const voices::VoiceType& type, std::string_view id) noexcept {
    for (int i = 0; i < type.parameter_count; ++i)
        if (id == type.parameters[i].id) return i;
    return -1;
}

// By name, 0 for none; -1 where there is none of that name.
int find_source(std::string_view name) noexcept {
    if (name == "none") return voices::source_none;
    const std::span<const std::string_view> sources = source_names();
    for (std::size_t s = 0; s < sources.size(); ++s)
        if (name == sources[s]) return static_cast<int>(s) + 1;
    return -1;
}

Status unknown_effect(const std::string& id) {
    std::string all;
    for (const EffectType& type : effect_types())
        all += (all.empty() ? "" : ", ") + std::string(type.id);
    return {Code::not_found, "unknown effect \"" + id + "\"", "the effects were not built", "take one of " + all};
}

Status unknown_parameter(const EffectType& type, const std::string& id) {
    std::string all;
    for (int i = 0; i < type.parameter_count; ++i)
        all += (all.empty() ? "" : ", ") + std::string(type.parameters[i].id);
    return {Code::not_found, std::string(type.id) + " has no parameter \"" + id + "\"", "the effects were not built",
            "take one of " + all};
}

} // namespace

void set_defaults(PatchImage& image, const voices::VoiceType& type) noexcept {
    image.type = &type;
    for (int i = 0; i < type.parameter_count; ++i)
        image.values[i] = type.parameters[i].fallback;
}

void set_defaults(EffectImage& image, const EffectType& type) noexcept {
    image.type = &type;
    image.enabled = true;
    for (int i = 0; i < type.parameter_count; ++i)
        image.values[i] = type.parameters[i].fallback;
}

double most_depth(const Parameter& target) noexcept {
    if (target.curve == Curve::exponential)
        return std::ceil(2.0 * std::log2(static_cast<double>(target.maximum) / static_cast<double>(target.minimum)));
    return 2.0 * (static_cast<double>(target.maximum) - static_cast<double>(target.minimum));
}

bool make_controller(const voices::VoiceType& type, std::string_view target, double from, double to,
                     ControllerTarget& made) noexcept {
    const bool macro = target.size() == 6 && target.substr(0, 5) == "macro" && target[5] >= '1' && target[5] <= '8';
    const int index = macro ? target[5] - '1' : find_row(type, target);
    if (index < 0) return false;
    const double low = macro ? 0.0 : static_cast<double>(type.parameters[index].minimum);
    const double high = macro ? 1.0 : static_cast<double>(type.parameters[index].maximum);
    if (std::isnan(from)) from = low;
    if (std::isnan(to)) to = high;
    if (!(from >= low && from <= high && to >= low && to <= high)) return false;
    made.target = static_cast<std::uint32_t>(index) + (macro ? k_macro_target : 0);
    made.from = macro ? static_cast<float>(from) : normalised_value(type.parameters[index], static_cast<float>(from));
    made.to = macro ? static_cast<float>(to) : normalised_value(type.parameters[index], static_cast<float>(to));
    return true;
}

Status make_images(std::span<const PatchEffect> effects, std::span<EffectImage> images, int& count) {
    count = 0;
    if (effects.size() > images.size())
        return {Code::out_of_range, std::to_string(effects.size()) + " effects", "the effects were not built",
                "take at most " + std::to_string(images.size())};
    for (const PatchEffect& wanted : effects) {
        const EffectType* const type = find_effect_type(wanted.type);
        if (type == nullptr) return unknown_effect(wanted.type);
        EffectImage& image = images[static_cast<std::size_t>(count++)];
        set_defaults(image, *type);
        image.enabled = wanted.enabled;
        for (const auto& [id, value] : wanted.parameters) {
            const int index = type->find(id);
            if (index < 0) return unknown_parameter(*type, id);
            const Parameter& row = type->parameters[index];
            const auto given = static_cast<float>(value);
            if (!(given >= row.minimum && given <= row.maximum))
                return {Code::out_of_range, std::string(type->id) + " " + id + " = " + std::to_string(value),
                        "the effects were not built",
                        "take " + value_text(row, row.minimum) + " to " + value_text(row, row.maximum)};
            image.values[index] = given;
        }
    }
    return {};
}

Status make_image(const Patch& patch, const voices::VoiceType& type, PatchImage& image) {
    image = PatchImage();
    set_defaults(image, type);
    image.gain_db = patch.gain_db;
    image.glide_seconds = patch.glide_seconds;
    image.bend_range = patch.bend_range;
    image.velocity_curve = patch.velocity_curve;
    image.sends[0] = patch.room_send;
    image.sends[1] = patch.hall_send;
    image.voices = patch.voices;
    image.quality = patch.quality;
    image.mode = patch.mode;
    image.priority = patch.priority;
    image.steal = patch.steal;
    if (patch.voices < 1 || patch.voices > 512)
        return Status(Code::out_of_range,
                      "patch '" + patch.name + "' asks for " + std::to_string(patch.voices) + " voices",
                      "it was not loaded", "set voices to 1..512");
    for (const auto& [id, value] : patch.parameters) {
        const int index = find_row(type, id);
        if (index < 0)
            return Status(Code::not_found, "voice type '" + std::string(type.id) + "' has no parameter '" + id + "'",
                          "patch '" + patch.name + "' was not loaded", "see: tutti patches describe");
        const Parameter& parameter = type.parameters[index];
        // The table holds floats: 0.0005 and 0.0005f are the same bound.
        const auto single = static_cast<float>(value);
        if (!(single >= parameter.minimum && single <= parameter.maximum))
            return Status(Code::out_of_range,
                          "parameter '" + id + "' is " + std::to_string(value) + ", outside " +
                              std::to_string(parameter.minimum) + ".." + std::to_string(parameter.maximum),
                          "patch '" + patch.name + "' was not loaded", "set it inside its range");
        image.values[index] = single;
    }
    if (patch.routes.size() > voices::k_max_routes)
        return Status(Code::out_of_range,
                      "patch '" + patch.name + "' has " + std::to_string(patch.routes.size()) + " routes",
                      "it was not loaded", "use at most 16");
    for (const PatchRoute& from : patch.routes) {
        voices::Route& route = image.routes[image.route_count];
        const int source = find_source(from.source);
        const int via = from.via.empty() ? static_cast<int>(voices::source_none) : find_source(from.via);
        if (source < 0 || via < 0)
            return Status(Code::not_found,
                          "there is no modulation source '" + (source < 0 ? from.source : from.via) + "'",
                          "patch '" + patch.name + "' was not loaded", "see: tutti patches describe");
        const int target = find_row(type, from.target);
        if (target < 0 || !type.parameters[target].modulatable)
            return Status(Code::not_found,
                          "'" + from.target + "' is no modulation target of '" + std::string(type.id) + "'",
                          "patch '" + patch.name + "' was not loaded", "see: tutti patches describe");
        route.source = static_cast<voices::Source>(source);
        route.target = static_cast<unsigned char>(target);
        route.depth = static_cast<float>(from.depth);
        route.via = static_cast<voices::Source>(via);
        ++image.route_count;
    }
    constexpr double k_none = std::numeric_limits<double>::quiet_NaN();
    for (const PatchController& from : patch.controllers) {
        ControllerTarget to;
        if (from.number < 0 || from.number > 119 ||
            !make_controller(type, from.target, from.from.value_or(k_none), from.to.value_or(k_none), to))
            return Status(Code::not_found,
                          "controller " + std::to_string(from.number) + " moves '" + from.target + "', which '" +
                              std::string(type.id) + "' has not, or further than it goes",
                          "patch '" + patch.name + "' was not loaded", "see: tutti patches describe");
        image.controllers[from.number] = to;
    }
    return make_images(patch.effects, image.effects, image.effect_count);
}

} // namespace tutti::engine
