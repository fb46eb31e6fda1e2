// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "engine/core/voice_types.h"
#include "engine/patch/image.h"
#include "engine/patch/json_text.h"
#include "engine/patch/patch_file.h"

namespace tutti::engine {
namespace {

// An effect's or a voice type's table.
struct Rows {
    const char* id;
    const Parameter* first;
    int count;
    int find(std::string_view name) const noexcept {
        for (int i = 0; i < count; ++i)
            if (name == first[i].id) return i;
        return -1;
    }
};

class ImageReader {
public:
    ImageReader(std::string_view text, ImageFault& fault) noexcept : m_source(text), m_text(text), m_fault(fault) {}

    bool patch(PatchImage& image) noexcept {
        if (!header(image)) return end();
        m_text.object([&](std::string_view key) noexcept { field(key, image); });
        m_text.end();
        return end();
    }
    bool effects(std::span<EffectImage> images, int& count) noexcept {
        count = 0;
        m_text.array([&]() noexcept { effect(images, count); });
        m_text.end();
        return end();
    }

private:
#if defined(__GNUC__) || defined(__clang__)
    [[gnu::format(printf, 3, 4)]]
#endif
    void
    refuse(Code code, const char* format, ...) noexcept {
        m_text.fail();
        if (m_fault.code != Code::ok) return;
        m_fault.code = code;
        const int size = std::snprintf(m_fault.what, sizeof m_fault.what, "line %d: ", m_text.line());
        std::va_list list;
        va_start(list, format);
        std::vsnprintf(m_fault.what + size, sizeof m_fault.what - static_cast<std::size_t>(size), format, list);
        va_end(list);
        for (char& c : m_fault.what)
            if (c != '\0' && static_cast<unsigned char>(c) < 0x20) c = '?';
    }
    bool end() noexcept {
        if (!m_text.ok() && m_fault.code == Code::ok) refuse(Code::malformed, "this is not what JSON has here");
        return m_fault.code == Code::ok;
    }
    static int length(std::string_view name) noexcept {
        return static_cast<int>(name.size());
    }

    // What the rest depends on, wherever it stands: the format and the voice type.
    bool header(PatchImage& image) noexcept {
        JsonText text(m_source);
        double format = 0.0;
        JsonText::Name voice;
        bool named = false;
        const bool read = text.object([&](std::string_view key) noexcept {
            if (key == "tutti_patch" && text.kind() == JsonText::Kind::number)
                text.number(format);
            else if (key == "voice" && text.kind() == JsonText::Kind::string)
                named = text.string(voice);
            else
                text.skip();
        });
        if (!read || !text.end()) {
            m_text = text;
            refuse(Code::malformed, "this is not what JSON has here");
            return false;
        }
        if (!(format >= 1.0) || format != std::floor(format)) {
            refuse(Code::malformed, "the key \"tutti_patch\" with the format's number is missing");
            return false;
        }
        if (format > k_patch_format) {
            refuse(Code::unsupported, "the format is newer than %d, the last that this version knows", k_patch_format);
            return false;
        }
        const std::string_view id = named ? voice.view() : "subtractive";
        const voices::VoiceType* const type = find_voice_type(id);
        if (type == nullptr) {
            refuse(Code::not_found, "there is no voice type \"%.*s\"", length(id), id.data());
            return false;
        }
        image = PatchImage();
        set_defaults(image, *type);
        return true;
    }

    void number(std::string_view key, double& to, Limits limits) noexcept {
        double value = 0.0;
        if (!m_text.number(value))
            return refuse(Code::malformed, "%.*s: a number was expected", length(key), key.data());
        if (!(value >= limits.low && value <= limits.high))
            return refuse(Code::out_of_range, "%.*s is outside %d to %d", length(key), key.data(),
                          static_cast<int>(limits.low), static_cast<int>(limits.high));
        to = value;
    }
    template <class Enum, std::size_t N>
    void word(std::string_view key, const std::array<std::string_view, N>& names, Enum& to) noexcept {
        JsonText::Name name;
        if (!m_text.string(name))
            return refuse(Code::malformed, "%.*s: a text in quotes was expected", length(key), key.data());
        for (std::size_t i = 0; i < N; ++i)
            if (names[i] == name.view()) {
                to = static_cast<Enum>(i);
                return;
            }
        refuse(Code::malformed, "%.*s: \"%.*s\" is not known", length(key), key.data(), length(name.view()),
               name.view().data());
    }

