// SPDX-License-Identifier: MIT
#include "engine/patch/json.h"
#include "engine/patch/patch_file.h"

namespace tutti::engine {
namespace {

Json constant(std::string_view value) {
    Json json = Json::object();
    json.add("const", Json::of(value));
    return json;
}

Json described(std::string_view type, std::string_view text) {
    Json json = Json::object();
    if (!type.empty()) json.add("type", Json::of(type));
    json.add("description", Json::of(text));
    return json;
}

Json number(std::string_view text, double low, double high, double fallback, bool whole = false) {
    Json json = described(whole ? "integer" : "number", text);
    json.add("minimum", Json::of(low));
    json.add("maximum", Json::of(high));
    json.add("default", Json::of(fallback));
    return json;
}

template <class Names>
Json words(const Names& names, std::string_view text, std::string_view fallback = {}) {
    Json json = described("string", text);
    Json& list = json.add("enum", Json::array());
    for (std::string_view name : names)
        list.push(Json::of(name));
    if (!fallback.empty()) json.add("default", Json::of(fallback));
    return json;
}

std::string_view unit_name(Unit unit) {
    switch (unit) {
    case Unit::hertz:
        return "Hz";
    case Unit::seconds:
        return "seconds";
    case Unit::semitones:
        return "semitones";
    case Unit::cents:
        return "cents";
    case Unit::octaves:
        return "octaves";
    case Unit::decibels:
        return "dB";
    case Unit::percent:
        return "fraction, 1 is 100 %";
    case Unit::degrees:
        return "degrees";
    case Unit::ratio:
        return "ratio";
    default:
        return "";
    }
}

// Floats as their tables spell them.
double plain(float value) {
    for (double scale = 1.0; scale < 1e10; scale *= 10.0) {
        const double scaled = static_cast<double>(value) * scale;
        const double rounded =
            static_cast<double>(static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5))) / scale;
        if (static_cast<float>(rounded) == value) return rounded;
    }
    return static_cast<double>(value);
}

Json parameter(const Parameter& row) {
    std::string text = std::string(row.group ? row.group : "") + (row.group ? ": " : "") + row.name;
    if (row.unit == Unit::toggle) {
        Json json = described("boolean", text);
        json.add("default", Json::of(row.fallback >= 0.5f));
        return json;
    }
    if (row.unit == Unit::choice) {
        std::vector<std::string_view> names(row.choices, row.choices + row.choice_count);
        return words(names, text, names[static_cast<std::size_t>(row.fallback)]);
    }
    if (const std::string_view unit = unit_name(row.unit); !unit.empty()) text += ", " + std::string(unit);
    return number(text, plain(row.minimum), plain(row.maximum), plain(row.fallback));
}

Json parameters(std::span<const Parameter> rows) {
    Json json = Json::object();
    json.add("type", Json::of("object"));
    json.add("additionalProperties", Json::of(false));
    Json& properties = json.add("properties", Json::object());
    for (const Parameter& row : rows)
        properties.add(row.id, parameter(row));
    return json;
}

// { "if": { "properties": { key: { "const": id } } }, "then": { "properties": then } }
Json when(std::string_view key, std::string_view id, Json then) {
    Json condition = Json::object();
    condition.add("properties", Json::object()).add(key, constant(id));
    Json required = Json::array();
    required.push(Json::of(key));
    condition.add("required", std::move(required));
    Json json = Json::object();
    json.add("if", std::move(condition));
    json.add("then", Json::object()).add("properties", std::move(then));
    return json;
}

Json route(const Table& voice) {
    Json item = Json::object();
    item.add("properties", Json::object()).add("target", words(ids(voice.parameters, true), "What the source moves"));
    Json routes = Json::object();
    routes.add("items", std::move(item));
    return routes;
}

Json routes() {
    Json item = described("object", "target += depth * source * via; octaves where the target is in Hz or a time");
    Json& properties = item.add("properties", Json::object());
    properties.add("source", words(source_names(), "What moves"));
    properties.add("target", described("string", "A modulatable parameter"));
    properties.add("depth", described("number", "In the target's unit"));
    properties.add("via", words(source_names(), "A second source that scales the first; without one: 1"));
    Json required = Json::array();
    for (const char* key : {"source", "target", "depth"})
        required.push(Json::of(key));
    item.add("required", std::move(required));
    Json json = described("array", "Modulation routes");
    json.add("maxItems", Json::of(16.0));
    json.add("items", std::move(item));
    return json;
}

