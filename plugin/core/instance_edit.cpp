// SPDX-License-Identifier: MIT
// The control side of an instance: patch, presets, state, undo, two sounds to compare.
#include <algorithm>
#include <cmath>

#include <tutti/tuning.h>

#include "plugin/core/instance.h"

namespace tutti::plugin {

// --- with the lock held

Document Instance::current() const {
    Document document = m_document;
    for (std::size_t i = 0; i < m_values.size(); ++i)
        document.values[i] = m_values[i].load(std::memory_order_relaxed);
    document.controllers.clear();
    for (std::size_t i = 0; i < m_controllers.size(); ++i)
        if (const int parameter = m_controllers[i].load(std::memory_order_relaxed); parameter >= 0)
            document.controllers[static_cast<int>(i)] = parameter;
    return document;
}

void Instance::adopt(const Document& document, bool keep_settings) {
    const Settings settings = m_document.settings;
    m_document = document;
    if (keep_settings) m_document.settings = settings;
    publish();
}

void Instance::publish() {
    for (std::size_t i = 0; i < m_values.size(); ++i) {
        m_values[i].store(m_document.values[i], std::memory_order_relaxed);
        m_reached[i].store(m_document.values[i], std::memory_order_relaxed);
    }
    for (std::size_t i = 0; i < m_controllers.size(); ++i) {
        const auto found = m_document.controllers.find(static_cast<int>(i));
        m_controllers[i].store(static_cast<std::int16_t>(found != m_document.controllers.end() ? found->second : -1),
                               std::memory_order_relaxed);
    }
    m_pickup.store(m_document.settings.pickup, std::memory_order_relaxed);
    const auto voices = voice_tables();
    for (std::size_t i = 0; i < voices.size(); ++i)
        if (voices[i].id == m_document.patch.voice) m_voice.store(static_cast<int>(i), std::memory_order_relaxed);
    const auto effects = effect_tables();
    for (std::size_t i = 0; i < effects.size(); ++i) {
        int place = -1;
        for (std::size_t p = m_document.patch.effects.size(); p-- > 0;)
            if (m_document.patch.effects[p].type == effects[i].id) place = static_cast<int>(p);
        m_effect_places[i].store(static_cast<std::int8_t>(place), std::memory_order_relaxed);
    }
}

Status Instance::apply(std::int64_t frame) {
    if (m_stream == nullptr) return {};
    // What a host has set since the document was taken over is part of the sound.
    m_document = current();
    if (Status status = m_stream->set_patch(0, sounding_patch(m_document), frame); !status) return status;
    for (std::size_t i = 0; i < m_reached.size(); ++i)
        m_reached[i].store(m_document.values[i], std::memory_order_relaxed);
    for (int i = 0; i < k_macros; ++i)
        m_keyboard.post(
            Event::set_macro(frame, 0, i, static_cast<double>(m_document.values[static_cast<std::size_t>(i)])));
    return {};
}

void Instance::apply_tuning() {
    if (m_stream == nullptr) return;
    const Settings& settings = m_document.settings;
    Tuning tuning;
    if (!settings.scl.empty() || !settings.kbm.empty())
        if (Result<Tuning> read = Tuning::from_scala(settings.scl, settings.kbm)) tuning = std::move(read).value();
    // A queue that is full says so in the stream's counters; the next change brings the tuning again.
    (void)m_stream->set_tuning(0, tuning);
}

void Instance::apply_mpe() {
    const MpeZone zone = m_document.settings.mpe;
    const MpeZone was = m_zone.exchange(zone, std::memory_order_relaxed);
    if (m_stream == nullptr || (zone == MpeZone::off && was == MpeZone::off)) return;
    if (zone != was) m_keyboard.post(Event::all_notes_off(k_asap));
    const auto registered = [&](int part, int number, int value) {
        m_keyboard.post(Event::midi(k_asap, part, 0xb0, 101, 0));
        m_keyboard.post(Event::midi(k_asap, part, 0xb0, 100, number));
        m_keyboard.post(Event::midi(k_asap, part, 0xb0, 6, value));
        m_keyboard.post(Event::midi(k_asap, part, 0xb0, 101, 127));
        m_keyboard.post(Event::midi(k_asap, part, 0xb0, 100, 127));
    };
    registered(0, 6, zone != MpeZone::off ? 15 : 0);
    if (zone != MpeZone::off) registered(1, 0, m_document.settings.mpe_bend_range);
}

// Messages of the MIDI Tuning Standard that the audio thread has left. Others are none of ours.
void Instance::take_tunings(bool on_frame) {
    // The messages were written before their count; the slots are free once it is stored.
    const std::uint32_t end = m_sysex_written.load(std::memory_order_acquire);
    std::uint32_t at = m_sysex_read.load(std::memory_order_relaxed);
    for (; at != end; ++at) {
        const Sysex& slot = m_sysex[at % k_sysex_slots];
        Result<TuningMessage> read = TuningMessage::parse({slot.bytes.data(), slot.size});
        if (!read) continue;
        TuningMessage message = std::move(read).value();
        tune(message, on_frame ? slot.frame : k_asap);
        // A new dump of a program takes the place of what was said of it.
        if (message.keys.size() == Tuning::k_keys)
            std::erase_if(m_tuned, [&](const TuningMessage& old) {
                return !message.for_channels && !old.for_channels && old.bank == message.bank &&
                       old.program == message.program;
            });
        if (m_tuned.size() == 256) m_tuned.erase(m_tuned.begin());
        m_tuned.push_back(std::move(message));
    }
    m_sysex_read.store(at, std::memory_order_release);
}

void Instance::tune(const TuningMessage& message, std::int64_t frame) {
    if (m_stream == nullptr) return;
    TuningMessage meant = message;
    // Without MPE every channel plays the one part.
    if (meant.for_channels && !mpe()) meant.channels = 0xffff;
    // A queue that is full says so in the stream's counters; the next prepare brings it again.
    (void)m_stream->tune(meant, frame);
}

Status Instance::change(const std::string& step, const Document& next) {
    const Document before = current();
    const std::string text = sound_text(before);
    adopt(next, false);
    if (Status status = apply(); !status) {
        if (status.code() == Code::full) {
            m_patch_late = true; // tick() tries again
        } else {
            adopt(before, false);
            return status;
        }
    }
    if (!(before.settings.scl == next.settings.scl && before.settings.kbm == next.settings.kbm)) apply_tuning();
    if (before.settings.mpe != next.settings.mpe || before.settings.mpe_bend_range != next.settings.mpe_bend_range)
        apply_mpe();
    if (!step.empty()) m_history.add(step, text, sound_text(m_document));
    return {};
}

// --- patch

Patch Instance::patch() const {
    const std::lock_guard lock(m_mutex);
    return sounding_patch(current());
}

Status Instance::edit_patch(const Patch& patch, const std::string& step) {
    if (Status status = patch.validate(); !status) return status;
    InstanceListener* listener = nullptr;
    {
        const std::lock_guard lock(m_mutex);
        Document next = current();
        const std::vector<float> values = next.values;
        take_patch(next, patch);
        std::copy_n(values.begin(), k_macros, next.values.begin()); // an edit is no new sound
        if (Status status = change(step, next); !status) return status;
        listener = m_listener;
    }
    if (listener != nullptr) listener->everything_changed();
    return {};
}

Status Instance::load_preset(const Patch& patch, const std::string& preset) {
    if (Status status = patch.validate(); !status) return status;
    InstanceListener* listener = nullptr;
    {
        const std::lock_guard lock(m_mutex);
        Document next = current();
        take_patch(next, patch);
        next.preset = preset;
        if (Status status = change("Load " + patch.name, next); !status) return status;
        m_clean = sounding_patch(m_document).to_json();
        listener = m_listener;
    }
    if (listener != nullptr) listener->everything_changed();
    return {};
}

std::string Instance::preset() const {
    const std::lock_guard lock(m_mutex);
    return m_document.preset;
}

bool Instance::dirty() const {
    const std::lock_guard lock(m_mutex);
    return sounding_patch(current()).to_json() != m_clean;
}

void Instance::mark_saved(const std::string& preset) {
    const std::lock_guard lock(m_mutex);
    m_document.preset = preset;
    m_clean = sounding_patch(current()).to_json();
}

Settings Instance::settings() const {
    const std::lock_guard lock(m_mutex);
    return m_document.settings;
}

Status Instance::set_settings(const Settings& settings) {
    if (settings.look_ahead_blocks < 1 || settings.look_ahead_blocks > 64 || settings.mpe_bend_range < 0 ||
        settings.mpe_bend_range > 96)
        return Status(Code::out_of_range, "a setting lies outside its range", "the settings stay as they are",
                      "take 1 to 64 blocks of look-ahead and a bend range of 0 to 96 semitones");
    if (!settings.scl.empty() || !settings.kbm.empty())
        if (Result<Tuning> tuning = Tuning::from_scala(settings.scl, settings.kbm); !tuning) return tuning.status();
    const std::lock_guard lock(m_mutex);
    const Settings before = m_document.settings;
    m_document.settings = settings;
    m_pickup.store(settings.pickup, std::memory_order_relaxed);
    if (before.scl != settings.scl || before.kbm != settings.kbm) apply_tuning();
    if (before.mpe != settings.mpe || before.mpe_bend_range != settings.mpe_bend_range) apply_mpe();
    return {};
}

// --- edits of parameters

void Instance::begin_edit(int) {
    const std::lock_guard lock(m_mutex);
    if (m_edits++ == 0) m_before_edit = sound_text(current());
}

void Instance::end_edit(int parameter) {
    const std::lock_guard lock(m_mutex);
    if (m_edits == 0 || --m_edits > 0) return;
    const ParameterList& list = ParameterList::get();
    const bool known = parameter >= 0 && parameter < list.size();
    m_history.add(known ? list[parameter].name : "Edit", std::move(m_before_edit), sound_text(current()));
    m_before_edit.clear();
}

// --- state

std::string Instance::save() const {
    const std::lock_guard lock(m_mutex);
    return to_text(current());
}

Status Instance::load(std::string_view text) {
    Result<Document> read = document_from_text(text);
    if (!read) return read.status();
    InstanceListener* listener = nullptr;
    {
        const std::lock_guard lock(m_mutex);
        if (Status status = change("", *read); !status) return status;
        m_history.clear();
        m_clean = sounding_patch(m_document).to_json();
        if (m_document.preset.empty()) m_clean.clear();
        if (const Result<Patch> preset = Patch::factory(m_document.preset)) {
            Document plain;
            take_patch(plain, *preset);
            m_clean = sounding_patch(plain).to_json();
        }
        listener = m_listener;
    }
    if (listener != nullptr) listener->everything_changed();
    return {};
}

std::string Instance::missing() const {
    const std::lock_guard lock(m_mutex);
    return m_document.unread_why;
}

namespace {

// A sound of the history takes over; what is no part of it stays.
Document with_sound_of(const Document& now, Document sound) {
    sound.editor = now.editor;
    sound.other = now.other;
    sound.at_b = now.at_b;
    return sound;
}

} // namespace

bool Instance::undo() {
    InstanceListener* listener = nullptr;
    {
        const std::lock_guard lock(m_mutex);
        if (!m_history.can_undo()) return false;
        const Result<Document> sound = document_from_text(m_history.undo());
        if (!sound || !change("", with_sound_of(m_document, *sound))) return false;
        listener = m_listener;
    }
    if (listener != nullptr) listener->everything_changed();
    return true;
}

bool Instance::redo() {
    InstanceListener* listener = nullptr;
    {
        const std::lock_guard lock(m_mutex);
        if (!m_history.can_redo()) return false;
        const Result<Document> sound = document_from_text(m_history.redo());
        if (!sound || !change("", with_sound_of(m_document, *sound))) return false;
        listener = m_listener;
    }
    if (listener != nullptr) listener->everything_changed();
    return true;
}

std::string Instance::undo_name() const {
    const std::lock_guard lock(m_mutex);
    return m_history.undo_name();
}
std::string Instance::redo_name() const {
    const std::lock_guard lock(m_mutex);
    return m_history.redo_name();
}

void Instance::compare() {
    InstanceListener* listener = nullptr;
    {
        const std::lock_guard lock(m_mutex);
        Document now = current();
        const std::string mine = sound_text(now);
        const Result<Document> other = document_from_text(now.other.empty() ? mine : now.other);
        if (!other) return;
        Document next = with_sound_of(now, *other);
        next.other = mine;
        next.at_b = !now.at_b;
        if (!change(next.at_b ? "Compare: B" : "Compare: A", next)) return;
        listener = m_listener;
    }
    if (listener != nullptr) listener->everything_changed();
}

void Instance::copy_to_other() {
    const std::lock_guard lock(m_mutex);
    m_document.other = sound_text(current());
}

bool Instance::at_b() const {
    const std::lock_guard lock(m_mutex);
    return m_document.at_b;
}

std::string Instance::editor_state() const {
    const std::lock_guard lock(m_mutex);
    return m_document.editor;
}
void Instance::set_editor_state(const std::string& json) {
    const std::lock_guard lock(m_mutex);
    m_document.editor = json;
}

// --- MIDI learn

int Instance::controller_of(int parameter) const noexcept {
    for (std::size_t i = 0; i < m_controllers.size(); ++i)
        if (m_controllers[i].load(std::memory_order_relaxed) == parameter) return static_cast<int>(i);
    return -1;
}

void Instance::forget_controller(int parameter) noexcept {
    for (auto& slot : m_controllers)
        if (slot.load(std::memory_order_relaxed) == parameter) slot.store(-1, std::memory_order_relaxed);
}

} // namespace tutti::plugin