    void field(std::string_view key, PatchImage& image) noexcept {
        if (key == "gain_db") {
            number(key, image.gain_db, k_gain_db);
        } else if (key == "glide_seconds") {
            number(key, image.glide_seconds, k_glide_seconds);
        } else if (key == "bend_range") {
            number(key, image.bend_range, k_bend_range);
        } else if (key == "velocity_curve") {
            number(key, image.velocity_curve, k_velocity_curve);
        } else if (key == "room_send") {
            number(key, image.sends[0], k_send);
        } else if (key == "hall_send") {
            number(key, image.sends[1], k_send);
        } else if (key == "voices") {
            double voices = image.voices;
            number(key, voices, k_patch_voices);
            if (voices != std::floor(voices)) return refuse(Code::malformed, "voices: a whole number was expected");
            image.voices = static_cast<int>(voices);
        } else if (key == "quality") {
            word(key, k_qualities, image.quality);
        } else if (key == "mode") {
            word(key, k_play_modes, image.mode);
        } else if (key == "priority") {
            word(key, k_priorities, image.priority);
        } else if (key == "steal") {
            word(key, k_steal_policies, image.steal);
        } else if (key == "parameters") {
            parameters({image.type->id, image.type->parameters, image.type->parameter_count}, image.values);
        } else if (key == "routes") {
            m_text.array([&]() noexcept { route(image); });
        } else if (key == "controllers") {
            m_text.array([&]() noexcept { controller(image); });
        } else if (key == "effects") {
            m_text.array([&]() noexcept { effect(image.effects, image.effect_count); });
        } else {
            m_text.skip();
        }
    }

    void parameters(const Rows& rows, float* values) noexcept {
        m_text.object([&](std::string_view key) noexcept {
            const int index = rows.find(key);
            if (index < 0)
                return refuse(Code::not_found, "%s has no parameter \"%.*s\"", rows.id, length(key), key.data());
            parameter(rows.first[index], values[index]);
        });
    }
    void parameter(const Parameter& row, float& to) noexcept {
        double value = 0.0;
        bool flag = false;
        JsonText::Name name;
        const JsonText::Kind kind = m_text.kind();
        if (kind == JsonText::Kind::truth && row.unit == Unit::toggle) {
            if (m_text.truth(flag)) to = flag ? 1.0f : 0.0f;
            return;
        }
        if (kind == JsonText::Kind::string && row.unit == Unit::choice) {
            if (!m_text.string(name)) return;
            for (int i = 0; i < row.choice_count; ++i)
                if (name.view() == row.choices[i]) {
                    to = static_cast<float>(i);
                    return;
                }
            return refuse(Code::malformed, "%s: \"%.*s\" is no choice", row.id, length(name.view()),
                          name.view().data());
        }
        if (!m_text.number(value)) return refuse(Code::malformed, "%s: a number was expected", row.id);
        const auto single = static_cast<float>(std::fmin(std::fmax(value, -3e38), 3e38));
        const bool whole = row.unit != Unit::choice && row.unit != Unit::toggle ? true : single == std::floor(single);
        if (!(single >= row.minimum && single <= row.maximum && whole))
            return refuse(Code::out_of_range, "%s lies outside its range", row.id);
        to = single;
    }