Json controllers() {
    Json item = described("object", "A MIDI controller that moves a parameter or a macro");
    Json& properties = item.add("properties", Json::object());
    properties.add("number", number("The controller", 0, 119, 16, true));
    properties.add("target", described("string", "A parameter, or macro1 to macro8"));
    properties.add("from", described("number", "At 0, in the target's unit; without it the target's least"));
    properties.add("to", described("number", "At 127; without it the target's most"));
    Json required = Json::array();
    for (const char* key : {"number", "target"})
        required.push(Json::of(key));
    item.add("required", std::move(required));
    Json json = described("array", "MIDI controllers beside the usual ones; a number once");
    json.add("maxItems", Json::of(120.0));
    json.add("items", std::move(item));
    return json;
}

Json effects(const Catalog& catalog) {
    Json item = Json::object();
    item.add("type", Json::of("object"));
    Json& properties = item.add("properties", Json::object());
    properties.add("type", words(ids(catalog.effects), "Which effect"));
    properties.add("enabled", described("boolean", "Heard or passed by"));
    Json required = Json::array();
    required.push(Json::of("type"));
    item.add("required", std::move(required));
    Json& each = item.add("allOf", Json::array());
    for (const Table& effect : catalog.effects) {
        Json then = Json::object();
        then.add("parameters", parameters(effect.parameters));
        each.push(when("type", effect.id, std::move(then)));
    }
    Json json = described("array", "Effects in the order the sound goes through them");
    json.add("maxItems", Json::of(static_cast<double>(k_patch_effects)));
    json.add("items", std::move(item));
    return json;
}

} // namespace

std::string patch_schema(const Catalog& catalog) {
    Json root = Json::object();
    root.add("$schema", Json::of("https://json-schema.org/draft/2020-12/schema"));
    root.add("title", Json::of("A Tutti patch"));
    root.add("description", Json::of("Keys that are not named here are kept and written back."));
    root.add("type", Json::of("object"));
    Json required = Json::array();
    required.push(Json::of("tutti_patch"));
    root.add("required", std::move(required));
    const Patch init;
    Json properties = Json::object();
    properties.add("tutti_patch", number("The format's number", 1, k_patch_format, k_patch_format, true));
    properties.add("name", described("string", "What people call it"));
    properties.add("voice", words(ids(catalog.voices), "The voice type", init.voice));
    properties.add("category", described("string", "\"Bass\", \"Pad\", ..."));
    properties.add("author", described("string", "Who made it"));
    Json tags = described("array", "Words to find it by");
    tags.add("maxItems", Json::of(static_cast<double>(k_patch_tags)));
    tags.add("items", Json::object()).add("type", Json::of("string"));
    properties.add("tags", std::move(tags));
    properties.add("gain_db", number("Level, dB", k_gain_db.low, k_gain_db.high, init.gain_db));
    properties.add("quality", words(k_qualities, "Oscillator quality", "standard"));
    properties.add("mode", words(k_play_modes, "How keys play", "poly"));
    properties.add("priority", words(k_priorities, "Which key wins in mono and legato", "last"));
    properties.add("steal", words(k_steal_policies, "Which voice ends where there are too many", "quietest"));
    properties.add("voices",
                   number("Notes that may sound at once", k_patch_voices.low, k_patch_voices.high, init.voices, true));
    properties.add("glide_seconds",
                   number("Time from note to note, seconds", k_glide_seconds.low, k_glide_seconds.high, 0));
    properties.add("bend_range", number("Pitch bend, semitones", k_bend_range.low, k_bend_range.high, init.bend_range));
    properties.add("velocity_curve",
                   number("-1 soft, 0 linear, 1 hard", k_velocity_curve.low, k_velocity_curve.high, 0));
    properties.add("parameters", described("object", "The voice type's parameters; what is missing has its default"));
    properties.add("routes", routes());
    properties.add("controllers", controllers());
    properties.add("effects", effects(catalog));
    properties.add("room_send", number("Into the stream's room, 1 is 0 dB", k_send.low, k_send.high, 0));
    properties.add("hall_send", number("Into the stream's hall, 1 is 0 dB", k_send.low, k_send.high, 0));
    Json macros = described("object", "What the eight macro knobs are called");
    macros.add("additionalProperties", Json::of(false));
    macros.add("patternProperties", Json::object()).add("^macro[1-8]$", Json::object()).add("type", Json::of("string"));
    properties.add("macros", std::move(macros));
    root.add("properties", std::move(properties));
    Json& each = root.add("allOf", Json::array());
    for (const Table& voice : catalog.voices) {
        Json then = Json::object();
        then.add("parameters", parameters(voice.parameters));
        then.add("routes", route(voice));
        each.push(when("voice", voice.id, std::move(then)));
    }
    return write_json(root);
}

} // namespace tutti::engine
