// SPDX-License-Identifier: MIT
#include "plugin/core/document.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

#include <tutti/tuning.h>

namespace tutti::plugin {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_bytes = 16u << 20;
constexpr int k_depth = 64;
constexpr const char* k_known[] = {"tutti_plugin", "preset", "patch",   "parameters", "controllers",
                                   "settings",     "editor", "compare", "at_b",       "unread_patch"};

int voice_index(std::string_view id) {
    const auto tables = voice_tables();
    for (std::size_t i = 0; i < tables.size(); ++i)
        if (tables[i].id == id) return static_cast<int>(i);
    return -1;
}

int effect_index(std::string_view id) {
    const auto tables = effect_tables();
    for (std::size_t i = 0; i < tables.size(); ++i)
        if (tables[i].id == id) return static_cast<int>(i);
    return -1;
}

// Whether brackets outside strings go deeper than k_depth: asked before a tree is made.
bool too_deep(std::string_view text) {
    int depth = 0;
    bool string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (string) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                string = false;
        } else if (c == '"') {
            string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > k_depth) return true;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}

Status broken(const std::string& what) {
    return Status(Code::malformed, "the state " + what, "the sound stays as it is", "take a state that Tutti wrote");
}

double number(const Json& object, const char* key, double fallback, double low, double high) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number()) return fallback;
    const double value = found->get<double>();
    return std::isfinite(value) ? std::clamp(value, low, high) : fallback;
}

bool flag(const Json& object, const char* key, bool fallback) {
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() ? found->get<bool>() : fallback;
}

std::string words(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string dump(const Json& json, int indent = -1) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json settings_json(const Settings& settings) {
    return {{"mode", settings.mode == Mode::ahead ? "ahead" : "inline"},
            {"look_ahead_blocks", settings.look_ahead_blocks},
            {"mpe", settings.mpe != MpeZone::off},
            {"mpe_upper", settings.mpe == MpeZone::upper},
            {"mpe_bend_range", settings.mpe_bend_range},
            {"pickup", settings.pickup},
            {"program_change", settings.program_change},
            {"tuning_name", settings.tuning_name},
            {"scl", settings.scl},
            {"kbm", settings.kbm}};
}

Settings settings_of(const Json& json) {
    Settings settings;
    settings.mode = words(json, "mode") == "ahead" ? Mode::ahead : Mode::inline_;
    settings.look_ahead_blocks = static_cast<int>(number(json, "look_ahead_blocks", 4, 1, 64));
    if (flag(json, "mpe", false)) settings.mpe = flag(json, "mpe_upper", false) ? MpeZone::upper : MpeZone::lower;
    settings.mpe_bend_range = static_cast<int>(number(json, "mpe_bend_range", 48, 0, 96));
    settings.pickup = flag(json, "pickup", false);
    settings.program_change = flag(json, "program_change", true);
    settings.tuning_name = words(json, "tuning_name");
    settings.scl = words(json, "scl");
    settings.kbm = words(json, "kbm");
    // A tuning that cannot be read is left out, as if there were none: the rest of the state is worth having.
    if ((!settings.scl.empty() || !settings.kbm.empty()) && !Tuning::from_scala(settings.scl, settings.kbm)) {
        settings.tuning_name.clear();
        settings.scl.clear();
        settings.kbm.clear();
    }
    return settings;
}

std::vector<float> defaults() {
    std::vector<float> values;
    for (const ParameterInfo& info : ParameterList::get().all())
        values.push_back(info.row->fallback);
    return values;
}

} // namespace

double tidy(float value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value);
    double result = static_cast<double>(value);
    if (end.ec == std::errc()) std::from_chars(text, end.ptr, result);
    return result;
}

Document::Document() : values(defaults()) {}

Patch sounding_patch(const Document& document) {
    const ParameterList& list = ParameterList::get();
    Patch patch = document.patch;
    patch.parameters.clear();
    if (const int voice = voice_index(patch.voice); voice >= 0) {
        const auto rows = voice_tables()[static_cast<std::size_t>(voice)].parameters;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const float value = document.values[static_cast<std::size_t>(list.voice(voice, static_cast<int>(i)))];
            if (value != rows[i].fallback) patch.parameters[rows[i].id] = tidy(value);
        }
    }
    std::vector<bool> seen(effect_tables().size(), false);
    for (PatchEffect& effect : patch.effects) {
        const int type = effect_index(effect.type);
        if (type < 0 || seen[static_cast<std::size_t>(type)]) continue;
        seen[static_cast<std::size_t>(type)] = true;
        effect.parameters.clear();
        const auto rows = effect_tables()[static_cast<std::size_t>(type)].parameters;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const float value = document.values[static_cast<std::size_t>(list.effect(type, static_cast<int>(i)))];
            if (value != rows[i].fallback) effect.parameters[rows[i].id] = tidy(value);
        }
    }
    return patch;
}

