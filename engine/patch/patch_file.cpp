// SPDX-License-Identifier: MIT
#include "engine/patch/patch_file.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/patch/json.h"
#include "engine/patch/nearest.h"

namespace tutti::engine {
namespace {

constexpr std::string_view k_format_key = "tutti_patch";

// Json -> Patch. Notes where every key stood, so that the check that follows can say so.
class PatchReader {
public:
    PatchReader(std::string_view text, const Catalog& catalog) : m_text(text), m_catalog(catalog) {}

    Result<Patch> read() {
        Result<Json> parsed = parse_json(m_text, "patch");
        if (!parsed.ok()) return parsed.status();
        if (parsed->kind != Json::Kind::object)
            return Status(Code::malformed,
                          "patch, " + json_place(m_text, parsed->offset) + ": the file holds no JSON object",
                          "nothing was loaded", "a patch begins with { \"tutti_patch\": 1, \"name\": ...");
        Status format = check_format(*parsed);
        if (!format.ok()) return format;
        Json unknown = Json::object();
        // What the parameters mean depends on the voice type, wherever it stands in the file.
        if (const Json* voice = parsed->find("voice")) string(*voice, "voice", m_patch.voice);
        m_voice = m_catalog.voice(m_patch.voice);
        for (std::size_t i = 0; i < parsed->items.size() && m_status.ok(); ++i)
            if (!field(parsed->keys[i], parsed->items[i])) unknown.add(parsed->keys[i], std::move(parsed->items[i]));
        if (!m_status.ok()) return m_status;
        m_patch.unknown = line(unknown);
        const auto place = [this](const std::string& key) {
            const auto found = m_places.find(key);
            return found == m_places.end() ? std::string() : json_place(m_text, found->second) + ": ";
        };
        Status status = check_patch(m_patch, m_catalog, place);
        if (!status.ok()) return Status(status.code(), status.what(), "nothing was loaded", status.remedy());
        return std::move(m_patch);
    }

private:
    static std::string line(const Json& value) {
        if (value.items.empty()) return "{}";
        std::string text = write_json(value);
        text.pop_back();
        return text;
    }

    Status check_format(const Json& root) {
        const Json* format = root.find(k_format_key);
        if (!format)
            return Status(Code::malformed, "patch: the key \"tutti_patch\" with the format's number is missing",
                          "nothing was loaded", "is this a patch? one begins with { \"tutti_patch\": 1, \"name\": ...");
        if (format->kind != Json::Kind::natural || format->natural < 1) {
            fail("tutti_patch", *format, "the format is a whole number from 1 on");
            return m_status;
        }
        if (format->natural > static_cast<std::uint64_t>(k_patch_format))
            return Status(Code::unsupported,
                          "patch: its format is " + std::to_string(format->natural) + ", this version reads up to " +
                              std::to_string(k_patch_format),
                          "nothing was loaded", "use a newer version of Tutti");
        return {};
    }

    bool fail(const std::string& key, const Json& at, const std::string& reason,
              const std::string& remedy = "correct it there") {
        if (m_status.ok())
            m_status = Status(Code::malformed,
                              one_line("patch, " + json_place(m_text, at.offset) + ": " + key + ": " + reason),
                              "nothing was loaded", remedy);
        return false;
    }

    // Each of these is true where the value had the right kind.
    bool string(const Json& value, const std::string& key, std::string& to) {
        m_places[key] = value.offset;
        if (value.kind != Json::Kind::string) return fail(key, value, "a text in quotes was expected");
        to = value.text;
        return true;
    }
    bool number(const Json& value, const std::string& key, double& to) {
        m_places[key] = value.offset;
        if (!value.is_number()) return fail(key, value, "a number was expected");
        to = value.as_number();
        return true;
    }
    bool whole(const Json& value, const std::string& key, int& to) {
        double given = 0.0;
        if (!number(value, key, given)) return false;
        if (given != std::floor(given) || std::fabs(given) > 1e9)
            return fail(key, value, "a whole number was expected");
        to = static_cast<int>(given);
        return true;
    }
    bool truth(const Json& value, const std::string& key, bool& to) {
        m_places[key] = value.offset;
        if (value.kind != Json::Kind::boolean) return fail(key, value, "true or false was expected");
        to = value.boolean;
        return true;
    }
    bool container(const Json& value, const std::string& key, Json::Kind kind) {
        m_places[key] = value.offset;
        if (value.kind == kind) return true;
        return fail(key, value,
                    kind == Json::Kind::array ? "a list [...] was expected" : "an object {...} was expected");
    }
    template <class Enum, std::size_t N>
    bool word(const Json& value, const std::string& key, const std::array<std::string_view, N>& names, Enum& to) {
        std::string given;
        if (!string(value, key, given)) return false;
        const auto found = std::find(names.begin(), names.end(), given);
        if (found == names.end())
            return fail(key, value, "\"" + given + "\" is not known", suggestion(given, {names.begin(), names.end()}));
        to = static_cast<Enum>(found - names.begin());
        return true;
    }

