// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>

#include "engine/patch/json.h"
#include "engine/patch/nearest.h"
#include "engine/patch/patch_file.h"
#include "voices/voice_type.h"

namespace tutti::engine {
namespace {

class Check {
public:
    Check(const Catalog& catalog, const std::function<std::string(const std::string&)>& place)
        : m_catalog(catalog), m_place(place) {}

    Status run(const Patch& patch) {
        if (patch.name.empty()) fail(Code::invalid_argument, "name", "the patch has no name", "give it one");
        numbers(patch);
        if (patch.tags.size() > k_patch_tags)
            fail(Code::out_of_range, "tags", "there are more than " + std::to_string(k_patch_tags) + " tags",
                 "take some away");
        if (const Table* voice = m_catalog.voice(patch.voice)) {
            table(patch.parameters, *voice, "parameters.");
            routes(patch, *voice);
            controllers(patch, *voice);
        } else {
            fail(Code::not_found, "voice", "there is no voice type \"" + patch.voice + "\"",
                 suggestion(patch.voice, ids(m_catalog.voices)));
        }
        effects(patch);
        for (const auto& [id, name] : patch.macros)
            if (!is_macro(id))
                fail(Code::not_found, "macros." + id, "there is no macro \"" + id + "\"", "macro1 to macro8 are there");
        return m_status;
    }

private:
    static bool is_macro(std::string_view id) {
        return id.size() == 6 && id.substr(0, 5) == "macro" && id[5] >= '1' && id[5] <= '8';
    }

    void fail(Code code, const std::string& key, const std::string& what, const std::string& remedy) {
        if (m_status.ok())
            m_status = Status(code, one_line("patch, " + m_place(key) + key + ": " + what),
                              "the patch cannot be used as it is", remedy);
    }

    static std::string text(double value) {
        std::string line = write_json(Json::of(value));
        line.pop_back();
        return line;
    }

    void range(const std::string& key, double value, double low, double high) {
        if (!(value >= low && value <= high))
            fail(Code::out_of_range, key, text(value) + " lies outside " + text(low) + " to " + text(high),
                 "set it inside that range");
    }

    void numbers(const Patch& patch) {
        range("gain_db", patch.gain_db, k_gain_db.low, k_gain_db.high);
        range("voices", patch.voices, k_patch_voices.low, k_patch_voices.high);
        range("glide_seconds", patch.glide_seconds, k_glide_seconds.low, k_glide_seconds.high);
        range("bend_range", patch.bend_range, k_bend_range.low, k_bend_range.high);
        range("velocity_curve", patch.velocity_curve, k_velocity_curve.low, k_velocity_curve.high);
        range("room_send", patch.room_send, k_send.low, k_send.high);
        range("hall_send", patch.hall_send, k_send.low, k_send.high);
    }

    void table(const std::map<std::string, double>& values, const Table& of, const std::string& prefix) {
        for (const auto& [id, value] : values) {
            const Parameter* row = of.find(id);
            if (!row) {
                fail(Code::not_found, prefix + id, std::string(of.id) + " has no parameter \"" + id + "\"",
                     suggestion(id, ids(of.parameters)));
                continue;
            }
            // The table holds floats: 0.001 and 0.001f are the same bound.
            const float single = static_cast<float>(value);
            if (!(single >= row->minimum && single <= row->maximum))
                fail(Code::out_of_range, prefix + id,
                     text(value) + " lies outside " + single_text(row->minimum) + " to " + single_text(row->maximum),
                     "set it inside that range");
            else if ((row->unit == Unit::choice || row->unit == Unit::toggle) && single != std::floor(single))
                fail(Code::out_of_range, prefix + id, text(value) + " is not a whole number",
                     row->unit == Unit::choice ? "give a choice by its name or number" : "give true or false");
        }
    }

    // As the table's source spells it: 0.001, not 0.0010000000474974513.
    static std::string single_text(float value) {
        for (int places = 0; places < 9; ++places) {
            const double scale = std::pow(10.0, places);
            const double rounded = std::round(static_cast<double>(value) * scale) / scale;
            if (static_cast<float>(rounded) == value) return text(rounded);
        }
        return text(static_cast<double>(value));
    }