    void route(PatchImage& image) noexcept {
        const voices::VoiceType& type = *image.type;
        int source = -1, via = voices::source_none, target = -1;
        double depth = 0.0;
        m_text.object([&](std::string_view key) noexcept {
            JsonText::Name name;
            if (key == "source" || key == "via") {
                if (!m_text.string(name)) return;
                int& found = key == "via" ? via : source;
                found = -1;
                const auto names = source_names();
                for (std::size_t i = 0; i < names.size(); ++i)
                    if (names[i] == name.view()) found = static_cast<int>(i) + 1;
                if (key == "via" && name.size == 0) found = voices::source_none;
            } else if (key == "target") {
                if (!m_text.string(name)) return;
                target = Rows{type.id, type.parameters, type.parameter_count}.find(name.view());
            } else if (key == "depth") {
                m_text.number(depth);
            } else {
                m_text.skip();
            }
        });
        if (!m_text.ok()) return;
        if (image.route_count == voices::k_max_routes)
            return refuse(Code::out_of_range, "there are more than %d routes", voices::k_max_routes);
        if (source < 0 || via < 0) return refuse(Code::not_found, "a route's source is not known");
        if (target < 0 || !type.parameters[target].modulatable)
            return refuse(Code::not_found, "a route's target is no modulatable parameter of %s", type.id);
        if (!(std::fabs(depth) <= most_depth(type.parameters[target])))
            return refuse(Code::out_of_range, "the depth of a route to %s is outside its range",
                          type.parameters[target].id);
        voices::Route& route = image.routes[image.route_count++];
        route.source = static_cast<voices::Source>(source);
        route.target = static_cast<unsigned char>(target);
        route.depth = static_cast<float>(depth);
        route.via = static_cast<voices::Source>(via);
    }

    void controller(PatchImage& image) noexcept {
        double number = -1.0, from = std::nan(""), to = std::nan("");
        JsonText::Name target;
        m_text.object([&](std::string_view key) noexcept {
            if (key == "number")
                m_text.number(number);
            else if (key == "target")
                m_text.string(target);
            else if (key == "from")
                m_text.number(from);
            else if (key == "to")
                m_text.number(to);
            else
                m_text.skip();
        });
        if (!m_text.ok()) return;
        if (!(number >= 0.0 && number < 120.0) || number != std::floor(number))
            return refuse(Code::out_of_range, "a controller is none of 0 to 119");
        ControllerTarget& made = image.controllers[static_cast<int>(number)];
        if (made.target != k_no_target)
            return refuse(Code::invalid_argument, "controller %d is named twice", static_cast<int>(number));
        if (!make_controller(*image.type, target.view(), from, to, made))
            refuse(Code::not_found, "controller %d: \"%.*s\" is no target, or does not go so far",
                   static_cast<int>(number), length(target.view()), target.view().data());
    }

    void effect(std::span<EffectImage> images, int& count) noexcept {
        if (count == static_cast<int>(images.size()))
            return refuse(Code::out_of_range, "there are more than %d effects", count);
        // Its parameters' names depend on its type, wherever that stands.
        JsonText ahead = m_text;
        JsonText::Name name;
        ahead.object([&](std::string_view key) noexcept {
            if (key == "type" && ahead.kind() == JsonText::Kind::string)
                ahead.string(name);
            else
                ahead.skip();
        });
        if (!ahead.ok()) {
            m_text = ahead;
            return;
        }
        const EffectType* const type = find_effect_type(name.view());
        if (type == nullptr)
            return refuse(Code::not_found, "there is no effect \"%.*s\"", length(name.view()), name.view().data());
        EffectImage& image = images[static_cast<std::size_t>(count++)];
        set_defaults(image, *type);
        m_text.object([&](std::string_view key) noexcept {
            if (key == "enabled")
                m_text.truth(image.enabled);
            else if (key == "parameters")
                parameters({type->id, type->parameters, type->parameter_count}, image.values);
            else
                m_text.skip();
        });
    }

    std::string_view m_source;
    JsonText m_text;
    ImageFault& m_fault;
};

} // namespace

bool read_image(std::string_view text, PatchImage& image, ImageFault& fault) noexcept {
    fault.code = Code::ok;
    return ImageReader(text, fault).patch(image);
}

bool read_images(std::string_view text, std::span<EffectImage> images, int& count, ImageFault& fault) noexcept {
    fault.code = Code::ok;
    return ImageReader(text, fault).effects(images, count);
}

} // namespace tutti::engine