    // A parameter's value: a number, true or false for a switch, a choice by its name.
    bool parameter(const Json& value, const std::string& key, const Parameter* row, double& to) {
        m_places[key] = value.offset;
        if (value.kind == Json::Kind::boolean && (!row || row->unit == Unit::toggle)) {
            to = value.boolean ? 1.0 : 0.0;
            return true;
        }
        if (value.kind == Json::Kind::string && (!row || row->unit == Unit::choice)) {
            std::vector<std::string_view> names;
            for (int i = 0; row && i < row->choice_count; ++i) {
                names.emplace_back(row->choices[i]);
                if (names.back() == value.text) {
                    to = i;
                    return true;
                }
            }
            if (!row) return true; // the check that follows says that there is no such parameter
            return fail(key, value, "\"" + value.text + "\" is no choice", suggestion(value.text, names));
        }
        if (!value.is_number()) return fail(key, value, "a number was expected");
        // The engine holds floats; as one a value at its bound compares equal to the table's.
        const double given = value.as_number();
        const float single = static_cast<float>(std::clamp(given, -3e38, 3e38));
        to = static_cast<double>(single);
        return true;
    }
    void parameters(const Json& value, const std::string& key, const Table* table, std::map<std::string, double>& to) {
        if (!container(value, key, Json::Kind::object)) return;
        for (std::size_t i = 0; i < value.items.size() && m_status.ok(); ++i)
            parameter(value.items[i], key + "." + value.keys[i], table ? table->find(value.keys[i]) : nullptr,
                      to[value.keys[i]]);
    }

    void route(const Json& value, const std::string& key) {
        if (!container(value, key, Json::Kind::object)) return;
        PatchRoute route;
        Json unknown = Json::object();
        for (std::size_t i = 0; i < value.items.size() && m_status.ok(); ++i) {
            const std::string& name = value.keys[i];
            if (name == "source")
                string(value.items[i], key + ".source", route.source);
            else if (name == "target")
                string(value.items[i], key + ".target", route.target);
            else if (name == "depth")
                number(value.items[i], key + ".depth", route.depth);
            else if (name == "via")
                string(value.items[i], key + ".via", route.via);
            else
                unknown.add(name, value.items[i]);
        }
        route.unknown = line(unknown);
        m_patch.routes.push_back(std::move(route));
    }

    void controller(const Json& value, const std::string& key) {
        if (!container(value, key, Json::Kind::object)) return;
        PatchController controller;
        controller.number = -1;
        Json unknown = Json::object();
        for (std::size_t i = 0; i < value.items.size() && m_status.ok(); ++i) {
            const std::string& name = value.keys[i];
            double end = 0.0;
            if (name == "number") {
                whole(value.items[i], key + ".number", controller.number);
            } else if (name == "target") {
                string(value.items[i], key + ".target", controller.target);
            } else if (name == "from" || name == "to") {
                number(value.items[i], key + "." + name, end);
                (name == "from" ? controller.from : controller.to) = end;
            } else {
                unknown.add(name, value.items[i]);
            }
        }
        controller.unknown = line(unknown);
        m_patch.controllers.push_back(std::move(controller));
    }

