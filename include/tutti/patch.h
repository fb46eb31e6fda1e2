// SPDX-License-Identifier: MIT
// A patch: a voice type, its parameter values, modulation routes, effects and how it is played; kept in a JSON file.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tutti/parameter.h>
#include <tutti/status.h>

namespace tutti {

enum class Quality : unsigned char { eco, standard, ultra };
enum class PlayMode : unsigned char { poly, mono, legato };
enum class NotePriority : unsigned char { last, high, low };
enum class StealPolicy : unsigned char { quietest, oldest, same_note };

// One modulation route: `target` (a modulatable parameter's id) += depth * source * via, in the target's unit; octaves where
// the target's curve is exponential. `via` is a second source, as the wheel that opens a vibrato; none counts as 1.
struct PatchRoute {
    std::string source; // "env2", "lfo1", "velocity", "key", "pressure", "timbre", "wheel", "macro1", ...
    std::string target;
    double depth = 0.0;
    std::string via = {};       // a source's name, or empty
    std::string unknown = "{}"; // JSON object of the keys this version does not know
};

// A MIDI controller 0..119 that moves a parameter, or "macro1".."macro8", beside its own meaning: from `from` at 0 to `to` at
// 127 along the knob's curve, in the parameter's unit.
struct PatchController {
    int number = 0;
    std::string target;
    std::optional<double> from; // none: the parameter's minimum
    std::optional<double> to;   // none: its maximum
    std::string unknown = "{}"; // JSON object of the keys this version does not know
};

struct PatchEffect {
    std::string type;                         // "chorus", "delay", "reverb", ...
    std::map<std::string, double> parameters; // by id, in the parameter's unit; absent: the default
    bool enabled = true;
    std::string unknown = "{}"; // JSON object of the keys this version does not know
};

// A plain value of the control side. Unknown keys of a file are kept and written back.
struct TUTTI_API Patch {
    std::string name = "Init";
    std::string voice = "subtractive";
    std::string category; // "Bass", "Pad", ...
    std::string author;
    std::vector<std::string> tags;
    double gain_db = 0.0;
    Quality quality = Quality::standard;
    PlayMode mode = PlayMode::poly;
    NotePriority priority = NotePriority::last;
    StealPolicy steal = StealPolicy::quietest;
    int voices = 32; // notes that may sound at once in a part, 1..512 (each with its unison copies)
    double glide_seconds = 0.0;
    double bend_range = 2.0;                  // semitones
    double velocity_curve = 0.0;              // -1 soft .. 0 linear .. 1 hard
    std::map<std::string, double> parameters; // by id, in the parameter's unit; absent: the default
    std::vector<PatchRoute> routes;           // at most 16
    std::vector<PatchController> controllers; // a number once; Event::map_controller overrules it for a part
    std::vector<PatchEffect> effects;
    double room_send = 0.0;                    // 0..4, after the effects and the part's level, to the stream's room;
    double hall_send = 0.0;                    // and to its hall: reverbs that all parts share (Stream::set_send)
    std::map<std::string, std::string> macros; // "macro1" -> what it is called
    std::string unknown = "{}";                // JSON object of the keys this version does not know

    // Errors: malformed (with line and column, or the key at fault), unsupported (a newer format), too_large (16 MiB),
    // out_of_range (a value outside its parameter's range names both). [control]
    static Result<Patch> from_json(std::string_view text);
    static Result<Patch> load(const std::string& path);
    // A factory patch by its name in lower case with hyphens, "warm-pad"; not_found lists the nearest names. [control]
    static Result<Patch> factory(std::string_view name);
    static std::span<const std::string_view> factory_names();
    // The factory patch nearest to a General MIDI program 0..127, or the drum kit where `drums`. [control]
    static std::string_view general_midi(int program, bool drums = false);

    // The file's text, and whether every name and value is known and in range (out_of_range, not_found). [control]
    std::string to_json() const;
    Status validate() const;
};

} // namespace tutti