    void routes(const Patch& patch, const Table& voice) {
        if (patch.routes.size() > static_cast<std::size_t>(voices::k_max_routes))
            fail(Code::out_of_range, "routes", std::to_string(patch.routes.size()) + " routes are more than 16",
                 "take some away");
        const std::vector<std::string_view> sources(source_names().begin(), source_names().end());
        for (std::size_t i = 0; i < patch.routes.size(); ++i) {
            const PatchRoute& route = patch.routes[i];
            const std::string key = "routes[" + std::to_string(i) + "].";
            if (std::find(sources.begin(), sources.end(), route.source) == sources.end())
                fail(Code::not_found, key + "source", "there is no modulation source \"" + route.source + "\"",
                     suggestion(route.source, sources));
            if (!route.via.empty() && std::find(sources.begin(), sources.end(), route.via) == sources.end())
                fail(Code::not_found, key + "via", "there is no modulation source \"" + route.via + "\"",
                     suggestion(route.via, sources));
            const Parameter* target = voice.find(route.target);
            if (!target || !target->modulatable) {
                fail(Code::not_found, key + "target",
                     "\"" + route.target + "\" is " + (target ? "no modulatable parameter of " : "no parameter of ") +
                         std::string(voice.id),
                     suggestion(route.target, ids(voice.parameters, true)));
                continue;
            }
            const double most = most_depth(*target);
            range(key + "depth", route.depth, -most, most);
        }
    }

    void controllers(const Patch& patch, const Table& voice) {
        std::array<bool, 128> seen{};
        for (std::size_t i = 0; i < patch.controllers.size(); ++i) {
            const PatchController& controller = patch.controllers[i];
            const std::string key = "controllers[" + std::to_string(i) + "].";
            range(key + "number", controller.number, 0, 119); // from 120 on: channel mode messages
            if (controller.number >= 0 && controller.number < 120) {
                bool& twice = seen[static_cast<std::size_t>(controller.number)];
                if (twice)
                    fail(Code::invalid_argument, key + "number",
                         "controller " + std::to_string(controller.number) + " is named twice", "keep one of them");
                twice = true;
            }
            double low = 0.0, high = 1.0;
            if (!is_macro(controller.target)) {
                const Parameter* target = voice.find(controller.target);
                if (!target) {
                    fail(Code::not_found, key + "target",
                         "\"" + controller.target + "\" is neither a parameter of " + std::string(voice.id) +
                             " nor one of macro1 to macro8",
                         suggestion(controller.target, ids(voice.parameters)));
                    continue;
                }
                low = static_cast<double>(target->minimum);
                high = static_cast<double>(target->maximum);
            }
            range(key + "from", controller.from.value_or(low), low, high);
            range(key + "to", controller.to.value_or(high), low, high);
        }
    }

    void effects(const Patch& patch) {
        if (patch.effects.size() > k_patch_effects)
            fail(Code::out_of_range, "effects",
                 std::to_string(patch.effects.size()) + " effects are more than " + std::to_string(k_patch_effects),
                 "take some away");
        for (std::size_t i = 0; i < patch.effects.size(); ++i) {
            const PatchEffect& effect = patch.effects[i];
            const std::string key = "effects[" + std::to_string(i) + "].";
            if (const Table* type = m_catalog.effect(effect.type))
                table(effect.parameters, *type, key + "parameters.");
            else
                fail(Code::not_found, key + "type", "there is no effect \"" + effect.type + "\"",
                     suggestion(effect.type, ids(m_catalog.effects)));
        }
    }

    const Catalog& m_catalog;
    const std::function<std::string(const std::string&)>& m_place;
    Status m_status;
};

} // namespace

Status check_patch(const Patch& patch, const Catalog& catalog,
                   const std::function<std::string(const std::string&)>& place) {
    return Check(catalog, place).run(patch);
}

} // namespace tutti::engine