    void effect(const Json& value, const std::string& key) {
        if (!container(value, key, Json::Kind::object)) return;
        PatchEffect effect;
        Json unknown = Json::object();
        if (const Json* type = value.find("type")) string(*type, key + ".type", effect.type);
        for (std::size_t i = 0; i < value.items.size() && m_status.ok(); ++i) {
            const std::string& name = value.keys[i];
            if (name == "type") continue;
            if (name == "enabled")
                truth(value.items[i], key + ".enabled", effect.enabled);
            else if (name == "parameters")
                parameters(value.items[i], key + ".parameters", m_catalog.effect(effect.type), effect.parameters);
            else
                unknown.add(name, value.items[i]);
        }
        effect.unknown = line(unknown);
        m_patch.effects.push_back(std::move(effect));
    }

    // False: no key of ours.
    bool field(const std::string& key, const Json& value) {
        if (key == k_format_key || key == "voice") return true;
        if (key == "name") {
            string(value, key, m_patch.name);
        } else if (key == "category") {
            string(value, key, m_patch.category);
        } else if (key == "author") {
            string(value, key, m_patch.author);
        } else if (key == "tags") {
            if (container(value, key, Json::Kind::array))
                for (const Json& item : value.items)
                    string(item, key, m_patch.tags.emplace_back());
        } else if (key == "gain_db") {
            number(value, key, m_patch.gain_db);
        } else if (key == "quality") {
            word(value, key, k_qualities, m_patch.quality);
        } else if (key == "mode") {
            word(value, key, k_play_modes, m_patch.mode);
        } else if (key == "priority") {
            word(value, key, k_priorities, m_patch.priority);
        } else if (key == "steal") {
            word(value, key, k_steal_policies, m_patch.steal);
        } else if (key == "voices") {
            whole(value, key, m_patch.voices);
        } else if (key == "glide_seconds") {
            number(value, key, m_patch.glide_seconds);
        } else if (key == "bend_range") {
            number(value, key, m_patch.bend_range);
        } else if (key == "velocity_curve") {
            number(value, key, m_patch.velocity_curve);
        } else if (key == "room_send") {
            number(value, key, m_patch.room_send);
        } else if (key == "hall_send") {
            number(value, key, m_patch.hall_send);
        } else if (key == "parameters") {
            parameters(value, key, m_voice, m_patch.parameters);
        } else if (key == "routes") {
            if (container(value, key, Json::Kind::array))
                for (std::size_t i = 0; i < value.items.size() && m_status.ok(); ++i)
                    route(value.items[i], "routes[" + std::to_string(i) + "]");
        } else if (key == "controllers") {
            if (container(value, key, Json::Kind::array))
                for (std::size_t i = 0; i < value.items.size() && m_status.ok(); ++i)
                    controller(value.items[i], "controllers[" + std::to_string(i) + "]");
        } else if (key == "effects") {
            if (container(value, key, Json::Kind::array))
                for (std::size_t i = 0; i < value.items.size() && m_status.ok(); ++i)
                    effect(value.items[i], "effects[" + std::to_string(i) + "]");
        } else if (key == "macros") {
            if (container(value, key, Json::Kind::object))
                for (std::size_t i = 0; i < value.items.size(); ++i)
                    string(value.items[i], "macros." + value.keys[i], m_patch.macros[value.keys[i]]);
        } else {
            return false;
        }
        return true;
    }