void take_patch(Document& document, const Patch& patch) {
    const ParameterList& list = ParameterList::get();
    document.unread.clear();
    document.unread_why.clear();
    for (int i = 0; i < k_macros; ++i)
        document.values[static_cast<std::size_t>(list.macro(i))] = 0.0f;
    const auto take = [&](int place, const Parameter& row, const std::map<std::string, double>& from) {
        const auto found = from.find(row.id);
        const float value = found != from.end() ? static_cast<float>(found->second) : row.fallback;
        document.values[static_cast<std::size_t>(place)] = clamp_value(row, value);
    };
    if (const int voice = voice_index(patch.voice); voice >= 0) {
        const auto rows = voice_tables()[static_cast<std::size_t>(voice)].parameters;
        for (std::size_t i = 0; i < rows.size(); ++i)
            take(list.voice(voice, static_cast<int>(i)), rows[i], patch.parameters);
    }
    std::vector<bool> seen(effect_tables().size(), false);
    for (const PatchEffect& effect : patch.effects) {
        const int type = effect_index(effect.type);
        if (type < 0 || seen[static_cast<std::size_t>(type)]) continue;
        seen[static_cast<std::size_t>(type)] = true;
        const auto rows = effect_tables()[static_cast<std::size_t>(type)].parameters;
        for (std::size_t i = 0; i < rows.size(); ++i)
            take(list.effect(type, static_cast<int>(i)), rows[i], effect.parameters);
    }
    document.patch = patch;
}

std::string to_text(const Document& document) {
    const ParameterList& list = ParameterList::get();
    const Patch patch = sounding_patch(document);
    Json json = {{"tutti_plugin", k_state_format}, {"preset", document.preset}};
    json["patch"] = Json::parse(patch.to_json(), nullptr, false);

    if (!document.unread.empty()) json["unread_patch"] = Json::parse(document.unread, nullptr, false);

    // What the patch does not hold: macros, the other voice types, effects that are not in the chain.
    Json rest = Json::object();
    std::vector<bool> held(document.values.size(), false);
    if (const int voice = voice_index(patch.voice); voice >= 0)
        for (std::size_t i = 0; i < voice_tables()[static_cast<std::size_t>(voice)].parameters.size(); ++i)
            held[static_cast<std::size_t>(list.voice(voice, static_cast<int>(i)))] = true;
    for (const PatchEffect& effect : patch.effects)
        if (const int type = effect_index(effect.type); type >= 0)
            for (std::size_t i = 0; i < effect_tables()[static_cast<std::size_t>(type)].parameters.size(); ++i)
                held[static_cast<std::size_t>(list.effect(type, static_cast<int>(i)))] = true;
    for (std::size_t i = 0; i < held.size(); ++i)
        if (!held[i] && document.values[i] != list.all()[i].row->fallback)
            rest[list.all()[i].id] = tidy(document.values[i]);
    Json unknown = Json::parse(document.unknown, nullptr, false);
    if (!unknown.is_object()) unknown = Json::object();
    if (const auto more = unknown.find("parameters"); more != unknown.end() && more->is_object())
        for (const auto& [key, value] : more->items())
            if (!rest.contains(key)) rest[key] = value;
    json["parameters"] = std::move(rest);

    Json controllers = Json::object();
    for (const auto& [controller, parameter] : document.controllers)
        controllers[std::to_string(controller)] = list[parameter].id;
    json["controllers"] = std::move(controllers);
    json["settings"] = settings_json(document.settings);
    if (const auto more = unknown.find("settings"); more != unknown.end() && more->is_object())
        for (const auto& [key, value] : more->items())
            if (!json["settings"].contains(key)) json["settings"][key] = value;
    if (Json editor = Json::parse(document.editor, nullptr, false); editor.is_object() && !editor.empty())
        json["editor"] = std::move(editor);
    if (!document.other.empty()) {
        if (Json other = Json::parse(document.other, nullptr, false); other.is_object())
            json["compare"] = std::move(other);
        json["at_b"] = document.at_b;
    }
    for (const auto& [key, value] : unknown.items())
        if (!json.contains(key)) json[key] = value;
    return dump(json, 1) + "\n";
}

