// SPDX-License-Identifier: MIT
// What CLAP alone has: its factory, event spaces, flush, expressions, wildcards, status and masks.
#include <cmath>
#include <cstring>

#include "tests/host/plugcheck/check.h"
#include "tests/host/plugcheck/clap_host.h"

namespace tutti::host {
namespace {

std::unique_ptr<ClapPlugin> clap_of(Context& context) {
    return std::make_unique<ClapPlugin>(context.path);
}

void factory(Context& context) {
    const auto plugin = clap_of(context);
    const auto* f = plugin->factory();
    const std::string id = plugin->raw()->desc->id;
    for (const std::string& wrong : {id + "x", id + " ", std::string(), std::string("no.such.plugin")})
        if (const clap_plugin_t* got = f->create_plugin(f, plugin->host(), wrong.c_str())) {
            context.fail("it makes an instance of \"" + wrong + "\"");
            got->destroy(got);
        }
    context.check(f->get_plugin_descriptor(f, f->get_plugin_count(f)) == nullptr,
                  "it describes a plugin beyond its count");
    for (std::uint32_t i = 0; i < f->get_plugin_count(f); ++i) {
        const auto* desc = f->get_plugin_descriptor(f, i);
        context.check(desc != nullptr && desc->id != nullptr && desc->name != nullptr && *desc->name != '\0',
                      "a descriptor lacks an id or a name");
    }
    // Made and gone without init; made, initialised and gone without activate.
    if (const clap_plugin_t* got = f->create_plugin(f, plugin->host(), id.c_str()))
        got->destroy(got);
    else
        context.fail("no second instance");
}

void other_spaces(Context& context) {
    Sound sounds[2];
    for (int k = 0; k < 2; ++k) {
        const auto plugin = clap_of(context);
        if (!context.check(plugin->prepare(48000.0, 256, false), "refuses 48 kHz")) return;
        if (k == 1)
            for (const EventType type : {EventType::note_on, EventType::parameter, EventType::note_off}) {
                Event event = note_on(0, 72, 1.0, 7);
                event.type = type;
                ClapEvent odd = plugin->translated(event);
                odd.header.space_id = 0xb33f;
                plugin->extra.push_back(odd);
            }
        sounds[k] = render(*plugin, phrase(*plugin, 9600, context.seed), 9600, {256});
    }
    context.check(sounds[0] == sounds[1], "it takes events of a space that is not CLAP's for its own");
}

void flush(Context& context) {
    const auto one = clap_of(context), two = clap_of(context);
    if (one->parameters().empty()) return context.skip("it has no parameters");
    auto random = context.random();
    std::vector<Event> events;
    for (std::size_t i = 0; i < one->parameters().size(); ++i) {
        Event event;
        event.type = EventType::parameter;
        event.parameter = static_cast<int>(i);
        const Parameter& p = one->parameters()[i];
        event.value = p.minimum + (p.maximum - p.minimum) * static_cast<double>(random() % 101) / 100.0;
        events.push_back(event);
    }
    if (!context.check(two->prepare(48000.0, 256, false), "refuses 48 kHz")) return;
    for (const Event& event : events)
        one->set(event.parameter, event.value); // inactive: flush, on the main thread
    (void)render(*two, events, 256, {256});
    for (std::size_t i = 0; i < events.size(); ++i)
        context.check(std::abs(one->value(static_cast<int>(i)) - two->value(static_cast<int>(i))) <
                          1e-9 * (one->parameters()[i].maximum - one->parameters()[i].minimum),
                      "parameter " + one->parameters()[i].name + ": flush gives " +
                          number(one->value(static_cast<int>(i))) + ", process " +
                          number(two->value(static_cast<int>(i))));
    context.check(one->save() == two->save(), "parameters given by flush and by process are saved as different states");
}

void expressions(Context& context) {
    const auto play = [&](int id, double value) {
        const auto plugin = clap_of(context);
        if (!plugin->prepare(48000.0, 4800, false)) return Sound{};
        Event event = note_on(0, 60, 0.8, 3);
        event.type = EventType::tuning;
        event.value = value;
        ClapEvent expression = plugin->translated(event);
        expression.expression.expression_id = id;
        Sound first = render(*plugin, {note_on(0, 60, 0.8, 3)}, 4800, {4800});
        if (id >= 0) plugin->extra.push_back(expression);
        Sound second = render(*plugin, {}, 4800, {4800});
        context.check(broken(second) == 0, "expression " + number(id) + ": samples that are not finite or subnormal");
        return second;
    };
    const Sound plain = play(-1, 0.0);
    const struct {
        const char* name;
        int id;
        double value;
    } all[] = {{"volume", CLAP_NOTE_EXPRESSION_VOLUME, 0.25}, {"tuning", CLAP_NOTE_EXPRESSION_TUNING, 3.0}};
    for (const auto& [name, id, value] : all)
        context.check(!(play(id, value) == plain), std::string("the note expression ") + name + " is not heard");
    for (const int id : std::initializer_list<int>{CLAP_NOTE_EXPRESSION_PAN, CLAP_NOTE_EXPRESSION_VIBRATO,
                                                   CLAP_NOTE_EXPRESSION_EXPRESSION, CLAP_NOTE_EXPRESSION_BRIGHTNESS,
                                                   CLAP_NOTE_EXPRESSION_PRESSURE, 77})
        for (const double value : {0.0, 1.0, -5.0, 1e30, static_cast<double>(NAN)})
            (void)play(id, value);
}

void wildcards(Context& context) {
    const auto plugin = clap_of(context);
    if (!context.check(plugin->prepare(48000.0, 256, false), "refuses 48 kHz")) return;
    (void)render(*plugin, {note_on(0, 50, 0.8, 1), note_on(0, 60, 0.8, 2), note_on(0, 70, 0.8, -1)}, 4800, {256});
    Event off = note_off(0, -1, -1);
    off.channel = -1;
    const auto tail = plugin->tail();
    const auto sound = render(
        *plugin, {off}, static_cast<int>(std::min<std::int64_t>(tail < 0 ? 480000 : tail, 960000)) + 48000, {256});
    context.check(peak(sound, sound.frames() - 4800) < 1e-4f, "a note-off of every key leaves notes");
}

void choke(Context& context) {
    const auto plugin = clap_of(context);
    if (!context.check(plugin->prepare(48000.0, 256, false), "refuses 48 kHz")) return;
    (void)render(*plugin, {note_on(0, 60, 0.8, 1)}, 4800, {256});
    ClapEvent event = plugin->translated(note_off(0, 60, 1));
    event.header.type = CLAP_EVENT_NOTE_CHOKE;
    plugin->extra.push_back(event);
    (void)render(*plugin, {}, 256, {256});
    plugin->extra.clear();
    const auto before = render(*plugin, {}, 48000, {256});
    // Effects may go on; the note may not.
    const auto held = clap_of(context);
    if (!held->prepare(48000.0, 256, false)) return;
    (void)render(*held, {note_on(0, 60, 0.8, 1)}, 4800 + 256, {256});
    const auto still = render(*held, {}, 48000, {256});
    context.check(rms(before, 24000) < 0.05 * rms(still, 24000), "a choked note goes on");
}

void output(Context& context) {
    const auto plugin = clap_of(context);
    if (!context.check(plugin->prepare(48000.0, 256, false), "refuses 48 kHz")) return;
    (void)render(*plugin, phrase(*plugin, 9600, context.seed), 9600, {256, 1, 100});
    context.check(!plugin->moved_pointers, "it wrote to the host's buffer structures");
    for (const ClapEvent& event : plugin->sent)
        context.check(event.header.time < 256, "an event that it sends is outside the block");
}

void sleep(Context& context) {
    const auto plugin = clap_of(context);
    if (!context.check(plugin->prepare(48000.0, 256, false), "refuses 48 kHz")) return;
    const auto tail = plugin->tail();
    const int blocks = static_cast<int>(std::min<std::int64_t>(tail < 0 ? 480000 : tail, 480000)) / 256 + 400;
    bool slept = false;
    for (int k = 0; k < blocks; ++k) {
        std::vector<Event> events;
        if (k == 0) events.push_back(note_on(0, 60, 0.8, 1));
        if (k == 40) events.push_back(note_off(0, 60, 1));
        const auto sound = render(*plugin, events, 256, {256});
        if (plugin->status == CLAP_PROCESS_SLEEP) {
            slept = true;
            // Asleep means: nothing will come without an event.
            if (peak(sound) > 1e-3f) return context.fail("it says that it sleeps while it sounds");
        }
        context.check(plugin->status >= CLAP_PROCESS_ERROR && plugin->status <= CLAP_PROCESS_SLEEP,
                      "a status that there is not");
    }
    context.note(slept ? "sleeps when silent" : "never sleeps");
}

void constant_mask(Context& context) {
    const auto plugin = clap_of(context);
    if (!context.check(plugin->prepare(48000.0, 256, false), "refuses 48 kHz")) return;
    for (int k = 0; k < 60; ++k) {
        std::vector<Event> events;
        if (k == 10) events.push_back(note_on(13, 60, 0.8, 1));
        if (k == 30) events.push_back(note_off(100, 60, 1));
        const auto sound = render(*plugin, events, 256, {256});
        for (std::size_t c = 0; c < sound.channels.size(); ++c)
            if ((plugin->constant_mask >> c & 1) != 0)
                for (const float sample : sound.channels[c])
                    if (sample != sound.channels[c][0]) return context.fail("a channel that it calls constant is not");
    }
}

void voice_info(Context& context) {
    const auto plugin = clap_of(context);
    const auto* voices = plugin->extension<clap::PluginVoiceInfo>(clap::k_voice_info);
    if (voices == nullptr) return context.skip("it has no voice-info");
    if (!context.check(plugin->prepare(48000.0, 256, false), "refuses 48 kHz")) return;
    clap::VoiceInfo info{};
    context.check(voices->get(plugin->raw(), &info), "it does not say how many voices it has");
    context.check(info.voice_count >= 1 && info.voice_count <= info.voice_capacity,
                  number(info.voice_count) + " voices of " + number(info.voice_capacity));
    context.note(number(info.voice_count) + " voices of " + number(info.voice_capacity));
}

void state_stream(Context& context) {
    const auto plugin = clap_of(context);
    const auto* state = plugin->extension<clap_plugin_state_t>(CLAP_EXT_STATE);
    if (state == nullptr) return context.skip("it has no state");
    const clap_istream_t broken_input{nullptr,
                                      [](const clap_istream_t*, void*, std::uint64_t) { return std::int64_t{-1}; }};
    context.check(!state->load(plugin->raw(), &broken_input), "a state that cannot be read is taken for one");
    const clap_ostream_t full{nullptr,
                              [](const clap_ostream_t*, const void*, std::uint64_t) { return std::int64_t{-1}; }};
    context.check(!state->save(plugin->raw(), &full), "a state that could not be written counts as saved");
}

} // namespace

std::vector<Check> clap_checks() {
    return {
        {"clap.factory", "clap-validator",
         "ids that are not its own give nothing; instances go without having been used", factory, "CLAP"},
        {"clap.other_spaces", "clap-validator", "events of another space are ignored", other_spaces, "CLAP"},
        {"clap.flush", "clap-validator", "parameters by flush and by process: the same values and state", flush,
         "CLAP"},
        {"clap.expressions", "clap-validator", "note expressions are heard, any value is survived", expressions,
         "CLAP"},
        {"clap.wildcards", "clap-validator", "a note-off of every key and channel ends all notes", wildcards, "CLAP"},
        {"clap.choke", "clap-validator", "a choked note ends", choke, "CLAP"},
        {"clap.output", "clap-validator", "the host's structures are as they were, events sent are inside the block",
         output, "CLAP"},
        {"clap.sleep", "clap-validator", "it sleeps only when silent", sleep, "CLAP"},
        {"clap.constant_mask", "clap-validator", "channels that it calls constant are", constant_mask, "CLAP"},
        {"clap.voice_info", "clap-validator", "1 <= voices <= capacity", voice_info, "CLAP"},
        {"clap.state_stream", "clap-validator", "streams that fail are told apart from states", state_stream, "CLAP"},
    };
}

} // namespace tutti::host