    std::string_view m_text;
    const Catalog& m_catalog;
    const Table* m_voice = nullptr;
    std::map<std::string, std::size_t> m_places; // key at fault -> byte
    Patch m_patch;
    Status m_status;
};

Json parameter_json(double value, const Parameter* row) {
    if (row && row->unit == Unit::toggle && (value == 0.0 || value == 1.0)) return Json::of(value == 1.0);
    if (row && row->unit == Unit::choice && value >= 0.0 && value < row->choice_count && value == std::floor(value))
        return Json::of(row->choices[static_cast<int>(value)]);
    // The fewest digits that give the same float back.
    const float single = static_cast<float>(value);
    for (int places = 0; places < 9 && std::fabs(value) < 1e9; ++places) {
        const double scale = std::pow(10.0, places);
        const double rounded = std::round(value * scale) / scale;
        if (static_cast<float>(rounded) == single) return Json::of(rounded);
    }
    return Json::of(static_cast<double>(single));
}

Json parameters_json(const std::map<std::string, double>& values, const Table* table) {
    // Known ones in the table's order, so that a file reads as the instrument does.
    Json json = Json::object();
    if (table)
        for (const Parameter& row : table->parameters)
            if (const auto found = values.find(row.id); found != values.end())
                json.add(row.id, parameter_json(found->second, &row));
    for (const auto& [id, value] : values)
        if (!table || !table->find(id)) json.add(id, parameter_json(value, nullptr));
    return json;
}

void add_unknown(Json& to, const std::string& unknown) {
    Result<Json> parsed = parse_json(unknown, "unknown keys");
    if (!parsed.ok() || parsed->kind != Json::Kind::object) return;
    const std::vector<std::string> known = to.keys;
    for (std::size_t i = 0; i < parsed->items.size(); ++i)
        if (std::find(known.begin(), known.end(), parsed->keys[i]) == known.end())
            to.add(parsed->keys[i], std::move(parsed->items[i]));
}

} // namespace

Result<Patch> read_patch(std::string_view text, const Catalog& catalog) {
    return PatchReader(text, catalog).read();
}

std::string write_patch(const Patch& patch, const Catalog& catalog) {
    Json root = Json::object();
    root.add(k_format_key, Json::of(static_cast<double>(k_patch_format)));
    root.add("name", Json::of(std::string_view(patch.name)));
    root.add("voice", Json::of(std::string_view(patch.voice)));
    root.add("category", Json::of(std::string_view(patch.category)));
    root.add("author", Json::of(std::string_view(patch.author)));
    Json& tags = root.add("tags", Json::array());
    for (const std::string& tag : patch.tags)
        tags.push(Json::of(std::string_view(tag)));
    root.add("gain_db", Json::of(patch.gain_db));
    root.add("quality", Json::of(k_qualities[static_cast<std::size_t>(patch.quality)]));
    root.add("mode", Json::of(k_play_modes[static_cast<std::size_t>(patch.mode)]));
    root.add("priority", Json::of(k_priorities[static_cast<std::size_t>(patch.priority)]));
    root.add("steal", Json::of(k_steal_policies[static_cast<std::size_t>(patch.steal)]));
    root.add("voices", Json::of(static_cast<double>(patch.voices)));
    root.add("glide_seconds", Json::of(patch.glide_seconds));
    root.add("bend_range", Json::of(patch.bend_range));
    root.add("velocity_curve", Json::of(patch.velocity_curve));
    root.add("parameters", parameters_json(patch.parameters, catalog.voice(patch.voice)));
    Json& routes = root.add("routes", Json::array());
    for (const PatchRoute& route : patch.routes) {
        Json json = Json::object();
        json.add("source", Json::of(std::string_view(route.source)));
        json.add("target", Json::of(std::string_view(route.target)));
        json.add("depth", Json::of(route.depth));
        if (!route.via.empty()) json.add("via", Json::of(std::string_view(route.via)));
        add_unknown(json, route.unknown);
        routes.push(std::move(json));
    }
    if (!patch.controllers.empty()) {
        Json& controllers = root.add("controllers", Json::array());
        for (const PatchController& controller : patch.controllers) {
            Json json = Json::object();
            json.add("number", Json::of(static_cast<double>(controller.number)));
            json.add("target", Json::of(std::string_view(controller.target)));
            if (controller.from) json.add("from", Json::of(*controller.from));
            if (controller.to) json.add("to", Json::of(*controller.to));
            add_unknown(json, controller.unknown);
            controllers.push(std::move(json));
        }
    }
    Json& effects = root.add("effects", Json::array());
    for (const PatchEffect& effect : patch.effects) {
        Json json = Json::object();
        json.add("type", Json::of(std::string_view(effect.type)));
        json.add("enabled", Json::of(effect.enabled));
        json.add("parameters", parameters_json(effect.parameters, catalog.effect(effect.type)));
        add_unknown(json, effect.unknown);
        effects.push(std::move(json));
    }
    if (patch.room_send != 0.0) root.add("room_send", Json::of(patch.room_send));
    if (patch.hall_send != 0.0) root.add("hall_send", Json::of(patch.hall_send));
    Json& macros = root.add("macros", Json::object());
    for (const auto& [id, name] : patch.macros)
        macros.add(id, Json::of(std::string_view(name)));
    add_unknown(root, patch.unknown);
    return write_json(root);
}

} // namespace tutti::engine