std::string sound_text(Document document) {
    document.editor = "{}";
    document.other.clear();
    document.at_b = false;
    return to_text(document);
}

Result<Document> document_from_text(std::string_view text) {
    if (text.size() > k_bytes)
        return Status(Code::too_large, "the state is larger than 16 MiB", "the sound stays as it is",
                      "take a state that Tutti wrote");
    // Hosts hand back more than they were given: zeros behind the end.
    while (!text.empty() && text.back() == '\0')
        text.remove_suffix(1);
    if (too_deep(text)) return broken("is nested too deeply");
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return broken("is no JSON text");
    if (!json.is_object()) return broken("is no JSON object");
    const auto format = json.find("tutti_plugin");
    if (format == json.end() || !format->is_number_integer() || format->get<std::int64_t>() < 1)
        return broken("has no \"tutti_plugin\" number");
    if (format->get<std::int64_t>() > k_state_format)
        return Status(Code::unsupported, "the state was written by a newer version of Tutti",
                      "the sound stays as it is", "use that version, or a newer one");
    const auto patch_json = json.find("patch");
    if (patch_json == json.end() || !patch_json->is_object()) return broken("has no patch");
    const auto kept = json.find("unread_patch");
    const std::string patch_text = dump(kept != json.end() && kept->is_object() ? *kept : *patch_json);
    Result<Patch> patch = Patch::from_json(patch_text);
    // What is missing here may be there in another version: the sound waits, everything else is worth having.
    const bool missing = !patch && patch.status().code() == Code::not_found;
    if (!patch && !missing) return patch.status();

    const ParameterList& list = ParameterList::get();
    Document document;
    if (missing) {
        document.unread = patch_text;
        document.unread_why = patch.status().what() + ": \"" + document.patch.name +
                              "\" sounds in its place, and the project keeps the other";
    } else {
        take_patch(document, *patch);
    }
    document.preset = words(json, "preset");
    Json unknown = Json::object();
    if (const auto parameters = json.find("parameters"); parameters != json.end() && parameters->is_object()) {
        Json strange = Json::object();
        for (const auto& [id, value] : parameters->items()) {
            const int place = list.find(id);
            if (place < 0)
                strange[id] = value;
            else if (value.is_number())
                document.values[static_cast<std::size_t>(place)] =
                    clamp_value(*list[place].row, static_cast<float>(value.get<double>()));
        }
        if (!strange.empty()) unknown["parameters"] = std::move(strange);
    }
    if (const auto controllers = json.find("controllers"); controllers != json.end() && controllers->is_object())
        for (const auto& [key, value] : controllers->items()) {
            int controller = -1;
            const auto end = std::from_chars(key.data(), key.data() + key.size(), controller);
            const int place = value.is_string() ? list.find(value.get<std::string>()) : -1;
            if (end.ec == std::errc() && controller >= 0 && controller < 120 && place >= 0)
                document.controllers[controller] = place;
        }
    if (const auto settings = json.find("settings"); settings != json.end() && settings->is_object()) {
        document.settings = settings_of(*settings);
        Json strange = Json::object();
        const Json known = settings_json(document.settings);
        for (const auto& [key, value] : settings->items())
            if (!known.contains(key)) strange[key] = value;
        if (!strange.empty()) unknown["settings"] = std::move(strange);
    }
    if (const auto editor = json.find("editor"); editor != json.end() && editor->is_object())
        document.editor = dump(*editor);
    if (const auto other = json.find("compare"); other != json.end() && other->is_object()) {
        Json plain = *other;
        plain.erase("compare"); // one level: the other sound has no other
        const std::string other_text = dump(plain);
        if (Result<Document> read = document_from_text(other_text)) {
            document.other = sound_text(*read);
            document.at_b = flag(json, "at_b", false);
        }
    }
    for (const auto& [key, value] : json.items())
        if (std::find(std::begin(k_known), std::end(k_known), key) == std::end(k_known)) unknown[key] = value;
    document.unknown = dump(unknown);
    return document;
}

} // namespace tutti::plugin
